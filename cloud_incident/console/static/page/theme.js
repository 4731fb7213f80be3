// Light or dark: as the system has it, until the visitor chooses.

import { useState } from "preact/hooks";

import { html } from "../view/ui.js";

const KEPT = "theme";
const CHOICES = { "": "as the system", light: "light", dark: "dark" };

const kept = () => {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return ""; // no storage here; the choice lasts as long as the page
  }
};

function wear(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // as above
  }
}

wear(kept());

export function ThemeChoice() {
  const [theme, setTheme] = useState(kept());
  const changed = (event) => {
    setTheme(event.target.value);
    wear(event.target.value);
  };
  return html`
    <label class="theme">
      <span>Theme</span>
      <select value=${theme} onChange=${changed}>
        ${Object.entries(CHOICES).map(([value, said]) => html`<option key=${value} value=${value}>${said}</option>`)}
      </select>
    </label>
  `;
}
