// Watching agents: play one or two on an incident, or open what was played before.

import { useEffect, useRef, useState } from "preact/hooks";

import { Alert } from "../view/alert.js";
import { Score } from "../view/score.js";
import { LastStep, Standing } from "../view/standing.js";
import { Steps } from "../view/steps.js";
import { html } from "../view/ui.js";
import { get, post, upload } from "./api.js";
import { Chooser, selectionOf, useChoice } from "./chooser.js";
import { IncidentMap, ServicePanel, diagnosticsOf, serviceAt, useFocus } from "./incident.js";
import { Controls, usePlayer } from "./player.js";
import { Rewards } from "./rewards.js";
import { useAlive, useTrying } from "./trying.js";

/** Someone being watched: who, the frames so far, and how it ended. */
const seat = (name, frames = [], ending = null) => ({ name, frames, ending });

export function Watch({ tasks, query }) {
  const [seats, setSeats] = useState([]);
  const shows = useRef(0);
  const [roster, setRoster] = useState(null);
  const [brought, setBrought] = useState(null);
  const { busy, trying, problem } = useTrying();
  const alive = useAlive();
  const sources = useRef([]);
  const hush = () => sources.current.splice(0).forEach((source) => source.close());
  useEffect(() => {
    trying("watch", async () => setRoster(await get("console/agents")));
    return hush;
  }, []);
  const change = (at, what) => setSeats((known) => known.map((one, index) => (index === at ? { ...one, ...what(one) } : one)));
  const listen = (run_id, at) => {
    const source = new EventSource(`console/runs/${run_id}/frames`);
    source.onmessage = ({ data }) => change(at, ({ frames }) => ({ frames: [...frames, JSON.parse(data)] }));
    source.addEventListener("end", ({ data }) => {
      source.close();
      change(at, () => ({ ending: JSON.parse(data) }));
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) change(at, () => ({ ending: { failed: "The connection was lost." } }));
    };
    sources.current.push(source);
  };
  const watch = (selection, agents, endpoint) =>
    trying("watch", async () => {
      const needs = (name) => roster.agents.find((one) => one.name === name)?.model;
      const runs = [];
      for (const agent of agents) runs.push(await post("console/runs", { agent, ...selection, ...(needs(agent) ? { endpoint } : {}) }));
      if (!alive.current) return; // runs that nobody listens to are stopped
      hush();
      shows.current += 1;
      setSeats(agents.map((name) => seat(name)));
      runs.forEach(({ run_id }, at) => listen(run_id, at));
    });
  const opened = ({ trajectory, frames, differences }) => {
    hush();
    const said = differences.length ? `Its replay differs: ${differences.join("; ")}` : trajectory.failed;
    shows.current += 1;
    setSeats([seat(`${trajectory.agent}, recorded`, frames, { score: trajectory.score, failed: said })]);
  };
  const open = (run, key) => trying("watch", async () => opened(await get(`console/trajectories/${encodeURIComponent(run)}/${encodeURIComponent(key)}`)));
  const bring = (file, key) =>
    trying("watch", async () => {
      const answer = await upload("console/uploads", file, { key });
      setBrought({ file, trajectories: answer.uploaded });
      opened(answer);
    });
  return html`
    <div class="watch">
      <h1>Watch an agent</h1>
      ${roster ? html`<${Sources} key=${JSON.stringify(query)} tasks=${tasks} query=${query} roster=${roster} watch=${watch} open=${open} bring=${bring} brought=${brought} busy=${busy} shown=${shows.current} />` : null}
      <p class="problem" role="alert">${problem("watch")}</p>
      ${seats.length ? html`<${Theatre} key=${shows.current} tasks=${tasks} seats=${seats} />` : null}
    </div>
  `;
}

