// Actions as forms, derived from the schemas that the server gives. Only what is valid can be chosen.

import { useEffect, useId, useRef, useState } from "preact/hooks";

import { LastStep } from "../view/standing.js";
import { html } from "../view/ui.js";

/** An action's name in words. */
export const worded = (name) => name.replaceAll("_", " ");

/** What a parameter can be, where a list of it is known: of services, runbook steps, or flags that evidence has named. */
export function listsFor(observation, evidence, runbooks) {
  const statuses = evidence.filter((one) => one.action === "check_service_status").map((one) => one.evidence);
  const listed = [...new Set(statuses.flatMap((status) => status.runbooks))].sort();
  const flags = [...new Set(statuses.flatMap((status) => status.flags.map(([name]) => name)))].sort();
  return {
    service: { options: observation.known_services.map((name) => ({ value: name })) },
    flag: { options: flags.map((name) => ({ value: name })), open: true },
    runbook_action: {
      options: runbooks.map(({ name, description }) => ({ value: name, about: description })),
      first: { label: "named by owners you asked", values: listed },
    },
  };
}

export function ActionForm({ actions, lists, severities, service, act, busy, problem, done, label, verb }) {
  const [name, setName] = useState(actions[0].action_type);
  const [given, setGiven] = useState({});
  const id = useId();
  const action = actions.find(({ action_type }) => action_type === name) ?? actions[0];
  const { properties, required = [] } = action.parameters;
  const offered = useRef();
  const offering = service && required.includes("service");
  useEffect(() => {
    if (!offering) return;
    const before = offered.current;
    offered.current = service;
    setGiven((known) => (known.service && known.service !== before ? known : { ...known, service })); // a choice by hand stays
  }, [service, name]);
  const submitted = async (event) => {
    event.preventDefault();
    const parameters = Object.fromEntries(
      Object.keys(properties).flatMap((key) => (given[key] === undefined || given[key] === "" ? [] : [[key, given[key]]])),
    );
    if (await act(action.action_type, parameters)) setGiven(offering ? { service } : {});
  };
  return html`
    <form class="action" aria-label=${label} onSubmit=${submitted}>
      ${actions.length > 1
        ? html`
            <label>
              <span>Action</span>
              <select name="action_type" value=${action.action_type} onChange=${(event) => setName(event.target.value)}>
                ${actions.map((one) => html`<option key=${one.action_type} value=${one.action_type}>${worded(one.action_type)}</option>`)}
              </select>
            </label>
          `
        : null}
      <p class="about">${action.description}</p>
      ${Object.entries(properties).map(
        ([key, schema]) => html`
          <${Field} key="${action.action_type} ${key}" id="${id}-${key}" name=${key} schema=${schema} required=${required.includes(key)} list=${lists[key]}
            about=${key === "severity" ? severities : null} value=${given[key]} set=${(value) => setGiven((known) => ({ ...known, [key]: value }))} />
        `,
      )}
      <p class="problem" role="alert">${problem}</p>
      ${done && !problem ? html`<div class="outcome"><${LastStep} step=${done} note="" /></div>` : null}
      <button class="main" disabled=${busy}>${verb ?? worded(action.action_type)}</button>
    </form>
  `;
}

function Field({ id, name, schema, required, list, about, value, set }) {
  const hint = `${id}-hint`;
  const said = html`<span>${worded(name)}${required ? "" : html` <small>optional</small>`}</span>`;
  if (schema.enum) return html`<${Choice} name=${name} schema=${schema} about=${about} value=${value} set=${set} />`;
  if (list && (list.options.length || !list.open)) {
    const chosen = list.options.find((option) => option.value === value);
    return html`
      <label>${said}<${Listed} id=${id} name=${name} hint=${hint} list=${list} required=${required} value=${value} set=${set} /></label>
      <p class="about" id=${hint}>${chosen?.about ?? ""}</p>
    `;
  }
  const common = { id, name, required, "aria-describedby": hint, value: value ?? "" };
  const typed = (event) => set(event.target.value);
  return html`
    <label>
      ${said}
      ${schema.type === "integer"
        ? html`<input type="number" step="1" min=${schema.minimum} max=${schema.maximum} ...${common} onInput=${(event) => set(event.target.value === "" ? undefined : event.target.valueAsNumber)} />`
        : schema.maxLength > 100
          ? html`<textarea rows=${schema.maxLength > 1000 ? 7 : 3} maxlength=${schema.maxLength} ...${common} onInput=${typed}></textarea>`
          : html`<input type="text" maxlength=${schema.maxLength} ...${common} onInput=${typed} />`}
    </label>
    <p class="about" id=${hint}>${schema.description}</p>
  `;
}

function Listed({ id, name, hint, list, required, value, set }) {
  const first = list.first?.values ?? [];
  const rest = list.options.filter((option) => !first.includes(option.value));
  const option = (one) => html`<option key=${one} value=${one}>${one}</option>`;
  return html`
    <select id=${id} name=${name} required=${required} aria-describedby=${hint} value=${value ?? ""} onChange=${(event) => set(event.target.value)}>
      <option value="">choose</option>
      ${first.length ? html`<optgroup label=${list.first.label}>${first.map(option)}</optgroup><optgroup label="all others">${rest.map(({ value }) => option(value))}</optgroup>` : rest.map(({ value }) => option(value))}
    </select>
  `;
}

const Choice = ({ name, schema, about, value, set }) => html`
  <fieldset class="choices">
    <legend>${worded(name)}</legend>
    ${schema.enum.map((one) => {
      const told = about?.find((entry) => entry[name] === one);
      return html`
        <label key=${one} class="option">
          <input type="radio" name=${name} value=${one} required checked=${value === one} onChange=${() => set(one)} />
          <span><b>${one}</b>${told ? html` ${told.name} <small>${told.criterion}</small>` : null}</span>
        </label>
      `;
    })}
  </fieldset>
`;
