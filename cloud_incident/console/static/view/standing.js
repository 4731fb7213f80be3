// Where an episode stands: its budget, what it has earned, what the last step did, and which moment is looked at.

import { numberOf, told } from "./episode.js";
import { html, signed } from "./ui.js";

export const Standing = ({ observation, grade }) => html`
  <ul>
    <li>
      <span>Step ${observation.step_count} of ${observation.max_steps}</span>
      <span class="bar" aria-hidden="true"><i style="width:${(observation.step_count / observation.max_steps) * 100}%"></i></span>
    </li>
    <li>Reward <b>${signed(observation.cumulative_reward)}</b></li>
    ${grade ? html`<li>Score <b>${grade.score.toFixed(2)}</b></li>` : null}
  </ul>
`;

export function LastStep({ step, note }) {
  const { name, target } = told(step.action);
  return html`
    <p class="step">
      <code>${name}</code> ${target ? html`<b>${target}</b> ` : null}${step.feedback}
      ${step.error ? html`<span class="error"> ${step.error}</span>` : null}
      ${note ? html`<q>${note}</q>` : null}
    </p>
  `;
}

export function Scrubber({ frames, place, goTo }) {
  const last = frames.length - 1;
  return html`
    <label class="scrubber">
      <span>Moment</span>
      <input type="range" min="0" max=${last} value=${place} aria-valuetext="after step ${numberOf(frames[place])}"
        onInput=${(event) => goTo(Number(event.target.value))} />
      <output>${numberOf(frames[place])}</output>
    </label>
  `;
}
