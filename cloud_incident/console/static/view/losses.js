// What users lost as time passed: with what was done, with nothing done, and with the best repair begun at the first look.
//
// Drawn as SVG, since the MCP App draws it too, which a library for charts would make half as large again.

import { html, useWidth } from "./ui.js";

const LANES = [
  ["as_left", "your actions"],
  ["with_nothing_done", "nothing done"],
  ["with_the_best_repair", "best repair"],
];
const SIGNS = { effective: "✓", neutral: "–", wrong: "✗" };
const [LEFT, RIGHT, ROW, HIGH, FOOT] = [40, 16, 14, 150, 20];
const LETTER = 6.6;
const MINUTE = 60_000;

const clock = (time) => new Date(time).toISOString().slice(11, 16);
const percent = (share) => Number((share * 100).toFixed(1));

/** What happened, in time: when, a short name, what it was, and a class. */
function marksOf({ fault_at, page_at, first_look_at, ended_at, answered, remediations }) {
  const deeds = remediations.map(({ step, at, operation, target, verdict }) => [at, `${step} ${SIGNS[verdict]}`, `step ${step}: ${operation} ${target}, ${verdict}`, verdict]);
  return [
    [fault_at, "fault", "the fault began", "moment"],
    [page_at, "page", "the page fired", "page"],
    [first_look_at, "first look", "the first look", "moment"],
    ...deeds,
    [ended_at, answered ? "answer" : "end", answered ? "the answer" : "the steps ran out", "answer"],
  ].map(([at, name, said, kind]) => ({ time: Date.parse(at), name, said, kind }));
}

/**
 * The marks with their labels as flags: each right of its line, in a row from which on its line crosses no label.
 * What was before the first time that is drawn stands there, and says so.
 */
function placed(marks, x, right) {
  const ends = [];
  return marks.map((mark) => {
    const at = Math.max(x(mark.time), LEFT);
    const name = at > x(mark.time) ? `◂ ${mark.name}` : mark.name;
    const long = name.length * LETTER + 4;
    const flips = at + long > right;
    const row = ends.findLastIndex((end) => end > (flips ? at - long : at) - 2) + 1;
    ends[row] = flips ? at : at + long;
    return { ...mark, name, at, flips, row };
  });
}

/** The distance of the times below, so that they have room. */
const spacing = (span, width) => [5, 10, 15, 30, 60, 120].find((minutes) => (span / (minutes * MINUTE)) * 48 < width) ?? 240;

export function Losses({ curves }) {
  const [place, width] = useWidth();
  const lost = LANES.map(([lane, name]) => `${name} ${curves.minutes_lost[lane]} min`);
  const since = Date.parse(curves.since);
  const each = curves.minutes_each * MINUTE;
  return html`
    <h3>What users lost</h3>
    <p class="about">% of what users are worth that was not served, by the time in UTC; in all, in minutes in which nobody is served:</p>
    <ul class="legend">
      ${LANES.map(([lane], index) => html`<li class=${lane}><svg width="26" height="10" aria-hidden="true"><path d="M0 5H26" /></svg> ${lost[index]}</li>`)}
    </ul>
    <div class="losses" ref=${place}>${width ? html`<${Drawing} curves=${curves} since=${since} each=${each} width=${width} label="Share not served. Lost in all: ${lost.join(", ")}" />` : null}</div>
    <p class="about">✓ effective, – neutral, ✗ wrong; the best repair, begun at the first look: ${curves.best_repair.join(", ")}</p>
    <details>
      <summary>As a table</summary>
      <ul>${marksOf(curves).map(({ time, said }) => html`<li>${clock(time)} ${said}</li>`)}</ul>
      <div class="scroll tall" tabindex="0" role="group" aria-label="Share not served">
        <table>
          <thead><tr><th scope="col">%, from</th>${LANES.map(([, name]) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
          <tbody>${curves.as_left.map((_, index) => html`<tr><th scope="row">${clock(since + index * each)}</th>${LANES.map(([lane]) => html`<td class="number">${percent(curves[lane][index])}</td>`)}</tr>`)}</tbody>
        </table>
      </div>
    </details>
  `;
}

function Drawing({ curves, since, each, width, label }) {
  const span = curves.as_left.length * each;
  const right = width - RIGHT;
  const x = (time) => LEFT + ((time - since) / span) * (right - LEFT);
  const marks = placed(marksOf(curves), x, width);
  const top = ROW * Math.max(...marks.map(({ row }) => row + 1)) + 6;
  const most = Math.max(...LANES.flatMap(([lane]) => curves[lane]));
  const full = [0.05, 0.1, 0.2, 0.5, 1].find((level) => most <= level) ?? 1;
  const y = (share) => top + (1 - share / full) * HIGH;
  const step = spacing(span, right - LEFT) * MINUTE;
  const first = Math.ceil(since / step) * step;
  const times = Array.from({ length: Math.floor((since + span - first) / step) + 1 }, (_, index) => first + index * step);
  const points = (lane) => curves[lane].map((share, index) => `${x(since + (index + 0.5) * each).toFixed(1)},${y(share).toFixed(1)}`).join(" ");
  return html`
    <svg width=${width} height=${top + HIGH + FOOT} role="img" aria-label=${label}>
      ${[0, 0.25, 0.5, 0.75, 1].map((part) => html`<path class="level" d="M${LEFT} ${y(part * full)}H${right}" /><text x=${LEFT - 5} y=${y(part * full) + 4} text-anchor="end">${Number((part * full * 100).toFixed(2))} %</text>`)}
      ${times.map((time) => html`<text x=${x(time)} y=${top + HIGH + 15} text-anchor="middle">${clock(time)}</text>`)}
      ${marks.map(({ time, name, said, kind, at, flips, row }) => html`<g class=${kind}><title>${clock(time)} ${said}</title><path d="M${at} ${row * ROW + 2}V${top + HIGH}" /><text x=${at + (flips ? -3 : 3)} y=${row * ROW + 11} text-anchor=${flips ? "end" : "start"}>${name}</text></g>`)}
      ${LANES.map(([lane, name]) => html`<g class=${lane}><title>${name}</title><polyline points=${points(lane)} /></g>`)}
    </svg>
  `;
}
