// A client that shows MCP Apps, made of other people's parts: the TypeScript SDK's client and the AppBridge of ext-apps.
// It keeps to what the specification asks of a web host: a sandbox on another origin, and in it the page with no origin at all.

import {
  AppBridge,
  PostMessageTransport,
  McpUiResourceMetaSchema,
  McpUiToolMetaSchema,
  RESOURCE_MIME_TYPE,
  getToolUiResourceUri,
} from "@modelcontextprotocol/ext-apps/app-bridge";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const asked = new URLSearchParams(location.search);
const INFO = { name: "app-host", version: "1.0.0" };
const EXTENSIONS = { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } };

const client = new Client(INFO, asked.get("advertise") === "none" ? {} : { capabilities: { extensions: EXTENSIONS } });
await client.connect(new StreamableHTTPClientTransport(new URL(asked.get("server"))));
if (!client.getServerCapabilities().resources) throw new Error("The server has no resources.");
const tools = new Map((await client.listTools()).tools.map((tool) => [tool.name, tool]));

for (const tool of tools.values()) if (tool._meta?.ui) McpUiToolMetaSchema.parse(tool._meta.ui);

/** Call a tool as a model would, and show its app if it has one: what the model reads, and the place of the app's frame. */
window.call = async (name, input) => {
  const tool = tools.get(name);
  const result = await client.callTool({ name, arguments: input });
  const uri = getToolUiResourceUri(tool);
  const frame = uri ? await shown(tool, uri, input, result) : null;
  return { text: result.content.map((block) => block.text).join("\n"), structured: result.structuredContent ?? null, frame };
};

window.bridges = [];

async function shown(tool, uri, input, result) {
  const { contents } = await client.readResource({ uri });
  const [{ mimeType, text, _meta }] = contents;
  if (contents.length !== 1 || mimeType !== RESOURCE_MIME_TYPE) throw new Error(`${uri} is no app: ${mimeType}`);

  McpUiResourceMetaSchema.parse(_meta.ui);

  const iframe = document.createElement("iframe");
  iframe.title = `${tool.name}, drawn`;
  iframe.setAttribute("sandbox", "allow-scripts allow-same-origin");
  const number = document.querySelectorAll("iframe").length;
  iframe.name = `sandbox-${number}`;
  const bridge = new AppBridge(
    client,
    INFO,
    asked.get("capabilities") === "none" ? {} : { serverTools: {}, ...(asked.get("capabilities") === "tools" ? {} : { serverResources: {} }) },
    { hostContext: { toolInfo: { tool }, theme: asked.get("theme") ?? "light", displayMode: "inline", availableDisplayModes: ["inline", "fullscreen"], platform: "web" } },
  );
  window.bridges.push(bridge);
  bridge.addEventListener("sizechange", ({ height }) => {
    if (height) iframe.style.height = `${height}px`;
  });
  bridge.onrequestdisplaymode = async ({ mode }) => ({ mode });
  const initialized = new Promise((resolve) => bridge.addEventListener("initialized", resolve));
  const ready = new Promise((resolve) => bridge.addEventListener("sandboxready", resolve));
  document.getElementById("conversation").append(iframe);
  await bridge.connect(new PostMessageTransport(iframe.contentWindow, iframe.contentWindow));
  iframe.src = `${asked.get("sandbox")}?csp=${encodeURIComponent(JSON.stringify(_meta?.ui?.csp ?? {}))}`;
  await ready;
  await bridge.sendSandboxResourceReady({ html: text, csp: _meta?.ui?.csp });
  await initialized;
  await bridge.sendToolInput({ arguments: input });
  const { _meta: meta, ...bare } = result;
  await bridge.sendToolResult(asked.get("meta") === "none" ? bare : result);
  window.last = { bridge, result };
  return number;
}

window.ready = true;
