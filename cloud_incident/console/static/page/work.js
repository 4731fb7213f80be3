// Working an incident: choose one, look, repair, submit, and see what it came to.

import { useEffect, useRef, useState } from "preact/hooks";

import { Alert } from "../view/alert.js";
import { merged, numberOf, shownUntil } from "../view/episode.js";
import { Score } from "../view/score.js";
import { LastStep, Standing } from "../view/standing.js";
import { Steps } from "../view/steps.js";
import { html } from "../view/ui.js";
import { get, post } from "./api.js";
import { Chooser, selectionOf, useChoice } from "./chooser.js";
import { ActionForm, listsFor } from "./forms.js";
import { IncidentMap, ServicePanel, diagnosticsOf, serviceAt, useFocus } from "./incident.js";
import { Rewards } from "./rewards.js";

/** An episode of the visitor's own, named in every request. What is shown comes from the server alone. */
function useEpisode(named) {
  const [frames, setFrames] = useState([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState({ said: "", of: "" });
  const tell = async (of, work) => {
    setBusy(true);
    setProblem({ said: "", of });
    try {
      await work();
      return true;
    } catch (refusal) {
      setProblem({ said: refusal.message, of });
      return false;
    } finally {
      setBusy(false);
    }
  };
  const load = async (episode_id, since) => {
    const told = await get("frames", { episode_id, since });
    setFrames((known) => merged(since ? known : [], told.frames));
  };
  useEffect(() => {
    if (named) tell("resume", () => load(named, 0));
    else setFrames([]);
  }, [named]);
  const start = (selection, started) =>
    tell("start", async () => {
      const { observation } = await post("reset", selection);
      await load(observation.episode_id, 0);
      started(observation.episode_id);
    });
  const act = (of) => (action_type, parameters) =>
    tell(of, async () => {
      const { episode_id } = frames[0].observation;
      await post("step", { action_type, parameters }, { episode_id });
      await load(episode_id, numberOf(frames.at(-1)) + 1);
    });
  return { frames, busy, problem: (of) => (problem.of === of ? problem.said : ""), start, act };
}

export function Work({ tasks, query }) {
  const episode = useEpisode(query.episode_id);
  const started = (episode_id) => {
    location.hash = `#/work?episode_id=${encodeURIComponent(episode_id)}`;
  };
  if (query.episode_id && episode.frames.length) return html`<${Workbench} key=${query.episode_id} tasks=${tasks} episode=${episode} />`;
  if (query.episode_id && !episode.problem("resume")) return html`<p class="waiting" role="status">Opening the incident …</p>`;
  return html`<${Start} tasks=${tasks} query=${query} episode=${episode} started=${started} />`;
}

function Start({ tasks, query, episode, started }) {
  const [choice, change] = useChoice(tasks, query);
  const submitted = (event) => {
    event.preventDefault();
    episode.start(selectionOf(choice), started);
  };
  return html`
    <div class="start">
      <h1>You are on call</h1>
      <p class="lead">An alert is about to page you. Read it, query logs, metrics, dependencies, deploys and status, find the cause, mend it in the
        right order, and get a score from 0 to 1 for what you did. Every action is one that an agent has, at the same price.</p>
      <form onSubmit=${submitted} aria-label="Choose an incident">
        <${Chooser} tasks=${tasks} choice=${choice} change=${change} />
        <p class="problem" role="alert">${episode.problem("resume") || episode.problem("start")}</p>
        <button class="main large" disabled=${episode.busy}>Take the pager</button>
      </form>
    </div>
  `;
}

function Workbench({ tasks, episode }) {
  const { frames, busy, act, problem } = episode;
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
        <div class="standing"><${Standing} observation=${observation} grade=${grade} /><${Rewards} frames=${frames} place=${frames.length - 1} most=${observation.max_steps} /></div>
        <div role="status">${frame.step ? html`<${LastStep} step=${frame.step} note="" />` : html`<p class="step">${observation.feedback}</p>`}</div>
        <p class="problem" role="alert">${problem("look")}</p>
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
                <${Score} grade=${grade} debrief=${frame.debrief} services=${observation.known_services} />
                <p><a class="button" href="#/work">Another incident</a></p>
              </section>
            `
          : html`
              ${of("remediation").length
                ? html`
                    <section class="panel" aria-label="Repair">
                      <h2>Repair</h2>
                      <${ActionForm} label="Repair" actions=${of("remediation")} lists=${lists} service=${service} act=${act("repair")} busy=${busy} problem=${problem("repair")} />
                    </section>
                  `
                : null}
              <section class="panel" aria-label="Answer">
                <h2>Answer</h2>
                <${ActionForm} label="Answer" actions=${of("submission")} lists=${lists} severities=${tasks.severities} service=${service} act=${act("answer")} busy=${busy}
                  problem=${problem("answer")} verb="Submit and end the incident" />
              </section>
            `}
        <section class="panel" aria-label="Steps"><h2>Steps</h2><${Steps} frames=${frames} /></section>
      </div>
    </div>
  `;
}
