// Choosing an incident: one of the curated ones, or one made from a seed.

import { useState } from "preact/hooks";

import { html } from "../view/ui.js";

/** What a form of incidents begins with: what the address asks for, or the task in the middle. */
export function firstChoice({ tasks, difficulties }, query) {
  const asked = tasks.find(({ scenarios }) => scenarios.some((one) => one.scenario_id === query.scenario_id));
  const task = asked ?? tasks.find(({ task_id }) => task_id === query.task_id) ?? (query.scenario_id ? null : tasks[0]);
  const [seed, difficulty] = [Number(query.seed || 1), Number(query.difficulty)];
  return {
    task_id: task?.task_id,
    made: "seed" in query,
    scenario_id: query.scenario_id ?? task.scenarios[0]?.scenario_id,
    seed: Number.isSafeInteger(seed) && seed >= 0 ? seed : 1,
    difficulty: difficulties.includes(difficulty) ? difficulty : difficulties[Math.floor(difficulties.length / 2)],
  };
}

/** What a reset selects for a choice. */
export const selectionOf = ({ made, task_id, scenario_id, seed, difficulty }) =>
  made ? { task_id, seed, difficulty } : { scenario_id };

export function Chooser({ tasks: { tasks, difficulties }, choice, change }) {
  const task = tasks.find(({ task_id }) => task_id === choice.task_id);
  const chooseTask = (task_id) =>
    change({ ...choice, task_id, scenario_id: tasks.find((one) => one.task_id === task_id).scenarios[0]?.scenario_id });
  return html`
    <fieldset class="choices">
      <legend>Task</legend>
      <div class="cards">
        ${tasks.map(
          (one) => html`
            <label key=${one.task_id} class="card">
              <input type="radio" name="task" value=${one.task_id} checked=${one.task_id === choice.task_id} onChange=${() => chooseTask(one.task_id)} />
              <span><b>${one.title}</b> <small>${one.difficulty}, ${one.max_steps} steps</small><br />${one.objective}</span>
            </label>
          `,
        )}
      </div>
    </fieldset>
    <fieldset class="choices">
      <legend>Incident</legend>
      <div class="row">
        <label><input type="radio" name="made" checked=${!choice.made} onChange=${() => change({ ...choice, made: false })} /> curated</label>
        <label><input type="radio" name="made" checked=${choice.made} onChange=${() => change({ ...choice, made: true, task_id: choice.task_id ?? tasks[0].task_id })} /> made from a seed</label>
        ${choice.made ? html`<${Seed} choice=${choice} change=${change} difficulties=${difficulties} />` : html`<${Curated} task=${task} choice=${choice} change=${change} />`}
      </div>
    </fieldset>
  `;
}

/** The curated scenarios of a task, and the one that the address names if it is none of them: the server knows more. */
const scenarioIds = (task, { scenario_id }) => [...new Set([...(task?.scenarios ?? []).map((one) => one.scenario_id), scenario_id])];

const Curated = ({ task, choice, change }) => html`
  <label>
    <span>Scenario</span>
    <select name="scenario_id" value=${choice.scenario_id} onChange=${(event) => change({ ...choice, scenario_id: event.target.value })}>
      ${scenarioIds(task, choice).map((scenario_id) => html`<option key=${scenario_id} value=${scenario_id}>${scenario_id}</option>`)}
    </select>
  </label>
`;

const Seed = ({ choice, change, difficulties }) => html`
  <label>
    <span>Seed</span>
    <input type="number" name="seed" min="0" max=${Number.MAX_SAFE_INTEGER} step="1" required value=${choice.seed} onInput=${(event) => change({ ...choice, seed: event.target.valueAsNumber })} />
  </label>
  <label>
    <span>Difficulty</span>
    <select name="difficulty" value=${choice.difficulty} onChange=${(event) => change({ ...choice, difficulty: Number(event.target.value) })}>
      ${difficulties.map((level) => html`<option key=${level} value=${level}>${level}${level === difficulties[0] ? ", easiest" : level === difficulties.at(-1) ? ", hardest" : ""}</option>`)}
    </select>
  </label>
`;

export const useChoice = (tasks, query) => useState(() => firstChoice(tasks, query));
