// The public API of the server that the page came from.

/** What the server said of a request that it refused. */
export class Refusal extends Error {
  constructor(status, said) {
    super(said);
    this.status = status;
  }
}

async function answered(path, query, options) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== ""));
  const answer = await fetch(`${path}?${asked}`, options).catch(() => {
    throw new Refusal(0, "The server does not answer. Is it still running?");
  });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const { detail } = body;
  throw new Refusal(answer.status, typeof detail === "string" ? detail : (detail?.[0]?.msg ?? `The server answered ${answer.status}.`));
}

/** A name for an episode or a request that nobody else will think of. */
export const handle = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export const get = (path, query = {}) => answered(path, query, {});

export const post = (path, body, query = {}) =>
  answered(path, query, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const upload = (path, file, query = {}) =>
  answered(path, query, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: file });
