// What all parts of the page are made with.

import htm from "htm";
import { h } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

export const html = htm.bind(h);

export const SIGNS = { healthy: "●", degraded: "◐", failing: "▲", down: "■", unknown: "○" };

/** A health by sign, word and colour. */
export const Health = ({ health }) =>
  html`<span class="health ${health}"><span aria-hidden="true">${SIGNS[health] ?? "○"}</span> ${health}</span>`;

/** A number of points or of reward, with its sign. */
export const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

/** A number as short as it can be told. */
export const short = (value) => String(Number(value.toPrecision(5)));

/** A reference for an element, and the width of that element in CSS pixels; 0 before it is known. */
export function useWidth() {
  const element = useRef();
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    setWidth(Math.floor(element.current.getBoundingClientRect().width));
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(element.current);
    return () => watch.disconnect();
  }, []);
  return [element, width];
}
