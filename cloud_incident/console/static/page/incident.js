// An incident at one moment: the map, and under it what is known of the service chosen on it.

import { useEffect, useRef, useState } from "preact/hooks";

import { healthOf, shownUntil } from "../view/episode.js";
import { Evidence } from "../view/evidence.js";
import { ServiceList, ServiceMap } from "../view/map.js";
import { Tabs } from "../view/tabs.js";
import { Health, html, useWidth } from "../view/ui.js";
import { MetricCharts } from "./charts.js";
import { worded } from "./forms.js";

/** The diagnostics of a task, in its order. */
export const diagnosticsOf = (task) => task.actions.filter(({ kind }) => kind === "diagnostic").map(({ action_type }) => action_type);

/** A diagnostic as a tab is called: `check_recent_deploys` is "recent deploys". */
const noun = (diagnostic) => worded(diagnostic.slice(diagnostic.indexOf("_") + 1));

export function IncidentMap({ frame, chosen, choose }) {
  const [panel, width] = useWidth();
  return html`
    <section class="panel" aria-label="Service map">
      <h2>Service map</h2>
      <div ref=${panel}>${width ? html`<${ServiceMap} frame=${frame} chosen=${chosen} choose=${choose} width=${width} />` : null}</div>
      <${ServiceList} frame=${frame} />
    </section>
  `;
}

/** What is known of a service, a tab for each diagnostic. With `look`, what is not known can be asked for. */
export function ServicePanel({ id, frames, place, diagnostics, service, tab, setTab, look, busy }) {
  const frame = frames[place];
  const evidence = shownUntil(frames, place);
  const latest = (diagnostic) => evidence.find((one) => one.action === diagnostic && one.service === service);
  const chosen = diagnostics.includes(tab) ? tab : diagnostics[0];
  const shown = latest(chosen);
  const health = healthOf(service, frame.service_map.calls);
  const pressed = (event) => {
    const at = Number(event.key) - 1;
    if (event.repeat || busy || event.ctrlKey || event.altKey || event.metaKey || !(at in diagnostics) || /^(input|textarea|select)$/i.test(event.target.tagName)) return;
    event.preventDefault();
    setTab(diagnostics[at]);
    if (look && !latest(diagnostics[at])) look(diagnostics[at], service);
  };
  const panel = useRef();
  const asked = useRef(false);
  const ask = () => {
    asked.current = true;
    look(chosen, service);
  };
  useEffect(() => {
    if (asked.current && document.activeElement === document.body) panel.current.focus({ preventScroll: true }); // its button is gone
    asked.current = false;
  }, [shown?.step]);
  return html`
    <section class="panel service" aria-label="What is known of ${service}" onKeyDown=${pressed}>
      <h2>${service} ${health ? html`<small>calls to it: <${Health} health=${health} /></small>` : null}</h2>
      <${Tabs} label="Evidence on ${service}" panel=${id} chosen=${chosen} choose=${setTab}
        tabs=${diagnostics.map((one, at) => [one, html`<kbd aria-hidden="true">${at + 1}</kbd> ${noun(one)}${latest(one) ? html` <span class="seen" title="seen">✓</span>` : null}`])} />
      <div id=${id} ref=${panel} role="tabpanel" tabindex="0" aria-labelledby="${id}-${chosen}">
        ${shown
          ? html`
              <${Shown} key="${service} ${chosen} ${shown.step}" shown=${shown} />
              ${look ? html`<p class="again"><button disabled=${busy} onClick=${ask}>Look again</button> <small>takes a step; it shows what has changed since step ${shown.step}</small></p>` : null}
            `
          : look
            ? html`<p class="ask"><button class="main" disabled=${busy} onClick=${ask}>${worded(chosen)} of ${service}</button> <small>takes a step</small></p>`
            : html`<p class="quiet">Not looked at by then.</p>`}
      </div>
    </section>
  `;
}

const Shown = ({ shown }) =>
  shown.action === "check_metrics" ? html`<${MetricCharts} ...${shown.evidence} />` : html`<${Evidence} shown=${shown} />`;

/** The service that a moment is about: what its evidence is on, or what the alert names first. */
export const serviceAt = (frame) => frame.evidence?.service ?? frame.observation.alert.affected_services[0];

/** What is looked at: a service and a tab, which follow the steps until somebody chooses. */
export function useFocus() {
  const [focus, setFocus] = useState({ service: null, tab: null });
  return [focus, (change) => setFocus((known) => ({ ...known, ...change }))];
}
