// What all parts of the page are made with.

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);

export const SIGNS = { healthy: "●", degraded: "◐", failing: "▲", down: "■", unknown: "○" };

/** A health by sign, word and colour. */
export const Health = ({ health }) =>
  html`<span class="health ${health}"><span aria-hidden="true">${SIGNS[health] ?? "○"}</span> ${health}</span>`;

/** A number of points or of reward, with its sign. */
export const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

/** A number as short as it can be told. */
export const short = (value) => String(Number(value.toPrecision(5)));
