// The steps taken so far and what each of them earned.

import { told } from "./episode.js";
import { html, signed } from "./ui.js";

export function Steps({ frames }) {
  const taken = frames.filter((frame) => frame.step);
  if (!taken.length) return html`<p>No step has been taken yet.</p>`;
  return html`
    <ol class="steps">
      ${taken.map(({ step }) => {
        const { name, target } = told(step.action);
        const rest = Object.entries(step.action.parameters).filter(([, value]) => value !== target);
        return html`
          <li key=${step.step}>
            <span class="which">${step.step}.</span>
            <span><code>${name}</code> <b>${target}</b></span>
            <span class="number">${signed(step.reward)}</span>
            ${rest.length ? html`<details class="said"><summary>${rest.map(([key]) => key.replaceAll("_", " ")).join(", ")}</summary>${rest.map(([key, value]) => html`<p key=${key}>${value}</p>`)}</details>` : null}
            <span class="said">${step.feedback} ${step.error ? html`<span class="error">${step.error}</span>` : null}</span>
          </li>
        `;
      })}
    </ol>
  `;
}
