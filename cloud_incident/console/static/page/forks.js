// What if: an episode that is over is played on from one of its steps, as an episode of its own beside it.

import { useEffect, useState } from "preact/hooks";

import { html, signed } from "../view/ui.js";
import { get, handle, post } from "./api.js";

/** What the address says of a fork: how many steps it took over, and the address of its original. */
export function originOf({ after, from }) {
  const episode_id = from && new URLSearchParams(from).get("episode_id");
  return episode_id ? { episode_id, after: Number(after) || 0, address: `#/work?${from}` } : null;
}

/** The address of a new fork of the episode that `query` shows, with its first `after` steps. */
export async function forked(query, after) {
  const { observation } = await post("fork", { episode_id: query.episode_id, after, fork_id: handle() });
  return `#/work?${new URLSearchParams({ episode_id: observation.episode_id, after, from: new URLSearchParams(query) })}`;
}

const counted = (steps) => (steps === 1 ? "The first step was" : `The first ${steps} steps were`);

export const Origin = ({ origin: { after, address } }) => html`
  <p class="whatif">
    <strong>What if</strong>
    <span>${after ? `${counted(after)} taken over from ` : "It begins where "}<a href=${address}>the original</a>${after ? "" : " began"}. From step ${after + 1} on it is yours; the original stays as it is.</span>
  </p>
`;

/** The grade of a fork beside that of its original, point by point. */
export function Compared({ origin, grade }) {
  const [original, setOriginal] = useState(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    get("grader", { episode_id: origin.episode_id }).then(setOriginal, (refusal) => setProblem(refusal.message));
  }, []);
  if (problem) return html`<p class="quiet" role="status">There is nothing to compare with any more: ${problem}</p>`;
  if (!original) return html`<p class="quiet" role="status">Looking up the original …</p>`;
  if (!original.done) return html`<p class="quiet" role="status"><a href=${origin.address}>The original</a> is not over yet.</p>`;
  const before = new Map(original.breakdown.map((point) => [point.name, point.points]));
  const after = new Map(grade.breakdown.map((point) => [point.name, point.points]));
  const names = [...new Set([...after.keys(), ...before.keys()])];
  return html`
    <table class="compared">
      <caption class="quiet">Beside <a href=${origin.address}>the original</a></caption>
      <thead><tr><th scope="col"><span class="hidden">Point</span></th><th scope="col" class="number">original</th><th scope="col" class="number">what if</th><th scope="col" class="number">change</th></tr></thead>
      <tbody>${names.map((name) => html`<${Row} key=${name} name=${name} before=${before.get(name) ?? 0} after=${after.get(name) ?? 0} />`)}</tbody>
      <tfoot><${Row} name="Score" before=${original.score} after=${grade.score} /></tfoot>
    </table>
  `;
}

function Row({ name, before, after }) {
  const change = Math.round((after - before) * 100) / 100;
  const said = change ? html`<span class=${change < 0 ? "lost" : "won"}>${signed(change)}</span>` : html`<span class="quiet">same</span>`;
  return html`<tr><th scope="row">${name}</th><td class="number">${before.toFixed(2)}</td><td class="number">${after.toFixed(2)}</td><td class="number">${said}</td></tr>`;
}
