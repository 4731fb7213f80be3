// The end: the score with every point given or withheld, what had happened, and what would have been perfect.

import { Losses } from "./losses.js";
import { html } from "./ui.js";

const MOST_EXPLANATIONS = 5;

const percent = (part, most) => `${Math.max(0, Math.min(100, most ? (part / most) * 100 : 0))}%`;

export const Score = ({ grade, debrief, services, beside = null }) => html`
  <p class="score"><strong>${grade.score.toFixed(2)}</strong> of 1.00</p>
  ${beside}
  <ul class="points">
    ${grade.breakdown.map(
      (point) => html`
        <li key=${point.name}>
          <span class="name">${point.name}</span>
          <span class="number">${point.points.toFixed(2)}${point.most ? ` of ${point.most.toFixed(2)}` : ""}</span>
          <span class="bar" aria-hidden="true"><i style="width:${percent(point.points, point.most)}"></i></span>
          <span class="reason">${point.reason}</span>
        </li>
      `,
    )}
  </ul>
  ${debrief.review?.curves ? html`<${Losses} curves=${debrief.review.curves} />` : null}
  <h3>What happened</h3>
  <p>Severity ${debrief.severity}; it started in <b>${debrief.root_cause}</b>${debrief.second_cause ? html`, and beside it in <b>${debrief.second_cause}</b>` : null}.</p>
  <ol class="chain">${debrief.causal_chain.map((sentence) => html`<li><${Marked} text=${sentence} services=${services} /></li>`)}</ol>
  ${debrief.beside ? html`<h3>Beside it, and not part of it</h3><ul>${debrief.beside.map((aside) => html`<li><b>${aside.service}</b>: ${aside.text}</li>`)}</ul>` : null}
  ${debrief.changes ? html`<h3>Changed and harmless, of what was looked at</h3><ul>${debrief.changes.map((aside) => html`<li><b>${aside.service}</b>: ${aside.text}</li>`)}</ul>` : null}
  ${debrief.harms.length ? html`<h3>Harm done</h3><ul>${debrief.harms.map((harm) => html`<li>${harm}</li>`)}</ul>` : null}
  ${debrief.evidence.length ? html`<h3>Evidence that shows the cause</h3><ul>${debrief.evidence.map((item) => html`<li>${item.action} <b>${item.service}</b></li>`)}</ul>` : null}
  ${debrief.evidence_later ? html`<h3>Evidence that shows the second cause when the first is repaired</h3><ul>${debrief.evidence_later.map((item) => html`<li>${item.action} <b>${item.service}</b></li>`)}</ul>` : null}
  ${debrief.plan.length ? html`<h3>The plan</h3><ol>${debrief.plan.map((step) => html`<li>${step}</li>`)}</ol>` : null}
  ${debrief.nothing_to_repair ? html`<p>Nothing was to be repaired. ${debrief.nothing_to_repair}</p>` : null}
  ${debrief.review ? html`<${Review} review=${debrief.review} />` : null}
`;

/** What each step told or did, and which explanations were left. */
const Review = ({ review }) => html`
  ${review.steps.length ? html`<h3>Step by step</h3><ol class="review">${review.steps.map((step) => html`<li value=${step.step}>${step.action}: ${step.text}</li>`)}</ol>` : null}
  ${review.explanations.length
    ? html`
        <h3>Also possible by what was seen${review.decided_at ? ` before step ${review.decided_at}` : ""}</h3>
        <ul>
          ${review.explanations
            .slice(0, MOST_EXPLANATIONS)
            .map((left) => html`<li>${left.service ? html`<b>${left.service}</b>: ` : null}${left.failure} (${left.ruled_out_by.action} <b>${left.ruled_out_by.service}</b> would have ruled it out)</li>`)}
          ${review.explanations.length > MOST_EXPLANATIONS ? html`<li>and ${review.explanations.length - MOST_EXPLANATIONS} more</li>` : null}
        </ul>
      `
    : null}
`;

/** A sentence with the services in it set off. */
function Marked({ text, services }) {
  const names = new RegExp(`(?<![\\w-])(${services.map((name) => name.replace(/[^\w-]/g, "\\$&")).join("|")})(?![\\w-])`);
  return text.split(names).map((part, index) => (index % 2 ? html`<b>${part}</b>` : part));
}
