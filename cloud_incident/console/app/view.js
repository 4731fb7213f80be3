// The page: what the pager says, where the episode stands, and one tab for each way to look at it.

import { useState } from "preact/hooks";

import { Alert } from "../static/view/alert.js";
import { shownUntil, whole } from "../static/view/episode.js";
import { Evidence } from "../static/view/evidence.js";
import { ServiceMap, ServiceList } from "../static/view/map.js";
import { Score } from "../static/view/score.js";
import { LastStep, Scrubber, Standing } from "../static/view/standing.js";
import { Steps } from "../static/view/steps.js";
import { Tabs } from "../static/view/tabs.js";
import { html, useWidth } from "../static/view/ui.js";

export function View({ frames, place, goTo, tab, setTab, load, loading, problem, enlarge }) {
  const frame = frames[place];
  const { observation, step, grade } = frame;
  const evidence = shownUntil(frames, place);
  const tabs = [
    ["alert", "Alert"],
    ["map", "Map"],
    ["evidence", `Evidence ${evidence.length || ""}`.trim()],
    ["steps", "Steps"],
    ...(grade ? [["score", "Score"]] : []),
  ];
  const shown = tabs.some(([id]) => id === tab) ? tab : "alert";
  return html`
    <header>
      <h1>${observation.alert.name} <small>${observation.scenario_id}</small></h1>
      <div class="standing">
        <${Standing} observation=${observation} grade=${grade} />
        <div class="tools">
          ${frames.length > 1 ? html`<${Scrubber} frames=${frames} place=${place} goTo=${goTo} />` : null}
          ${load && !(whole(frames) && frames.at(-1).grade) ? html`<button onClick=${load} disabled=${loading}>${whole(frames) ? "Refresh" : "Show all steps"}</button>` : null}
          ${enlarge ? html`<button onClick=${enlarge.toggle}>${enlarge.on ? "Back into the conversation" : "Full screen"}</button>` : null}
        </div>
      </div>
      ${step ? html`<${LastStep} step=${step} note=${frame.note} />` : html`<p class="step">${observation.feedback}</p>`}
      <p role="status" class="problem">${problem}</p>
    </header>
    <${Tabs} label="Ways to look at the incident" tabs=${tabs} chosen=${shown} choose=${setTab} />
    <main>
    <div id="panel" role="tabpanel" tabindex="0" aria-labelledby="panel-${shown}">
      ${shown === "alert" ? html`<${Alert} observation=${observation} />` : null}
      ${shown === "map" ? html`<${MapPanel} frame=${frame} evidence=${evidence} />` : null}
      ${shown === "evidence" ? html`<${EvidencePanel} key=${place} evidence=${evidence} frames=${frames} />` : null}
      ${shown === "steps" ? html`<${Steps} frames=${frames.slice(0, place + 1)} />` : null}
      ${shown === "score" ? html`<${Score} grade=${grade} debrief=${frame.debrief} services=${observation.known_services} />` : null}
    </div>
    </main>
  `;
}

function MapPanel({ frame, evidence }) {
  const [chosen, choose] = useState(null);
  const [panel, width] = useWidth();
  const service = frame.service_map.services.find(({ name }) => name === chosen);
  const seen = evidence.filter((one) => one.service === chosen);
  return html`
    <div ref=${panel}>
      ${width ? html`<${ServiceMap} frame=${frame} chosen=${chosen} choose=${(name) => choose(name === chosen ? null : name)} width=${width} />` : null}
      <div aria-live="polite">
        ${service
          ? html`
              <section class="chosen">
                <h2>${service.name}</h2>
                ${service.state ? html`<p>State: ${service.state}</p>` : null}
                ${service.queried.length ? null : html`<p>Nothing has been queried of it yet.</p>`}
                ${seen.map((one) => html`<h3>${one.action} <small>step ${one.step}</small></h3><${Evidence} shown=${one} />`)}
                ${service.queried.length && !seen.length ? html`<p>Queried: ${service.queried.join(", ")}. Show all steps to see it here.</p>` : null}
              </section>
            `
          : null}
      </div>
      <${ServiceList} frame=${frame} />
    </div>
  `;
}

function EvidencePanel({ evidence, frames }) {
  const [chosen, choose] = useState(0);
  if (!evidence.length) return html`<p>${whole(frames) ? "Nothing has been queried yet." : "This step showed no evidence."}</p>`;
  return html`
    ${evidence.length > 1
      ? html`
          <label class="choice">
            <span>Evidence</span>
            <select value=${chosen} onChange=${(event) => choose(Number(event.target.value))}>
              ${evidence.map((one, index) => html`<option key=${index} value=${index}>Step ${one.step}: ${one.action} ${one.service}</option>`)}
            </select>
          </label>
        `
      : html`<h2>${evidence[0].service} <small>${evidence[0].action}</small></h2>`}
    <${Evidence} key=${chosen} shown=${evidence[chosen]} />
  `;
}
