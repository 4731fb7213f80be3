// The service map: what queries have shown, laid out by their calls; after the end how the trouble spread on it.

import dagre from "@dagrejs/dagre";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { chainOf, healthOf } from "./episode.js";
import { Health, SIGNS, html } from "./ui.js";

const HIGH = 44;
const GAP = 16;
const LETTER = 7.3; // the width of a letter of the map's type, in its units
const ALARM = 8; // the radius of the mark of the alert
const widthOf = ({ name, alerting }) => Math.max(126, Math.ceil(name.length * LETTER) + 34 + (alerting ? 2 * ALARM : 0));

/** A service that so many call is drawn apart: lines to it from everywhere would hide all others. */
const MANY = 7;
const SCALES = [0.5, 0.65, 0.8, 1, 1.25];
const READABLE = 0.8;

export function ServiceMap({ frame, chosen, choose, width }) {
  const { services, calls } = frame.service_map;
  const { root_cause: root, spread = [] } = frame.debrief ?? {};
  const numbers = useMemo(() => chainOf(frame), [frame]);
  const hurt = new Set(spread.flatMap(({ from, to }) => [from, to]));
  const told = [...hurt].some((name) => name !== root && numbers.has(name));
  const layout = useMemo(() => laidOut(services, calls, spread, width), [frame, width]);
  const { scene, scale, zoom, fit, larger } = useWindow(layout, width, chosen, root);
  const markers = useId(); // a page may show several maps
  const looks = services.filter((service) => service.queried.length).length;
  const label = `Service map: ${services.length} services, ${looks} queried, ${calls.length} calls known`;
  const along = new Set(spread.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`])); // one line, one arrow
  const lines = layout.calls.filter(
    ({ from, to, health, apart }) => !along.has(`${from} ${to}`) && (!apart || UNWELL.has(health) || chosen === from || chosen === to),
  );
  const [below, above] = [SCALES.findLast((one) => one < scale), SCALES.find((one) => one > scale)];
  return html`
    <figure class="map">
      <div class="scroll" tabindex="0" role="group" aria-label=${label} ref=${scene}>
        <svg width=${layout.width * scale} height=${layout.height * scale} viewBox="0 0 ${layout.width} ${layout.height}">
          <defs>
            ${[...Object.keys(SIGNS), "cause"].map((kind) => {
              const size = kind === "cause" ? 14 : 9;
              return html`
                <marker id="${markers}-${kind}" class="arrow ${kind}" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse"
                  markerWidth=${size} markerHeight=${size} orient="auto"><path d="M0 0 8 4 0 8z" /></marker>
              `;
            })}
          </defs>
          ${layout.spread.map((pair) => html`<${Line} key="${pair.from} ${pair.to} cause" ...${pair} kind="cause" said="led to trouble in" markers=${markers} />`)}
          ${lines.map((call) => html`<${Line} key="${call.from} ${call.to}" ...${call} kind=${call.health} said="calls, ${call.health}," markers=${markers} />`)}
          ${layout.nodes.map(
            (node) => html`
              <${Node} key=${node.name} ...${node} health=${healthOf(node.name, calls)} hurt=${hurt.has(node.name)}
                numbers=${numbers.get(node.name) ?? []} root=${root === node.name} chosen=${chosen === node.name} choose=${choose} />
            `,
          )}
        </svg>
      </div>
      <figcaption>
        <div class="tools">
          <button onClick=${() => zoom(below)} disabled=${!below}>Smaller</button>
          <button onClick=${() => zoom(above)} disabled=${!above}>Larger</button>
          <button onClick=${() => zoom("whole")} disabled=${scale === fit}>Whole</button>
          ${larger ? html`<span>The map goes on beyond this window.</span>` : null}
          ${calls.length ? null : html`<span>No calls are known; dependencies show them.</span>`}
          ${layout.nodes.some(({ callers }) => callers) ? html`<span>To services that many call, only unhealthy calls and those of a chosen service are drawn.</span>` : null}
        </div>
        <ul class="legend">
          <li><span class="key alerting" aria-hidden="true">!</span> named by the alert</li>
          <li><span class="key queried" aria-hidden="true">✓</span> queried</li>
          ${[...new Set(calls.map((call) => call.health))].map((health) => html`<li><${Health} health=${health} /></li>`)}
          ${spread.length ? html`<li><span class="key chain" aria-hidden="true">➜</span> how the trouble spread${told ? ", with the numbers of the causal chain's sentences" : ""}</li>` : null}
          ${root ? html`<li><span class="key root" aria-hidden="true">★</span> where it started</li>` : null}
        </ul>
      </figcaption>
    </figure>
  `;
}

/**
 * The window on the map. It moves by itself to a service that is chosen elsewhere, to where it started once that is known,
 * and in a map of other services, and only where that is not to be seen; zooming keeps its middle.
 */
function useWindow(layout, width, chosen, root) {
  const scene = useRef();
  const middle = useRef(null);
  const [wanted, setWanted] = useState(null);
  const [height, setHeight] = useState(Infinity);
  useLayoutEffect(() => setHeight(parseFloat(getComputedStyle(scene.current).maxHeight) || Infinity), [width]);

  const fit = Math.min(1, width / layout.width, height / layout.height);
  const usual = SCALES.findLast((one) => one <= 1 && one >= READABLE && one * layout.width <= width) ?? READABLE;
  const scale = wanted === "whole" ? fit : wanted ?? usual;
  const zoom = (next) => {
    const { scrollLeft, scrollTop, clientWidth, clientHeight } = scene.current;
    middle.current = { x: (scrollLeft + clientWidth / 2) / scale, y: (scrollTop + clientHeight / 2) / scale };
    setWanted(next);
  };
  useLayoutEffect(() => {
    if (middle.current) centre(scene.current, middle.current, scale);
    middle.current = null;
  }, [scale]);

  const names = layout.nodes.map(({ name }) => name).sort().join(" ");
  const show = (...hearts) => {
    const node = hearts.map((heart) => layout.nodes.find(({ name }) => name === heart)).find(Boolean);
    if (node && !within(scene.current, node, scale)) centre(scene.current, { x: node.x + node.width / 2, y: node.y + HIGH / 2 }, scale);
  };
  useEffect(() => show(root ? null : chosen), [chosen]); // with the end the page chooses what the last step was about
  useEffect(() => show(root, chosen, layout.nodes.find(({ alerting }) => alerting)?.name), [root, names]);
  return { scene, scale, zoom, fit, larger: layout.width * scale > width || layout.height * scale > height };
}

const centre = (scene, { x, y }, scale) => scene.scrollTo(x * scale - scene.clientWidth / 2, y * scale - scene.clientHeight / 2);

/** Whether the whole of a node is to be seen. */
function within({ scrollLeft, scrollTop, clientWidth, clientHeight }, { x, y, width }, scale) {
  const across = x * scale >= scrollLeft && (x + width) * scale <= scrollLeft + clientWidth;
  return across && y * scale >= scrollTop && (y + HIGH) * scale <= scrollTop + clientHeight;
}

const UNWELL = new Set(["degraded", "failing", "down"]);

/** Services in words, for whoever does not see the map. */
export const ServiceList = ({ frame: { service_map, debrief } }) => html`
  <details>
    <summary>Services as a list</summary>
    <ul class="services">
      ${service_map.services.map((service) => {
        const calls = service_map.calls.filter((call) => call.from === service.name);
        const from = (debrief?.spread ?? []).filter(({ to }) => to === service.name).map(({ from }) => from);
        return html`
          <li key=${service.name}>
            <b>${service.name}</b>
            ${service.alerting ? html` <span class="error">named by the alert</span>` : null}
            ${service.state ? html`<p>state: ${service.state}</p>` : null}
            <p>${service.queried.length ? `queried: ${service.queried.join(", ")}` : "not queried"}</p>
            ${calls.length ? html`<p>calls ${calls.map((call) => `${call.to} (${call.health})`).join(", ")}</p>` : null}
            ${from.length ? html`<p>its trouble came from ${from.join(", ")}</p>` : null}
          </li>
        `;
      })}
    </ul>
  </details>
`;

function Node({ name, x, y, width, alerting, queried, state, callers, health, hurt, numbers, root, chosen, choose }) {
  const under = root
    ? "started here"
    : hurt
      ? numbers.length
        ? `chain ${numbers.join(", ")}`
        : "affected"
      : alerting
        ? "alerting"
        : callers
          ? `called by ${callers}`
          : queried.length
            ? `${queried.length} of 5 looked at`
            : "not looked at";
  const marks = [
    alerting && "named by the alert",
    health && `calls to it ${health}`,
    queried.length ? `queried: ${queried.join(", ")}` : "not queried",
    state && `state: ${state}`,
    hurt && !root && "the trouble spread to it",
    hurt && numbers.length && `in the causal chain at ${numbers.join(", ")}`,
    root && "where it started",
  ].filter(Boolean);
  const kinds = [health, queried.length && "queried", root && "root", hurt && "chain"].filter(Boolean);
  const pressed = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(name);
  };
  return html`
    <g class="node ${kinds.join(" ")}" transform="translate(${x} ${y})" role="button" tabindex="0" aria-pressed=${chosen}
      aria-label="${name} ${under}: ${marks.join("; ")}" onClick=${() => choose(name)} onKeyDown=${pressed}>
      <rect width=${width} height=${HIGH} rx="6" />
      <text class="sign" x="11" y="18" aria-hidden="true">${root ? "★" : SIGNS[health ?? "unknown"]}</text>
      <text class="name" x="25" y="18">${name}</text>${" "}
      <text class="under" x="25" y="34">${under}</text>
      ${queried.length ? html`<text class="tick" aria-hidden="true" x="10" y="34">✓</text>` : null}
      ${alerting
        ? html`<g class="alerting" aria-hidden="true" transform="translate(${width - ALARM - 5} ${ALARM + 5})"><circle r=${ALARM} /><text y="4">!</text></g>`
        : null}
    </g>
  `;
}

function Line({ from, to, kind, said, points, markers }) {
  const line = points.map(({ x, y }, index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return html`<path class="line ${kind}" d=${line} marker-end="url(#${markers}-${kind})"><title>${from} ${said} ${to}</title></path>`;
}

/** Where everything stands: connected services in layers, callers first, the others in rows below. In CSS pixels. */
function laidOut(services, calls, spread, width) {
  const callers = new Map(services.map(({ name }) => [name, calls.filter((call) => call.to === name).length]));
  const apart = new Set(services.map(({ name }) => name).filter((name) => callers.get(name) >= MANY));
  const led = new Set(spread.map(({ from, to }) => `${from} ${to}`));
  const near = calls.filter(({ from, to }) => !apart.has(to) || led.has(`${to} ${from}`));
  const linked = new Set([...near, ...spread].flatMap(({ from, to }) => [from, to]));

  const graph = new dagre.graphlib.Graph()
    .setGraph({ rankdir: "LR", nodesep: 14, ranksep: width < 560 ? 28 : 46, marginx: 4, marginy: 4 })
    .setDefaultEdgeLabel(() => ({}));
  for (const service of services) if (linked.has(service.name)) graph.setNode(service.name, { width: widthOf(service), height: HIGH });
  for (const { from, to } of near) graph.setEdge(from, to);
  // Trouble goes from the called to the caller: where no call is known, it is laid out as if there were one.
  for (const { from, to } of spread) if (!graph.hasEdge(from, to) && !graph.hasEdge(to, from)) graph.setEdge(to, from);
  if (linked.size) dagre.layout(graph);
  const { width: wide = 0, height: high = 0 } = linked.size ? graph.graph() : {};

  const nodes = [];
  let [x, y, reached] = [4, linked.size ? high + GAP : 4, wide];
  for (const service of [...services].sort((one, other) => apart.has(other.name) - apart.has(one.name))) {
    const own = widthOf(service);
    const many = apart.has(service.name) ? callers.get(service.name) : 0;
    if (linked.has(service.name)) {
      const placed = graph.node(service.name);
      nodes.push({ ...service, callers: many, width: own, x: placed.x - own / 2, y: placed.y - HIGH / 2 });
      continue;
    }
    if (x > 4 && x + own > Math.max(width, Math.min(wide, 2 * width)) - 4) [x, y] = [4, y + HIGH + GAP];
    nodes.push({ ...service, callers: many, width: own, x, y });
    x += own + GAP;
    reached = Math.max(reached, x - GAP + 4);
  }
  const bottom = Math.max(high, ...nodes.map((node) => node.y + HIGH + 4));
  const placed = new Map(nodes.map((node) => [node.name, node]));
  const way = ({ from, to }) =>
    graph.edge(from, to)?.points ?? graph.edge(to, from)?.points.toReversed() ?? straight(placed.get(from), placed.get(to));
  return {
    nodes,
    calls: calls.map((call) => ({ ...call, apart: apart.has(call.to), points: way(call) })),
    spread: spread.map((pair) => ({ ...pair, points: way(pair) })),
    width: Math.ceil(reached),
    height: Math.ceil(bottom),
  };
}

/** From the edge of one node to the edge of another. */
function straight(one, other) {
  const [from, to] = [one, other].map((node) => ({ x: node.x + node.width / 2, y: node.y + HIGH / 2, width: node.width }));
  return [edgeOf(from, to), edgeOf(to, from)];
}

/** Where the way from the middle of a node to a point leaves the node. */
function edgeOf({ x, y, width }, point) {
  const [dx, dy] = [point.x - x, point.y - y];
  const part = Math.min(1, width / 2 / Math.abs(dx || 1e-9), HIGH / 2 / Math.abs(dy || 1e-9));
  return { x: x + dx * part, y: y + dy * part };
}
