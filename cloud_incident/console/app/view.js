// The page: what the pager says, where the episode stands, and one tab for each way to look at it.

import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { numberOf, shownUntil, told, whole } from "./episode.js";
import { Evidence } from "./evidence.js";
import { ServiceMap, ServiceList } from "./map.js";
import { Score } from "./score.js";
import { html, signed } from "./ui.js";

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
    <${Tabs} tabs=${tabs} chosen=${shown} choose=${setTab} />
    <main>
    <div id="panel" role="tabpanel" tabindex="0" aria-labelledby="tab-${shown}">
      ${shown === "alert" ? html`<${Alert} observation=${observation} />` : null}
      ${shown === "map" ? html`<${MapPanel} frame=${frame} evidence=${evidence} />` : null}
      ${shown === "evidence" ? html`<${EvidencePanel} key=${place} evidence=${evidence} frames=${frames} />` : null}
      ${shown === "steps" ? html`<${Steps} frames=${frames.slice(0, place + 1)} />` : null}
      ${shown === "score" ? html`<${Score} grade=${grade} debrief=${frame.debrief} services=${observation.known_services} />` : null}
    </div>
    </main>
  `;
}

const Standing = ({ observation, grade }) => html`
  <ul>
    <li>
      <span>Step ${observation.step_count} of ${observation.max_steps}</span>
      <span class="bar" aria-hidden="true"><i style="width:${(observation.step_count / observation.max_steps) * 100}%"></i></span>
    </li>
    <li>Reward <b>${signed(observation.cumulative_reward)}</b></li>
    ${grade ? html`<li>Score <b>${grade.score.toFixed(2)}</b></li>` : null}
  </ul>
`;

function LastStep({ step, note }) {
  const { name, target } = told(step.action);
  return html`
    <p class="step">
      <code>${name}</code> ${target ? html`<b>${target}</b> ` : null}${step.feedback}
      ${step.error ? html`<span class="error"> ${step.error}</span>` : null}
      ${note ? html`<q>${note}</q>` : null}
    </p>
  `;
}

function Scrubber({ frames, place, goTo }) {
  const last = frames.length - 1;
  return html`
    <label class="scrubber">
      <span>Moment</span>
      <input type="range" min="0" max=${last} value=${place} aria-valuetext="after step ${numberOf(frames[place])}"
        onInput=${(event) => goTo(Number(event.target.value))} />
      <output>${numberOf(frames[place])}</output>
    </label>
  `;
}

function Tabs({ tabs, chosen, choose }) {
  const list = useRef();
  const moved = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex(([id]) => id === chosen) + step;
    const to = Number.isFinite(at) ? (at + tabs.length) % tabs.length : at < 0 ? 0 : tabs.length - 1;
    choose(tabs[to][0]);
    list.current.children[to].focus();
  };
  return html`
    <div class="tabs" role="tablist" aria-label="Ways to look at the incident" ref=${list} onKeyDown=${moved}>
      ${tabs.map(
        ([id, name]) => html`
          <button key=${id} id="tab-${id}" role="tab" aria-selected=${id === chosen} aria-controls="panel"
            tabindex=${id === chosen ? 0 : -1} onClick=${() => choose(id)}>${name}</button>
        `,
      )}
    </div>
  `;
}

const Alert = ({ observation: { alert, incident_summary, task_id } }) => html`
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

function MapPanel({ frame, evidence }) {
  const [chosen, choose] = useState(null);
  const [width, setWidth] = useState(0);
  const panel = useRef();
  useLayoutEffect(() => {
    setWidth(Math.floor(panel.current.getBoundingClientRect().width));
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(panel.current);
    return () => watch.disconnect();
  }, []);
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

function Steps({ frames }) {
  const taken = frames.filter((frame) => frame.step);
  if (!taken.length) return html`<p>No step has been taken yet.</p>`;
  return html`
    <ol class="steps">
      ${taken.map(({ step }) => {
        const { name, target } = told(step.action);
        return html`
          <li key=${step.step}>
            <span class="which">${step.step}.</span>
            <span><code>${name}</code> <b>${target}</b></span>
            <span class="number">${signed(step.reward)}</span>
            <span class="said">${step.feedback} ${step.error ? html`<span class="error">${step.error}</span>` : null}</span>
          </li>
        `;
      })}
    </ol>
  `;
}
