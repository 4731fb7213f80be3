// Measuring: the last evaluations, what they found, and their reports.

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../view/ui.js";
import { get } from "./api.js";
import { useWorn } from "./theme.js";

export function Measure({ query }) {
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    get("console/evaluations").then(({ evaluations }) => setFound(evaluations), (refusal) => setProblem(refusal.message));
  }, []);
  const chosen = found?.find(({ name }) => name === query.evaluation) ?? found?.[0];
  return html`
    <div class="measure">
      <h1>Measure</h1>
      <p class="problem" role="alert">${problem}</p>
      ${found ? null : problem ? null : html`<p class="waiting" role="status">Loading …</p>`}
      ${found && !found.length ? html`<${None} />` : null}
      ${chosen
        ? html`
            <nav class="runs" aria-label="Evaluations">
              ${found.map(
                (one) => html`<a key=${one.name} href="#/measure?evaluation=${encodeURIComponent(one.name)}" aria-current=${one === chosen ? "true" : null}>${one.name} <small>${one.modified.slice(0, 16).replace("T", " ")}</small></a>`,
              )}
            </nav>
            <${Evaluation} key=${chosen.name} ...${chosen} />
          `
        : null}
    </div>
  `;
}

const MOST_FAILURES = 50;
const MOST_VALUES = 6;

/** The first few values, and how many more there are. */
const shorten = (values) =>
  values.slice(0, MOST_VALUES).join(", ") + (values.length > MOST_VALUES ? ` and ${values.length - MOST_VALUES} more` : "");

const None = () => html`
  <div class="panel">
    <p>No evaluation has been stored where this server looks for them.</p>
    <pre tabindex="0"><code>cloud-incident evaluate --agent responder --agent novice</code></pre>
    <p class="quiet">It plays agents on incidents and stores every step; then their scores are shown here.</p>
  </div>
`;

function Evaluation({ name, modified, episodes, scenarios, failures, origin, agents, problem }) {
  if (problem) return html`<p class="problem">${problem}</p>`;
  const tasks = [...new Map(agents.flatMap((one) => one.tasks).map((task) => [task.task_id, task])).values()];
  return html`
    <section class="panel" aria-label="Evaluation ${name}">
      <h2>${name} <small>${episodes} episodes on ${scenarios} scenarios, ${failures.length} failed, last written ${modified.slice(0, 16).replace("T", " ")} UTC</small></h2>
      <p class="quiet">${Object.entries(origin).map(([what, values]) => `${what} ${shorten(values)}`).join("; ")}</p>
      <div class="scroll" tabindex="0" role="group" aria-label="Scores">
        <table class="scores">
          <caption class="quiet">Mean scores with intervals of 95 %</caption>
          <thead>
            <tr><th scope="col">Agent</th><th scope="col">All tasks</th>${tasks.map((task) => html`<th scope="col" key=${task.task_id}>${task.title}</th>`)}<th scope="col" class="number">Failed</th><th scope="col" class="number">Episodes</th></tr>
          </thead>
          <tbody>
            ${agents.map(
              (agent) => html`
                <tr key=${agent.agent}>
                  <th scope="row">${agent.rank}. ${agent.agent}</th>
                  <td><${Interval} ...${agent.score} /></td>
                  ${tasks.map(({ task_id }) => html`<td key=${task_id}><${Interval} ...${agent.tasks.find((one) => one.task_id === task_id)?.score} /></td>`)}
                  <td class="number">${agent.failed}</td>
                  <td class="number">${agent.episodes}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
      ${failures.length
        ? html`<details><summary>${failures.length} failed and are in no mean</summary><ul>${failures.slice(0, MOST_FAILURES).map((one) => html`<li key=${one.key}>${one.key}: ${one.reason}</li>`)}</ul></details>`
        : null}
    </section>
    <section aria-label="Report">
      <p><a href="console/evaluations/${encodeURIComponent(name)}">The whole report, as a page of its own</a></p>
      <${Report} name=${name} />
    </section>
  `;
}

/** The report, as light or dark as the page around it. */
function Report({ name }) {
  const frame = useRef();
  const worn = useWorn();
  const wear = () => {
    const page = frame.current.contentDocument?.documentElement;
    if (page) page.dataset.theme = document.documentElement.dataset.theme ?? "";
  };
  useEffect(wear, [worn]);
  return html`<iframe class="report" title="Report of ${name}" src="console/evaluations/${encodeURIComponent(name)}" ref=${frame} onLoad=${wear}></iframe>`;
}

const [WIDE, HIGH] = [120, 14];

/** A mean from 0 to 1 and its interval, as a figure and as a bar. */
function Interval({ mean, low, high }) {
  if (mean === undefined) return html`<span class="quiet">none</span>`;
  const known = low !== null && low !== undefined;
  return html`
    <span class="interval">
      <span class="number">${mean.toFixed(2)}${known ? html` <small>${low.toFixed(2)} to ${high.toFixed(2)}</small>` : null}</span>
      <svg width=${WIDE} height=${HIGH} viewBox="0 0 ${WIDE} ${HIGH}" aria-hidden="true">
        <rect class="rail" width=${WIDE} height="4" y="5" rx="2" /><rect class="mean" width=${mean * WIDE} height="4" y="5" rx="2" />
        ${known ? html`<line x1=${low * WIDE} x2=${high * WIDE} y1="7" y2="7" /><line x1=${low * WIDE} x2=${low * WIDE} y1="3" y2="11" /><line x1=${high * WIDE} x2=${high * WIDE} y1="3" y2="11" />` : null}
      </svg>
    </span>
  `;
}
