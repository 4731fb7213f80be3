// The MCP App: draws the result of one call of a tool, with what the client that shows it knows of the episode.

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { FRAMES, about, merged } from "../static/view/episode.js";
import { Host } from "./host.js";
import { html } from "../static/view/ui.js";
import { View } from "./view.js";

/** The key in a result's `_meta`: the handle of the episode that the result is about. */
const EPISODE_ID = "cloud-incident/episode_id";

/** What the page is to draw; a call of a tool is told in parts, and each part changes it. */
const told = { tool: "", service: "", handle: "current", frames: [], place: 0, text: "", cancelled: "" };
let redraw = () => {};
let measure = () => {};

const host = new Host({
  "ui/notifications/tool-input": ({ arguments: given }) => {
    told.service = given?.service ?? "";
    told.handle = given?.episode_id || told.handle;
  },
  "ui/notifications/tool-result": (result) => resulted(result),
  "ui/notifications/tool-cancelled": ({ reason }) => {
    told.cancelled = reason ?? "";
    redraw();
  },
  "ui/notifications/host-context-changed": (changed) => {
    Object.assign(host.context, changed);
    dress();
    redraw();
  },
});

function resulted(result) {
  told.text = (result.content ?? []).map((block) => block.text ?? "").join("\n");
  told.handle = result._meta?.[EPISODE_ID] ?? result.structuredContent?.episode_id ?? told.handle;
  told.tool = host.context.toolInfo?.tool.name ?? told.tool;
  const frames = result._meta?.[FRAMES];
  if (frames) show(frames);
  else if (!result.isError && canLoad()) load().catch(() => {}); // the text is there in its place
  redraw();
}

function show(frames, place = null) {
  told.frames = merged(told.frames, frames);
  told.place = place ?? about(told.frames, told.tool, told.service);
  told.handle = told.frames.at(-1).observation.episode_id;
}

const canLoad = () => Boolean(host.capabilities.serverResources || host.capabilities.serverTools);

/** Ask the server for every step so far, through the host. */
async function load() {
  if (host.capabilities.serverResources) {
    const { contents } = await host.request("resources/read", { uri: `incident://${told.handle}/frames` });
    show(JSON.parse(contents[0].text));
  } else {
    const named = told.handle === "current" ? {} : { episode_id: told.handle };
    const result = await host.request("tools/call", { name: "show_drill", arguments: named });
    if (!result._meta?.[FRAMES]) throw new Error(result.content?.[0]?.text ?? "The server told nothing of it.");
    show(result._meta[FRAMES]);
  }
  redraw();
}

/** The tab to begin with: what the call was made for. */
function firstTab() {
  const frame = told.frames[told.place];
  if (frame.grade) return "score";
  if (told.tool === "show_drill") return "map";
  if (!frame.evidence) return frame.step ? "steps" : "alert";
  return frame.evidence.action === "check_dependencies" ? "map" : "evidence";
}

function App() {
  const [, turn] = useState(0);
  const [tab, setTab] = useState(null);
  const [loading, setLoading] = useState(false);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    redraw = () => turn((count) => count + 1);
    redraw();
  }, []);
  useEffect(() => {
    setTimeout(() => measure());
  });
  if (!told.frames.length) return html`<main><pre>${told.text || (told.cancelled ? `Cancelled. ${told.cancelled}` : "Waiting for the incident …")}</pre></main>`;
  const again = async () => {
    setLoading(true);
    setProblem("");
    const newest = told.place;
    try {
      await load();
      if (told.frames.length - 1 > newest && tab === null) setTab(firstTab());
    } catch (error) {
      setProblem(`The incident could not be looked at again: ${error.message}`);
    }
    setLoading(false);
  };
  const goTo = (place) => {
    told.place = place;
    redraw();
  };
  return html`<${View} frames=${told.frames} place=${told.place} goTo=${goTo} tab=${tab ?? firstTab()} setTab=${setTab}
    load=${canLoad() ? again : null} loading=${loading} problem=${problem} enlarge=${enlarging()} />`;
}

/** The way to the full screen and back, where the host has one. */
function enlarging() {
  const { displayMode = "inline", availableDisplayModes = [] } = host.context;
  if (!availableDisplayModes.includes("fullscreen")) return null;
  const on = displayMode === "fullscreen";
  const toggle = async () => {
    const { mode } = await host.request("ui/request-display-mode", { mode: on ? "inline" : "fullscreen" });
    host.context.displayMode = mode;
    dress();
    redraw();
  };
  return { on, toggle };
}

/** Wear the host's theme and type; colours stay the page's own, whose contrast is known. */
function dress() {
  const root = document.documentElement;
  const { theme, styles, safeAreaInsets, displayMode = "inline" } = host.context;
  if (theme) root.dataset.theme = theme;
  root.dataset.mode = displayMode;
  for (const name of ["--font-sans", "--font-mono"]) {
    const value = styles?.variables?.[name];
    if (value) root.style.setProperty(name, value);
  }
  for (const [side, pixels] of Object.entries(safeAreaInsets ?? {})) root.style.setProperty(`--inset-${side}`, `${pixels}px`);
}

async function begin() {
  render(html`<${App} />`, document.body);
  await host.greet({ name: "cloud-incident", title: "Incident", version: "1" });
  told.tool = host.context.toolInfo?.tool.name ?? "";
  dress();
  measure = host.followHeight(document.body);
  redraw();
}

begin();