function Sources({ tasks, query, roster, watch, open, bring, brought, busy, shown }) {
  const [choice, change] = useChoice(tasks, query);
  const listed = (asked, otherwise) => (roster.agents.some(({ name }) => name === asked) ? asked : otherwise);
  const [agents, setAgents] = useState([listed(query.agent, roster.agents[0].name), listed(query.against, "")]);
  const [endpoint, setEndpoint] = useState({ base_url: "", model: "", api_key: "" });
  const [stored, setStored] = useState(null);
  const asksModel = agents.some((name) => roster.agents.find((one) => one.name === name)?.model);
  useEffect(() => {
    get("console/trajectories").then(setStored, () => setStored({ trajectories: [], left_off: 0, unreadable: [] }));
  }, []);
  const submitted = (event) => {
    event.preventDefault();
    watch(selectionOf(choice), agents.filter(Boolean), endpoint);
  };
  const picked = ({ target }) => {
    const [file] = target.files;
    target.value = ""; // the same one can be taken again, corrected
    if (file) bring(file);
  };
  const Agent = ({ at, said, none }) => html`
    <label>
      <span>${said}</span>
      <select name="agent${at}" value=${agents[at]} onChange=${(event) => setAgents(agents.map((name, index) => (index === at ? event.target.value : name)))}>
        ${none ? html`<option value="">nobody</option>` : null}
        <optgroup label="at work">${roster.agents.filter((one) => !one.cheat).map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}</optgroup>
        <optgroup label="cheats">${roster.agents.filter((one) => one.cheat).map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}</optgroup>
      </select>
    </label>
  `;
  const about = roster.agents.filter(({ name }) => agents.includes(name));
  return html`
    <details class="sources" open=${!shown} key=${shown}>
      <summary>${shown ? "Watch something else" : "What to watch"}</summary>
      <div class="halves">
        <form class="panel" onSubmit=${submitted} aria-label="Play an agent">
          <h2>Play an agent</h2>
          <${Chooser} tasks=${tasks} choice=${choice} change=${change} />
          <div class="row">${Agent({ at: 0, said: "Agent" })}${Agent({ at: 1, said: "Against", none: true })}</div>
          <ul class="about">${about.map((one) => html`<li key=${one.name}><b>${one.name}</b>: ${one.about}</li>`)}</ul>
          ${asksModel ? html`<${EndpointForm} endpoint=${endpoint} change=${setEndpoint} />` : null}
          <button class="main" disabled=${busy}>Play</button>
        </form>
        <div class="panel">
          <h2>Open a trajectory</h2>
          <label class="file"><span>A file of yours</span><input type="file" accept=".jsonl,.json" disabled=${busy} onChange=${picked} /></label>
          ${brought?.trajectories.length > 1
            ? html`<h3>In ${brought.file.name}</h3><${Trajectories} said="Trajectories in ${brought.file.name}" entries=${brought.trajectories} open=${({ key }) => bring(brought.file, key)} busy=${busy} />`
            : null}
          <h3>Stored</h3>
          <${Stored} stored=${stored} open=${open} busy=${busy} />
        </div>
      </div>
    </details>
  `;
}

function EndpointForm({ endpoint, change }) {
  const field = (name, said, type) => html`
    <label><span>${said}</span><input type=${type} name=${name} required=${name !== "api_key"} autocomplete="off" value=${endpoint[name]} onInput=${(event) => change({ ...endpoint, [name]: event.target.value })} /></label>
  `;
  return html`
    <fieldset class="choices">
      <legend>OpenAI-compatible endpoint</legend>
      <div class="row">${field("base_url", "Address", "url")}${field("model", "Model", "text")}${field("api_key", "Key", "password")}</div>
      <p class="about">The server that this page came from asks the model. It uses the key for this run alone.</p>
    </fieldset>
  `;
}

function Stored({ stored, open, busy }) {
  if (!stored) return html`<p class="quiet">Loading …</p>`;
  const unreadable = stored.unreadable.map(({ run, problem }) => html`<p key=${run} class="quiet">${run} cannot be read: ${problem}</p>`);
  if (!stored.trajectories.length) return html`<p class="quiet">There are none yet. <code>cloud-incident evaluate</code> stores them.</p>${unreadable}`;
  return html`
    <${Trajectories} said="Stored trajectories" entries=${stored.trajectories} open=${({ run, key }) => open(run, key)} busy=${busy} />
    ${stored.left_off ? html`<p class="quiet">And ${stored.left_off} more.</p>` : null}
    ${unreadable}
  `;
}

