// Between a host and the page it shows: loads the page without an origin, and passes messages on.

const page = document.createElement("iframe");
page.title = "App";
page.setAttribute("sandbox", "allow-scripts");
document.body.append(page);

addEventListener("message", ({ source, data }) => {
  if (source === page.contentWindow) parent.postMessage(data, "*");
  else if (source === parent && data.method === "ui/notifications/sandbox-resource-ready") page.srcdoc = data.params.html;
  else if (source === parent) page.contentWindow.postMessage(data, "*");
});
parent.postMessage({ jsonrpc: "2.0", method: "ui/notifications/sandbox-proxy-ready", params: {} }, "*");
