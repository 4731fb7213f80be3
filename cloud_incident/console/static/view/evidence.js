// Evidence of the five kinds, each drawn in its own way.

import { useState } from "preact/hooks";

import { Health, html, short } from "./ui.js";

export function Evidence({ shown }) {
  const Kind = KINDS[shown.action] ?? Plain;
  return html`<${Kind} key="${shown.step}" ...${shown.evidence} />`;
}

const ALARMED = /\b(fatal|panic|crit(ical)?|emerg(ency)?|severe|error|err)\b|HTTP\/[\d.]+" 5\d\d/i;
const WARNED = /\b(warn(ing)?)\b|HTTP\/[\d.]+" 4\d\d/i;
const LEVEL = /\b(fatal|panic|emergency|emerg|critical|crit|severe|error|err|warning|warn|notice|info|log|debug|trace|detail)\b/i;

const PINO = { 30: "info", 40: "warn", 50: "error", 60: "fatal" };

/** How loud a log line is, by the level that it prints or the status that it answers. */
function loudness(line) {
  const level = PINO[/"level":(\d\d)\b/.exec(line)?.[1]] ?? LEVEL.exec(line)?.[0] ?? "";
  if (ALARMED.test(level) || /HTTP\/[\d.]+" 5\d\d/.test(line)) return "error";
  return WARNED.test(level) ? "warning" : "";
}

function Logs({ service, as_of, window_minutes, lines }) {
  const [sought, seek] = useState("");
  const [loudOnly, setLoudOnly] = useState(false);
  const kept = lines
    .map((line, number) => ({ line, number, level: loudness(line) }))
    .filter(({ line, level }) => line.toLowerCase().includes(sought.toLowerCase()) && (level || !loudOnly));
  return html`
    <p class="about">last ${window_minutes} minutes to ${as_of}, ${lines.length} lines</p>
    <div class="tools">
      <label>Search <input type="search" value=${sought} onInput=${(event) => seek(event.target.value)} /></label>
      <label><input type="checkbox" checked=${loudOnly} onChange=${(event) => setLoudOnly(event.target.checked)} /> warnings and errors only</label>
      <span role="status">${kept.length} of ${lines.length}</span>
    </div>
    <div class="scroll tall" tabindex="0" role="group" aria-label="Log lines of ${service}">
      <ol class="log">
        ${kept.map(({ line, number, level }) => html`<li key=${number} class=${level}>${level ? html`<b>${level === "error" ? "E" : "W"}</b>` : html`<b aria-hidden="true"> </b>`}<code>${line}</code></li>`)}
      </ol>
      ${kept.length ? null : html`<p>No such line.</p>`}
    </div>
  `;
}

const [WIDE, HIGH] = [150, 40];

/** The first of the samples from which on all are away from normal as the last one is; 0 where none is or all are. */
export function onsetOf(recent, normal) {
  const away = recent.map((value) => Math.abs(value - normal));
  if (away.at(-1) <= Math.abs(normal) / 4) return 0;
  return away.findLastIndex((distance) => distance < away.at(-1) / 2) + 1;
}

/** Samples as a line from zero, the normal value dashed, the onset marked. */
function Spark({ recent, normal, onset }) {
  const [low, top] = [Math.min(0, ...recent, normal), Math.max(...recent, normal)];
  const y = (value) => (top === low ? HIGH / 2 : HIGH - 4 - ((value - low) / (top - low)) * (HIGH - 8));
  const x = (index) => 4 + (index / (recent.length - 1)) * (WIDE - 8);
  const points = recent.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return html`
    <svg class="spark" width=${WIDE} height=${HIGH} viewBox="0 0 ${WIDE} ${HIGH}" role="img" aria-label="samples: ${recent.map(short).join(", ")}">
      <line class="normal" x1="0" x2=${WIDE} y1=${y(normal)} y2=${y(normal)} />
      ${onset ? html`<line class="onset" x1=${x(onset)} x2=${x(onset)} y1="0" y2=${HIGH} />` : null}
      <polyline points=${points} />
      <circle cx=${x(recent.length - 1)} cy=${y(recent.at(-1))} r="3" />
    </svg>
  `;
}

/** A time of day so many minutes before a moment. */
const before = (moment, minutes) => new Date(Date.parse(moment) - minutes * 60_000).toISOString().slice(11, 16);

function Metric({ name, unit, normal, recent, as_of, step_minutes }) {
  const onset = onsetOf(recent, normal);
  return html`
    <li>
      <code>${name}</code>
      <span class="now"><strong>${short(recent.at(-1))}</strong> ${unit}</span>
      <span class="usual">normal ${short(normal)}${onset ? html`, <span class="since">away since ${before(as_of, (recent.length - 1 - onset) * step_minutes)}</span>` : null}</span>
      <${Spark} recent=${recent} normal=${normal} onset=${onset} />
    </li>
  `;
}

const Metrics = ({ as_of, step_minutes, series }) => html`
  <p class="about">as of ${as_of}, one sample per ${step_minutes} min; dashed: the normal value; upright: since when it is away from it</p>
  <ul class="metrics">${series.map((one) => html`<${Metric} key=${one.name} ...${one} as_of=${as_of} step_minutes=${step_minutes} />`)}</ul>
`;

const Paths = ({ heading, paths }) => html`
  <h3>${heading}</h3>
  ${paths.length
    ? html`<ul class="paths">${paths.map((path) => html`<li key=${path.service}><span>${path.service}</span> <${Health} health=${path.health} /> <small>${path.detail}</small></li>`)}</ul>`
    : html`<p>Nothing.</p>`}
`;

const Dependencies = ({ as_of, calls, called_by }) => html`
  <p class="about">as of ${as_of}; the map has them as lines</p>
  <div class="halves">
    <section><${Paths} heading="Calls" paths=${calls} /></section>
    <section><${Paths} heading="Called by" paths=${called_by} /></section>
  </div>
`;

const Deploys = ({ as_of, history }) => html`
  <p class="about">as of ${as_of}, newest first</p>
  ${history.length
    ? html`<ol class="changes">${history.map(
        (change) => html`<li><time>${change.at}</time> <b>${change.kind}</b> <code>${change.version}</code> by ${change.by}<p>${change.note}</p></li>`,
      )}</ol>`
    : html`<p>No changes in the last 14 days.</p>`}
`;

function Status({ as_of, about, team, state, replicas, version, uptime, restarts, flags, runbooks, notes }) {
  const rows = [
    ["About", about],
    ["Owner", team],
    ["State", state],
    ["Replicas ready", replicas],
    ["Version", version],
    ["Uptime", uptime],
    ["Restarts", restarts],
    ...flags.map(([name, value]) => ["Flag", `${name} = ${value}`]),
    ...runbooks.map((step) => ["Runbook", step]),
    ...notes.map((note) => ["Note", note]),
  ];
  return html`
    <p class="about">as of ${as_of}</p>
    <dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
  `;
}

const Plain = (evidence) => html`<pre class="scroll tall" tabindex="0">${JSON.stringify(evidence, null, 2)}</pre>`;

const KINDS = {
  query_logs: Logs,
  check_metrics: Metrics,
  check_dependencies: Dependencies,
  check_recent_deploys: Deploys,
  check_service_status: Status,
};