/** Trajectories to choose from; `run` is the evaluation of one that is stored. */
function Trajectories({ said, entries, open, busy }) {
  return html`
    <div class="scroll tall" tabindex="0" role="group" aria-label=${said}>
      <table>
        <thead><tr><th scope="col">Agent</th><th scope="col">Scenario</th><th scope="col" class="number">Steps</th><th scope="col" class="number">Score</th><th scope="col"><span class="hidden">Open</span></th></tr></thead>
        <tbody>
          ${entries.map(
            (one) => html`
              <tr key="${one.run ?? ""} ${one.key}">
                <th scope="row">${one.agent}</th><td>${one.scenario_id}</td><td class="number">${one.steps}</td><td class="number">${one.score === null ? "failed" : one.score.toFixed(2)}</td>
                <td><button disabled=${busy} aria-label="Open ${one.agent} on ${one.scenario_id}${one.run ? ` of ${one.run}` : ""}" onClick=${() => open(one)}>Open</button></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

function Theatre({ tasks, seats }) {
  const player = usePlayer(Math.max(...seats.map(({ frames }) => frames.length)));
  const ended = seats.every(({ ending }) => ending);
  const first = seats.find(({ frames }) => frames.length)?.frames[0];
  return html`
    <section aria-label="Play" class="theatre">
      <${Controls} player=${player} ended=${ended} />
      ${first ? html`<details class="panel"><summary>The alert: ${first.observation.alert.summary}</summary><${Alert} observation=${first.observation} /></details>` : html`<p class="waiting" role="status">The agent takes its seat …</p>`}
      <div class=${seats.length > 1 ? "versus" : ""}>
        ${seats.map((one, at) => html`<${Seat} key=${at} id="seat${at}" ...${one} tasks=${tasks} place=${Math.min(player.place, Math.max(0, one.frames.length - 1))} narrow=${seats.length > 1} />`)}
      </div>
    </section>
  `;
}

function Seat({ id, name, frames, ending, tasks, place, narrow }) {
  const [focus, setFocus] = useFocus();
  useEffect(() => setFocus({ service: null, tab: null }), [place]);
  if (!frames.length) return html`<section class="seat" aria-label=${name}><h2>${name}</h2><p class="problem">${ending?.failed ?? ""}</p></section>`;
  const frame = frames[place];
  const { observation, grade } = frame;
  const task = tasks.tasks.find(({ task_id }) => task_id === observation.task_id);
  const service = focus.service ?? serviceAt(frame);
  const last = place === frames.length - 1;
  return html`
    <section class="seat" aria-label=${name}>
      <header class="incident">
        <h2>${name} <small>${observation.scenario_id} · ${task.title}</small></h2>
        <div class="standing"><${Standing} observation=${observation} grade=${grade} /><${Rewards} frames=${frames} place=${place} most=${observation.max_steps} /></div>
        ${frame.step ? html`<${LastStep} step=${frame.step} note=${frame.note} />` : html`<p class="step">${observation.feedback}</p>`}
        ${last && ending?.failed ? html`<p class="problem">${ending.failed}</p>` : null}
      </header>
      <div class=${narrow ? "stacked" : "bench"}>
        <div class="middle">
          <${IncidentMap} frame=${frame} chosen=${service} choose=${(chosen) => setFocus({ service: chosen })} />
          <${ServicePanel} id=${id} frames=${frames} place=${place} diagnostics=${diagnosticsOf(task)} service=${service} tab=${focus.tab ?? frame.evidence?.action} setTab=${(tab) => setFocus({ tab })} />
        </div>
        <div class="deeds">
          ${grade ? html`<section class="panel" aria-label="Score of ${name}"><h2>Score</h2><${Score} grade=${grade} debrief=${frame.debrief} services=${observation.known_services} /></section>` : null}
          <section class="panel" aria-label="Steps of ${name}"><h2>Steps</h2><${Steps} frames=${frames.slice(0, place + 1)} /></section>
        </div>
      </div>
    </section>
  `;
}
