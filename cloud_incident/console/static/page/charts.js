// Metrics as charts: recent samples, the normal value dashed, the onset marked.

import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";

import { onsetOf } from "../view/evidence.js";
import { html, short, useWidth } from "../view/ui.js";
import { useWorn } from "./theme.js";

const HIGH = 116;
const NARROWEST = 250;

/** A colour of the style sheet as the canvas needs it: light or dark is decided by then. */
function resolved(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function MetricCharts({ as_of, step_minutes, series }) {
  const [panel, width] = useWidth();
  const columns = Math.max(1, Math.floor(width / NARROWEST));
  const each = Math.floor((width - (columns - 1) * 14) / columns);
  return html`
    <p class="about">as of ${as_of}, one sample per ${step_minutes} min; dashed: the normal value; upright: since when it is away from it</p>
    <ul class="charts" ref=${panel}>
      ${width ? series.map((one) => html`<${Chart} key=${one.name} ...${one} as_of=${as_of} step=${step_minutes} width=${each} />`) : null}
    </ul>
    <details>
      <summary>As a table</summary>
      <div class="scroll" tabindex="0" role="group" aria-label="Metrics">
        <table>
          <thead><tr><th scope="col">Metric</th><th scope="col">Unit</th><th scope="col" class="number">Normal</th><th scope="col">Samples, oldest first</th></tr></thead>
          <tbody>${series.map((one) => html`<tr key=${one.name}><th scope="row"><code>${one.name}</code></th><td>${one.unit}</td><td class="number">${one.normal === null ? "" : short(one.normal)}</td><td class="number">${one.recent.map(short).join("  ")}</td></tr>`)}</tbody>
        </table>
      </div>
    </details>
  `;
}

function Chart({ name, unit, normal, recent, as_of, step, width }) {
  const place = useRef();
  const worn = useWorn();
  const onset = normal === null ? 0 : onsetOf(recent, normal);
  useEffect(() => {
    const end = Date.parse(as_of) / 1000;
    const times = recent.map((_, index) => end - (recent.length - 1 - index) * step * 60);
    const colours = Object.fromEntries(["accent", "quiet", "edge", "danger"].map((one) => [one, resolved(one)]));
    const axis = { stroke: colours.quiet, grid: { stroke: colours.edge, width: 0.5 }, ticks: { show: false }, font: "11px system-ui" };
    const chart = new uPlot(
      {
        width,
        height: HIGH,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
        axes: [{ ...axis, values: (_, ticks) => ticks.map((one) => new Date(one * 1000).toISOString().slice(11, 16)), space: 60, size: 24 }, { ...axis, size: 46, space: 26 }],
        series: [{}, { stroke: colours.accent, width: 2, points: { show: true, size: 4 } }, { stroke: colours.quiet, dash: [4, 4], width: 1.25, points: { show: false } }],
        hooks: { draw: [(drawn) => onset && mark(drawn, times[onset], colours.danger)] },
      },
      [times, recent, recent.map(() => normal)],
      place.current,
    );
    return () => chart.destroy();
  }, [width, as_of, name, worn]);
  return html`
    <li>
      <p><code>${name}</code></p>
      <p><strong>${short(recent.at(-1))}</strong> ${unit} <span class="usual">${normal === null ? "" : `normal ${short(normal)}`}</span></p>
      <div ref=${place} role="img" aria-label="${name}: ${recent.map(short).join(", ")} ${unit}"></div>
    </li>
  `;
}

function mark(chart, time, colour) {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(time, "x", true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
