// Working an incident: choose one, look, repair, submit, and see what it came to.

import { useEffect, useRef, useState } from "preact/hooks";

import { Alert } from "../view/alert.js";
import { merged, numberOf, shownUntil } from "../view/episode.js";
import { Score } from "../view/score.js";
import { LastStep, Standing } from "../view/standing.js";
import { Steps } from "../view/steps.js";
import { html } from "../view/ui.js";
import { get, handle, ownHandle, post } from "./api.js";
import { Chooser, selectionOf, useChoice } from "./chooser.js";
import { Compared, Origin, forked, originOf } from "./forks.js";
import { ActionForm, listsFor } from "./forms.js";
import { IncidentMap, ServicePanel, diagnosticsOf, serviceAt, useFocus } from "./incident.js";
import { Rewards } from "./rewards.js";
import { useAlive, useTrying } from "./trying.js";

/** An episode of the visitor's own, named in every request. What is shown comes from the server alone. */
function useEpisode(episode_id) {
  const [frames, setFrames] = useState([]);
  const { trying, ...rest } = useTrying();
  const unsure = useRef(null);
  const alive = useAlive();
  const load = async (since) => {
    const told = await get("frames", { episode_id, since });
    setFrames((known) => merged(known, told.frames));
    unsure.current = null;
    return told.frames.length;
  };
  useEffect(() => {
    trying("open", () => load(0));
  }, []);
  const act = (of) => (action_type, parameters) =>
    trying(of, async () => {
      const action = { action_type, parameters };
      const since = numberOf(frames.at(-1)) + 1;
      const said = JSON.stringify(action);
      if (unsure.current?.said !== said) unsure.current = { said, request_id: handle() };
      try {
        await post("step", { action, request_id: unsure.current.request_id }, { episode_id });
      } catch (refusal) {
        const added = await load(since).catch(() => 0); // another tab's steps, or this one, whose answer was lost
        if (refusal.status || !added) throw refusal;
        return;
      }
      await load(since);
    });
  const fork = (query) => (after) =>
    trying("fork", async () => {
      const address = await forked(query, after);
      if (alive.current) location.hash = address;
    });
  return { frames, act, fork, ...rest };
}

export const Work = ({ tasks, query }) =>
  query.episode_id
    ? html`<${Episode} key=${query.episode_id} tasks=${tasks} query=${query} />`
    : html`<${Start} key=${JSON.stringify(query)} tasks=${tasks} query=${query} />`;

function Episode({ tasks, query }) {
  const episode = useEpisode(query.episode_id);
  if (episode.frames.length) return html`<${Workbench} tasks=${tasks} episode=${episode} query=${query} />`;
  const problem = episode.problem("open");
  if (!problem) return html`<p class="waiting" role="status">Opening the incident …</p>`;
  return html`
    <div class="start">
      <h1>This incident cannot be shown</h1>
      <p class="problem" role="alert">${problem}</p>
      <${Another} />
    </div>
  `;
}

const Another = () => html`<p class="again"><a class="button" href="#/work">Another incident</a></p>`;

function Start({ tasks, query }) {
  const [choice, change] = useChoice(tasks, query);
  const { busy, trying, problem } = useTrying();
  const alive = useAlive();
  const submitted = (event) => {
    event.preventDefault();
    trying("start", async () => {
      const { observation } = await post("reset", { ...selectionOf(choice), episode_id: await ownHandle() });
      if (alive.current) location.hash = `#/work?episode_id=${encodeURIComponent(observation.episode_id)}`;
    });
  };
  return html`
    <div class="start">
      <h1>You are on call</h1>
      <p class="lead">An alert is about to page you. Read it, query logs, metrics, dependencies, deploys and status, find the cause, mend it in the
        right order, and get a score from 0 to 1 for what you did. Every action is one that an agent has, at the same price.</p>
      <form onSubmit=${submitted} aria-label="Choose an incident">
        <${Chooser} tasks=${tasks} choice=${choice} change=${change} />
        <p class="problem" role="alert">${problem("start")}</p>
        <button class="main large" disabled=${busy}>Take the pager</button>
      </form>
    </div>
  `;
}

function Workbench({ tasks, episode, query }) {
  const { frames, busy, act, fork, last, gone, problem } = episode;
  const origin = originOf(query);
  const frame = frames.at(-1);
  const { observation, grade } = frame;
  const task = tasks.tasks.find(({ task_id }) => task_id === observation.task_id);
  const [focus, setFocus] = useFocus();
  const service = focus.service ?? serviceAt(frames[0]);
  const lists = listsFor(observation, shownUntil(frames, frames.length - 1), tasks.runbook_steps);
  const of = (kind) => task.actions.filter((action) => action.kind === kind);
  const score = useRef();
  const over = Boolean(grade);
  useEffect(() => {
    if (over) score.current?.focus();
  }, [over]);
  const look = (diagnostic, name) => act("look")(diagnostic, { service: name });
  return html`
    <div class="bench">
      <header class="incident">
        <h1>${observation.alert.name} <small>${observation.scenario_id} · ${task.title}</small></h1>
        ${origin ? html`<${Origin} origin=${origin} />` : null}
        <div class="standing"><${Standing} observation=${observation} grade=${grade} /><${Rewards} frames=${frames} place=${frames.length - 1} most=${observation.max_steps} /></div>
        <div role="status">${frame.step ? html`<${LastStep} step=${frame.step} note="" />` : html`<p class="step">${observation.feedback}</p>`}</div>
        <p class="problem" role="alert">${problem("look")}</p>
        ${gone ? html`<${Another} />` : null}
      </header>
      <section class="panel pagerside" aria-label="Alert"><${Alert} observation=${observation} /></section>
      <div class="middle">
        <${IncidentMap} frame=${frame} chosen=${service} choose=${(name) => setFocus({ service: name })} />
        <${ServicePanel} id="known" frames=${frames} place=${frames.length - 1} diagnostics=${diagnosticsOf(task)} service=${service} tab=${focus.tab}
          setTab=${(tab) => setFocus({ tab })} look=${over ? null : look} busy=${busy} />
      </div>
      <div class="deeds">
        ${over
          ? html`
              <section class="panel" aria-label="Score" tabindex="-1" ref=${score}>
                <h2>Score</h2>
                <${Score} grade=${grade} debrief=${frame.debrief} services=${observation.known_services} beside=${origin ? html`<${Compared} origin=${origin} grade=${grade} />` : null} />
                <${Another} />
              </section>
            `
          : html`
              ${of("remediation").length
                ? html`
                    <section class="panel" aria-label="Repair">
                      <h2>Repair</h2>
                      <${ActionForm} label="Repair" actions=${of("remediation")} lists=${lists} service=${service} act=${act("repair")} busy=${busy} problem=${problem("repair")} done=${last === "repair" ? frame.step : null} />
                    </section>
                  `
                : null}
              <section class="panel" aria-label="Answer">
                <h2>Answer</h2>
                <${ActionForm} label="Answer" actions=${of("submission")} lists=${lists} severities=${tasks.severities} service=${service} act=${act("answer")} busy=${busy}
                  problem=${problem("answer")} verb="Submit and end the incident" />
              </section>
            `}
        <section class="panel" aria-label="Steps">
          <h2>Steps</h2>
          ${over ? html`<p class="about">What if you had done something else? Play on instead of any step: a new episode begins with the steps before it.</p>` : null}
          <p class="problem" role="alert">${problem("fork")}</p>
          <${Steps} frames=${frames} given=${origin?.after} fork=${over ? fork(query) : null} busy=${busy} />
        </section>
      </div>
    </div>
  `;
}
