// The service map: what queries have shown, laid out by their calls; after the end the causal chain on it.

import dagre from "@dagrejs/dagre";
import { useMemo } from "preact/hooks";

import { chainOf, healthOf } from "./episode.js";
import { Health, SIGNS, html } from "./ui.js";

const HIGH = 44;
const GAP = 16;
const LETTER = 7.3; // the width of a letter of the map's type, in its units
const widthOf = (name) => Math.max(118, Math.ceil(name.length * LETTER) + 34);

export function ServiceMap({ frame, chosen, choose, width }) {
  const { services, calls } = frame.service_map;
  const chain = useMemo(() => chainOf(frame), [frame]);
  const layout = useMemo(() => laidOut(services, calls, causesOf(chain, frame.debrief?.root_cause), width), [frame, width]);
  const looks = services.filter((service) => service.queried.length).length;
  const label = `Service map: ${services.length} services, ${looks} queried, ${calls.length} calls known`;
  return html`
    <figure class="map">
      <div class="scroll" tabindex="0" role="group" aria-label=${label}>
        <svg width=${layout.width} height=${layout.height} viewBox="0 0 ${layout.width} ${layout.height}">
          <defs>
            ${[...Object.keys(SIGNS), "cause"].map(
              (health) => html`
                <marker id="to-${health}" class="arrow ${health}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth=${health === "cause" ? 12 : 9}
                  markerHeight=${health === "cause" ? 12 : 9} orient="auto"><path d="M0 0 8 4 0 8z" /></marker>
              `,
            )}
          </defs>
          ${layout.causes.map((cause) => html`<${Line} key="${cause.from} ${cause.to} cause" ...${cause} kind="cause" said="led to trouble in" />`)}
          ${layout.calls.map((call) => html`<${Line} key="${call.from} ${call.to}" ...${call} kind=${call.health} said="calls, ${call.health}," />`)}
          ${layout.nodes.map(
            (node) => html`
              <${Node} key=${node.name} ...${node} health=${healthOf(node.name, calls)} chain=${chain.get(node.name)}
                root=${frame.debrief?.root_cause === node.name} chosen=${chosen === node.name} choose=${choose} />
            `,
          )}
        </svg>
      </div>
      <figcaption>
        ${calls.length ? null : html`<p>No calls are known; dependencies show them.</p>`}
        <ul class="legend">
          <li><span class="key alerting" aria-hidden="true">!</span> named by the alert</li>
          <li><span class="key queried" aria-hidden="true">✓</span> queried</li>
          ${calls.length ? [...new Set(calls.map((call) => call.health))].map((health) => html`<li><${Health} health=${health} /></li>`) : null}
          ${chain.size ? html`<li><span class="key chain" aria-hidden="true">➜</span> the causal chain, with the numbers of its sentences</li>` : null}
          ${frame.debrief ? html`<li><span class="key root" aria-hidden="true">★</span> where it started</li>` : null}
        </ul>
      </figcaption>
    </figure>
  `;
}

/** Services in words, for whoever does not see the map. */
export const ServiceTable = ({ frame }) => html`
  <details>
    <summary>Services as a list</summary>
    <div class="scroll" tabindex="0" role="group" aria-label="Services">
      <table>
        <thead><tr><th scope="col">Service</th><th scope="col">Alert</th><th scope="col">State</th><th scope="col">Queried</th><th scope="col">Calls</th></tr></thead>
        <tbody>
          ${frame.service_map.services.map(
            (service) => html`
              <tr key=${service.name}>
                <th scope="row">${service.name}</th>
                <td>${service.alerting ? "alerting" : ""}</td>
                <td>${service.state ?? ""}</td>
                <td>${service.queried.join(", ")}</td>
                <td>${frame.service_map.calls.filter((call) => call.from === service.name).map((call) => `${call.to} (${call.health})`).join(", ")}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  </details>
