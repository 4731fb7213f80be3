// Light or dark: as the system has it, until the visitor chooses.

import { useEffect, useState } from "preact/hooks";

import { html } from "../view/ui.js";

const KEPT = "theme";
const WORN = "themeworn";
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
  document.documentElement.dispatchEvent(new Event(WORN));
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // as above
  }
}

wear(kept());

/** Another number whenever light or dark may have changed: for what cannot follow the style sheet by itself. */
export function useWorn() {
  const [worn, setWorn] = useState(0);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => setWorn((times) => times + 1);
    document.documentElement.addEventListener(WORN, changed);
    system.addEventListener("change", changed);
    return () => {
      document.documentElement.removeEventListener(WORN, changed);
      system.removeEventListener("change", changed);
    };
  }, []);
  return worn;
}

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
