// The alert, as a pager tells it.

import { html } from "./ui.js";

export const Alert = ({ observation: { alert, incident_summary, task_id } }) => html`
  <article class="pager">
    <p><b class="severity">${alert.severity}</b> firing since <time>${alert.fired_at}</time> · ${task_id.replaceAll("_", " ")}</p>
    <h2>${alert.summary}</h2>
    <p>${alert.description}</p>
    <ul>${alert.symptoms.map((symptom) => html`<li>${symptom}</li>`)}</ul>
    <p>Affected: <b>${alert.affected_services.join(", ")}</b></p>
    <p class="labels">${Object.entries(alert.labels).map(([name, value]) => html`<code>${name}=${value}</code> `)}</p>
    <h3>The situation</h3>
    <p>${incident_summary}</p>
  </article>
`;
