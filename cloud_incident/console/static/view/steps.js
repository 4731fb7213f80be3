// The steps taken so far and what each of them earned.

import { told } from "./episode.js";
import { html, signed } from "./ui.js";

/** With `fork` each step has a button that calls it with the number of steps before; the first `given` were another's. */
export function Steps({ frames, given = 0, fork = null, busy = false }) {
  const taken = frames.filter((frame) => frame.step);
  if (!taken.length) return html`<p>No step has been taken yet.</p>`;
  return html`
    <ol class="steps">
      ${taken.map(({ step }) => {
        const { name, target } = told(step.action);
        const rest = Object.entries(step.action.parameters).filter(([, value]) => value !== target);
        return html`
          <li key=${step.step} class=${step.step <= given ? "given" : ""}>
            <span class="which">${step.step}.</span>
            <span><code>${name}</code> <b>${target}</b></span>
            <span class="number">${signed(step.reward)}</span>
            ${rest.length ? html`<details class="said"><summary>${rest.map(([key]) => key.replaceAll("_", " ")).join(", ")}</summary>${rest.map(([key, value]) => html`<p key=${key}>${value}</p>`)}</details>` : null}
            <span class="said">${step.feedback} ${step.error ? html`<span class="error">${step.error}</span>` : null}</span>
            ${fork ? html`<button class="fork" disabled=${busy} aria-label="Play on from here instead of step ${step.step}" onClick=${() => fork(step.step - 1)}><span aria-hidden="true">↳</span> Play on from here instead</button>` : null}
          </li>
        `;
      })}
    </ol>
  `;
}