`;

function Node({ name, x, y, width, alerting, queried, state, health, chain, root, chosen, choose }) {
  const marks = [
    alerting && "named by the alert",
    health && `calls to it ${health}`,
    queried.length ? `queried: ${queried.join(", ")}` : "not queried",
    state && `state: ${state}`,
    chain && `in the causal chain at ${chain.join(", ")}`,
    root && "where it started",
  ].filter(Boolean);
  const pressed = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(name);
  };
  const under = root ? "started here" : chain ? `chain ${chain.join(", ")}` : alerting ? "alerting" : queried.length ? `${queried.length} of 5 looked at` : "not looked at";
  return html`
    <g class="node ${health ?? ""} ${alerting ? "alerting" : ""} ${queried.length ? "queried" : ""} ${root ? "root" : ""} ${chain ? "chain" : ""}"
      transform="translate(${x} ${y})" role="button" tabindex="0" aria-pressed=${chosen} aria-label="${name} ${under}: ${marks.join("; ")}"
      onClick=${() => choose(name)} onKeyDown=${pressed}>
      <rect width=${width} height=${HIGH} rx="6" />
      <text class="sign" x="11" y="18" aria-hidden="true">${root ? "★" : health ? SIGNS[health] : alerting ? "!" : "○"}</text>
      <text class="name" x="25" y="18">${name}</text>${" "}
      <text class="under" x="25" y="34">${under}</text>
      ${queried.length ? html`<text class="tick" aria-hidden="true" x=${width - 14} y="34">✓</text>` : null}
    </g>
  `;
}

function Line({ from, to, kind, said, points }) {
  const line = points.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return html`<path class="line ${kind}" d=${line} marker-end="url(#to-${kind})"><title>${from} ${said} ${to}</title></path>`;
}

/** From what each sentence of the causal chain names first to what the next such sentence names first. */
function causesOf(chain, root) {
  const first = [...chain].map(([name, [number]]) => [name === root ? 0 : number, name]);
  const moments = [...new Set(first.map(([number]) => number))].sort((one, other) => one - other);
  const named = moments.map((moment) => first.filter(([number]) => number === moment).map(([, name]) => name));
  return named.slice(1).flatMap((after, index) => after.map((to) => ({ from: named[index][0], to })));
}

/** Where everything stands: connected services in layers, callers first, the others in rows below. In CSS pixels. */
function laidOut(services, calls, causes, width) {
  const linked = new Set([...calls, ...causes].flatMap(({ from, to }) => [from, to]));
  const graph = new dagre.graphlib.Graph()
    .setGraph({ rankdir: "LR", nodesep: 14, ranksep: width < 560 ? 28 : 46, marginx: 4, marginy: 4 })
    .setDefaultEdgeLabel(() => ({}));
  for (const { name } of services) if (linked.has(name)) graph.setNode(name, { width: widthOf(name), height: HIGH });
  for (const { from, to } of calls) graph.setEdge(from, to);
  // Trouble goes from the called to the caller: a cause that no call is known for is laid out as if it were called.
  for (const { from, to } of causes) if (!graph.hasEdge(from, to) && !graph.hasEdge(to, from)) graph.setEdge(to, from);
  if (linked.size) dagre.layout(graph);
  const { width: wide = 0, height: high = 0 } = linked.size ? graph.graph() : {};

  const nodes = [];
  let [x, y, reached] = [4, linked.size ? high + GAP : 4, wide];
  for (const service of services) {
    const own = widthOf(service.name);
    if (linked.has(service.name)) {
      const placed = graph.node(service.name);
      nodes.push({ ...service, width: own, x: placed.x - own / 2, y: placed.y - HIGH / 2 });
      continue;
    }
    if (x > 4 && x + own > width - 4) [x, y] = [4, y + HIGH + GAP];
    nodes.push({ ...service, width: own, x, y });
    x += own + GAP;
    reached = Math.max(reached, x - GAP + 4);
  }
  const bottom = Math.max(high, ...nodes.map((node) => node.y + HIGH + 4));
  const way = ({ from, to }) => graph.edge(from, to)?.points ?? graph.edge(to, from).points.toReversed();
  return {
    nodes,
    calls: calls.map((call) => ({ ...call, points: way(call) })),
    causes: causes.map((cause) => ({ ...cause, points: way(cause) })),
    width: Math.ceil(reached),
    height: Math.ceil(bottom),
  };
}
