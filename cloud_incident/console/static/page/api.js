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
  if (answer.status === 401 && path !== "console/session") {
    location.replace(`login${location.hash}`);
    await new Promise(() => {}); // nothing more is done here
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const { detail } = body;
  throw new Refusal(answer.status, typeof detail === "string" ? detail : (detail?.[0]?.msg ?? `The server answered ${answer.status}.`));
}

/** A name for an episode or a request that nobody else will think of. */
export const handle = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

let asked;

/** For whom the page acts: `name`, `scopes`, and whether the server asks for `tokens` at all. */
export const session = () => (asked ??= get("console/session"));

/** A handle of one's own for a new episode: with a token it begins with one's name. */
export const ownHandle = async () => {
  const { name } = await session();
  return name ? `${name}.${handle()}` : handle();
};

/** Forget the token that the browser keeps. */
export const signOut = async () => {
  await answered("console/session", {}, { method: "DELETE" });
  location.replace("login");
};

export const get = (path, query = {}) => answered(path, query, {});

export const post = (path, body, query = {}) =>
  answered(path, query, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const upload = (path, file, query = {}) =>
  answered(path, query, { method: "POST", headers: { "Content-Type": "application/x-ndjson" }, body: file });
