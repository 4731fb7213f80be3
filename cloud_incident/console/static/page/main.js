// The page: what is always there, and the view that the address names.

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../view/ui.js";
import { get, session, signOut } from "./api.js";
import { Measure } from "./measure.js";
import { ThemeChoice } from "./theme.js";
import { Watch } from "./watch.js";
import { Work } from "./work.js";

const VIEWS = { work: ["Work an incident", Work], watch: ["Watch an agent", Watch], measure: ["Measure", Measure] };

/** The view that the address names, and what it says beside: `#/work?scenario_id=RP-001`. */
function placeOf(hash) {
  const [name, asked] = hash.replace(/^#\/?/, "").split("?");
  return { name: Object.hasOwn(VIEWS, name) ? name : "work", query: Object.fromEntries(new URLSearchParams(asked)) };
}

export const addressOf = (name, query = {}) => `#/${name}${Object.keys(query).length ? `?${new URLSearchParams(query)}` : ""}`;

function Page() {
  const [place, setPlace] = useState(placeOf(location.hash));
  const [tasks, setTasks] = useState(null);
  const [problem, setProblem] = useState("");
  const [me, setMe] = useState({});
  const main = useRef();
  const left = useRef({});
  useEffect(() => {
    const moved = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", moved);
    get("tasks").then(setTasks, (refusal) => setProblem(refusal.message));
    session().then(setMe, () => {});
    return () => removeEventListener("hashchange", moved);
  }, []);
  const [title, View] = VIEWS[place.name];
  left.current[place.name] = addressOf(place.name, place.query);
  useEffect(() => {
    if (document.title.startsWith(title)) return;
    if (document.title.includes(" · ")) main.current.focus(); // from one view to another
    document.title = `${title} · Cloud Incident Response`;
  }, [title]);
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); main.current.focus(); }}>To the content</a>
    <header class="top">
      <a class="brand" href=${addressOf("work")}><img src="console/page/icon.svg" alt="" width="24" height="24" /> Cloud Incident Response</a>
      <nav aria-label="Views">
        ${Object.entries(VIEWS).map(
          ([name, [said]]) => html`<a key=${name} href=${name === place.name ? addressOf(name) : (left.current[name] ?? addressOf(name))} aria-current=${name === place.name ? "page" : null}>${said}</a>`,
        )}
      </nav>
      <div class="aside">${me.tokens && me.name ? html`<button type="button" class="link" onClick=${signOut}>Sign out ${me.name}</button>` : null}<a href="docs">API</a><${ThemeChoice} /></div>
    </header>
    <main id="main" ref=${main} tabindex="-1">
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : null}
      ${tasks ? html`<${View} key=${place.name} tasks=${tasks} query=${place.query} />` : problem ? null : html`<p class="waiting">Loading …</p>`}
    </main>
  `;
}

render(html`<${Page} />`, document.body);
