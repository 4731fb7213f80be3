// Frames played like a film: they may still be coming, and are shown at the visitor's pace.

import { useEffect, useState } from "preact/hooks";

import { html } from "../view/ui.js";

export const SPEEDS = [0.5, 1, 2, 4, 8];

/** A place that moves on by itself while it plays, up to the last of `count` frames. */
export function usePlayer(count, playing = true) {
  const [place, setPlace] = useState(0);
  const [running, setRunning] = useState(playing);
  const [speed, setSpeed] = useState(1);
  const last = Math.max(0, count - 1);
  useEffect(() => {
    if (!running || place >= last) return undefined;
    const timer = setTimeout(() => setPlace((at) => Math.min(at + 1, last)), 1000 / speed);
    return () => clearTimeout(timer);
  }, [running, place, last, speed]);
  const goTo = (to) => {
    setRunning(false);
    setPlace(Math.max(0, Math.min(to, last)));
  };
  const toggle = () => {
    if (!running && place >= last) setPlace(0);
    setRunning(!running);
  };
  return { place: Math.min(place, last), last, running, speed, setSpeed, goTo, toggle, reset: (run) => { setPlace(0); setRunning(run); } };
}

export function Controls({ player, ended }) {
  const { place, last, running, speed, setSpeed, goTo, toggle } = player;
  const waiting = running && place >= last && !ended;
  return html`
    <div class="controls" role="group" aria-label="Player">
      <button class="main" onClick=${toggle}>${running && !(ended && place >= last) ? "Pause" : "Play"}</button>
      <button onClick=${() => goTo(place - 1)} disabled=${place === 0} aria-label="One step back">◀</button>
      <button onClick=${() => goTo(place + 1)} disabled=${place >= last} aria-label="One step on">▶</button>
      <label class="scrubber">
        <span>Moment</span>
        <input type="range" min="0" max=${last} value=${place} aria-valuetext="after step ${place}" onInput=${(event) => goTo(Number(event.target.value))} />
        <output>${place} of ${last}</output>
      </label>
      <label>
        <span>Speed</span>
        <select value=${speed} onChange=${(event) => setSpeed(Number(event.target.value))}>
          ${SPEEDS.map((one) => html`<option key=${one} value=${one}>${one} a second</option>`)}
        </select>
      </label>
      <span class="quiet" role="status">${waiting ? "Waiting for the agent …" : ""}</span>
    </div>
  `;
}
