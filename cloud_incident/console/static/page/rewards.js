// The reward as it grows: a bar for each step, up for what was earned and down for what was lost.

import { html, signed } from "../view/ui.js";

const [STEP, HIGH] = [14, 30];

export function Rewards({ frames, place, most }) {
  const steps = frames.slice(1, place + 1).map(({ step }) => step);
  const top = Math.max(0.1, ...steps.map(({ reward }) => Math.abs(reward)));
  const size = ({ reward }) => Math.max(1.5, (Math.abs(reward) / top) * (HIGH / 2 - 2));
  const said = steps.length ? steps.map((step) => signed(step.reward)).join(", ") : "none yet";
  return html`
    <svg class="rewards" width=${most * STEP} height=${HIGH} viewBox="0 0 ${most * STEP} ${HIGH}" role="img" aria-label="Rewards by step: ${said}">
      <line x1="0" x2=${most * STEP} y1=${HIGH / 2} y2=${HIGH / 2} />
      ${steps.map((step, at) => html`<rect class=${step.reward < 0 ? "lost" : "won"} x=${at * STEP + 2} width=${STEP - 4} y=${step.reward < 0 ? HIGH / 2 : HIGH / 2 - size(step)} height=${size(step)} />`)}
    </svg>
  `;
}
