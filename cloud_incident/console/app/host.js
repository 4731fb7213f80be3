// The client that shows this page, as MCP Apps (2026-01-26) has it: JSON-RPC 2.0 over postMessage.

const PROTOCOL_VERSION = "2026-01-26";
const METHOD_NOT_FOUND = -32601;

export class Host {
  /** @param notified what to do on a notification, by its method */
  constructor(notified) {
    this.notified = notified;
    this.waiting = new Map();
    this.calls = 0;
    this.capabilities = {};
    this.context = {};
    window.addEventListener("message", (event) => {
      if (event.source === window.parent && event.data?.jsonrpc === "2.0") this.#receive(event.data);
    });
  }

  /** Introduce the page. Nothing may be asked before this is answered. */
  async greet(appInfo) {
    const { hostCapabilities, hostContext } = await this.request("ui/initialize", {
      appInfo,
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
      protocolVersion: PROTOCOL_VERSION,
    });
    this.capabilities = hostCapabilities ?? {};
    this.context = hostContext ?? {};
    this.notify("ui/notifications/initialized", {});
  }

  request(method, params) {
    const id = ++this.calls;
    this.#send({ id, method, params });
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  notify(method, params) {
    this.#send({ method, params });
  }

  /** Tell the host how high the page is, now and whenever that changes. What it returns looks at once: a page out of sight
   * is not laid out, and so not observed, and should have its height before it comes into sight. */
  followHeight(element) {
    let told = 0;
    const tell = () => {
      const height = Math.ceil(element.getBoundingClientRect().height);
      if (height !== told) this.notify("ui/notifications/size-changed", { height: (told = height) });
    };
    new ResizeObserver(tell).observe(element);
    return tell;
  }

  #send(message) {
    // Whose page this is within cannot be known; nothing in it is for one origin alone.
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  }

  #receive(message) {
    if (message.method === undefined) {
      const caller = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.error) caller?.reject(new Error(message.error.message));
      else caller?.resolve(message.result);
    } else if (message.id === undefined) {
      this.notified[message.method]?.(message.params ?? {});
    } else if (message.method === "ping" || message.method === "ui/resource-teardown") {
      this.#send({ id: message.id, result: {} });
    } else {
      this.#send({ id: message.id, error: { code: METHOD_NOT_FOUND, message: `No method ${message.method}` } });
    }
  }
}
