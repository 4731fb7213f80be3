// Tabs, as the keyboard knows them: arrows move between them, and one panel shows the chosen one.

import { useRef } from "preact/hooks";

import { html } from "./ui.js";

export function Tabs({ label, tabs, chosen, choose, panel = "panel" }) {
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
    <div class="tabs" role="tablist" aria-label=${label} ref=${list} onKeyDown=${moved}>
      ${tabs.map(
        ([id, name]) => html`
          <button key=${id} id="${panel}-${id}" role="tab" aria-selected=${id === chosen} aria-controls=${panel}
            tabindex=${id === chosen ? 0 : -1} onClick=${() => choose(id)}>${name}</button>
        `,
      )}
    </div>
  `;
}
