"""Plots as inline SVG, each narrow enough to be read on a telephone; wide pages set several side by side.

Colours come from the page's style sheet by class: `c0` to `c7` for agents.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cloud_incident.evaluation import wording
from cloud_incident.evaluation.markup import element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_incident.evaluation.intervals import Estimate
    from cloud_incident.evaluation.markup import Markup

COLOURS = 8
WIDTH = 360
_ROOM = 250
"""For a label that has a value beside it."""
_EDGE = 6
_FOOT = 22
_SIZE = 12.5
_LATIN = 0x17F
_DASHES = (None, "7 3", "2 3", "9 3 2 3")


class Legend(NamedTuple):
    """What a plot is of: the words over it and those for readers who do not see it."""

    name: str
    title: str
    description: str


class Interval(NamedTuple):
    """A mean with its interval, on a line of its own."""

    label: str
    estimate: Estimate
    colour: int
    shown: str


class Bar(NamedTuple):
    """A value from 0 up, with what is written beside it; a label of None stands under the one before."""

    label: str | None
    value: float
    colour: int
    shown: str


class Line(NamedTuple):
    """Values at 0, 1, 2 …"""

    label: str
    values: Sequence[float]
    colour: int


def interval_plot(legend: Legend, rows: Sequence[Interval], low: float = 0.0, high: float = 1.0) -> Markup:
    """Means as dots on intervals, over an axis from `low` to `high`."""
    height, top = 38, 4
    bottom = top + height * len(rows)

    def x(value: float) -> float:
        return _EDGE + (value - low) / (high - low) * (WIDTH - 2 * _EDGE)

    marks = []
    for number, row in enumerate(rows):
        y = top + height * number
        found = row.estimate
        told = f"{row.label}: {row.shown}"
        if found.spread_known:
            told += f", {wording.interval(found)}"
        marks.append(
            element(
                "g",
                element("title", told),
                _text(_EDGE, y + 14, fitted(row.label, _ROOM), "label"),
                _text(WIDTH - _EDGE, y + 14, row.shown, "value", "end"),
                _line(x(low), y + 26, x(high), y + 26, "track"),
                _line(x(found.low), y + 26, x(found.high), y + 26, "interval") if found.spread_known else None,
                element("circle", cx=_n(x(found.mean)), cy=y + 26, r=5, class_="dot"),
                class_=_colour(row.colour),
            )
        )
    ticks = [low + (high - low) * quarter / 4 for quarter in range(5)]
    axis = [_axis(x(tick), top, bottom, f"{tick:g}", low_end=tick == low, high_end=tick == high) for tick in ticks]
    return _figure(legend, bottom + _FOOT, [*axis, *marks])


def bar_plot(legend: Legend, rows: Sequence[Bar]) -> Markup:
    """Bars from 0, each with its value in words."""
    most = max((row.value for row in rows), default=0.0) or 1.0
    longest = max(len(row.shown) for row in rows)
    room = WIDTH - 2 * _EDGE - 0.7 * _SIZE * longest - 8
    marks, y = [], 2
    for row in rows:
        if row.label is not None:
            y += 18
            marks.append(_text(_EDGE, y - 4, fitted(row.label, WIDTH - 2 * _EDGE), "label"))
        width = max(row.value / most * room, 1.5) if row.value else 0.0
        marks.append(
            element(
                "g",
                element("title", f"{row.label or ''} {row.shown}".strip()),
                element("rect", x=_EDGE, y=y + 2, width=_n(width), height=12, rx=2, class_="bar"),
                _text(_EDGE + width + 6, y + 12.5, row.shown, "value"),
                class_=_colour(row.colour),
            )
        )
        y += 18
    return _figure(legend, y + 4, marks)


def histogram_plot(legend: Legend, counts: Sequence[int], colour: int) -> Markup:
    """Columns of counts of scores; the last is of full scores alone."""
    top, floor = 18, 118
    most = max(counts) or 1
    step = (WIDTH - 2 * _EDGE) / len(counts)
    marks = [_line(_EDGE, floor, WIDTH - _EDGE, floor, "axis")]
    for number, count in enumerate(counts):
        x = _EDGE + number * step
        told = "1.0" if number == len(counts) - 1 else f"{number / 10:.1f} to below {(number + 1) / 10:.1f}"
        if count:
            tall = max(count / most * (floor - top), 1.5)
            marks.append(
                element(
                    "g",
                    element("title", f"{told}: {wording.count(count, 'episode')}"),
                    element(
                        "rect", x=_n(x + 2), y=_n(floor - tall), width=_n(step - 4), height=_n(tall), rx=2, class_="bar"
                    ),
                    _text(x + step / 2, floor - tall - 5, f"{count}", "value", "middle"),
                    class_=_colour(colour),
                )
            )
        if number in {0, 5, len(counts) - 1}:
            label = "1.0" if number == len(counts) - 1 else f"{number / 10:g}–{(number + 1) / 10:g}"
            marks.append(_text(x + step / 2, floor + 16, label, "tick", "middle"))
    return _figure(legend, floor + _FOOT, marks)


def line_plot(legend: Legend, lines: Sequence[Line], unit: str) -> Markup:
    """Lines over whole numbers, told apart by dashes as well as by colours."""
    left, top, floor = 38, 8, 168
    longest = max(len(line.values) for line in lines)
    values = [value for line in lines for value in line.values]
    ticks = nice_ticks(min(values), max(values))
    low, high = ticks[0], ticks[-1]

    def x(number: int) -> float:
        return left + number / max(longest - 1, 1) * (WIDTH - left - 10)

    def y(value: float) -> float:
        return floor - (value - low) / (high - low) * (floor - top)

    marks = [
        joined(
            [
                _line(left, y(tick), WIDTH - 10, y(tick), "axis" if tick == 0 else "grid"),
                _text(left - 6, y(tick) + 4, f"{tick:g}", "tick", "end"),
            ]
        )
        for tick in ticks
    ]
    every = max(1, -(-(longest - 1) // 5))
    marks += [_text(x(number), floor + 16, f"{number}", "tick", "middle") for number in range(0, longest, every)]
    marks.append(_text(WIDTH - 10, floor + 32, unit, "tick", "end"))
    for line in lines:
        points = " ".join(f"{_n(x(number))},{_n(y(value))}" for number, value in enumerate(line.values))
        dash = _DASHES[line.colour % len(_DASHES)]
        marks.append(
            element(
                "g",
                element("title", line.label),
                element("polyline", points=points, stroke_dasharray=dash, class_="line"),
                element("circle", cx=_n(x(len(line.values) - 1)), cy=_n(y(line.values[-1])), r=4, class_="dot"),
                class_=_colour(line.colour),
            )
        )
    return _figure(legend, floor + 38, marks)


def key(labels: Iterable[tuple[str, int]]) -> Markup:
    """Which colour and dash stands for what."""
    items = []
    for label, colour in labels:
        dash = _DASHES[colour % len(_DASHES)]
        swatch = element(
            "svg",
            element("line", x1=1, y1=6, x2=27, y2=6, stroke_dasharray=dash, class_="line"),
            viewBox="0 0 28 12",
            class_=f"swatch {_colour(colour)}",
            aria_hidden="true",
        )
        items.append(element("li", swatch, label))
    return element("ul", *items, class_="key")


def fitted(words: str, room: float) -> str:
    """As many of the words as go into so much room; letters are taken to be as wide as in the widest usual font."""
    left = room - _SIZE
    for number, letter in enumerate(words):
        left -= _SIZE * (1.05 if letter in "mwMW@%" or ord(letter) > _LATIN else 0.78 if letter.isupper() else 0.62)
        if left < 0 and number + 1 < len(words):
            return words[:number].rstrip() + "…"
    return words


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` or below to `high` or above, 0 among them, some four to seven."""
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-6:
        high = low + 1.0
    rough = (high - low) / 4
    power = 10.0 ** _floor_log10(rough)
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough * 0.999)
    first, last = -_up(-low / step), _up(high / step)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _floor_log10(value: float) -> int:
    return int(f"{value:e}".partition("e")[2])


def _up(value: float) -> int:
    return -int(-value // 1)


def _figure(legend: Legend, height: float, marks: Iterable[Markup]) -> Markup:
    name = re.sub(r"[^a-z0-9]+", "-", legend.name.casefold())
    drawn = element(
        "svg",
        element("title", legend.title, id=f"{name}-title"),
        element("desc", legend.description, id=f"{name}-desc"),
        *marks,
        viewBox=f"0 0 {WIDTH} {_n(height)}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="plot",
    )
    return element("figure", element("figcaption", legend.title), drawn)


def _axis(x: float, top: float, bottom: float, label: str, *, low_end: bool, high_end: bool) -> Markup:
    anchor = "start" if low_end else "end" if high_end else "middle"
    at = x - _EDGE / 2 if low_end else x + _EDGE / 2 if high_end else x
    return joined([_line(x, top, x, bottom, "grid"), _text(at, bottom + 14, label, "tick", anchor)])


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    return element("line", x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2), class_=class_)


def _text(x: float, y: float, words: str, class_: str, anchor: str | None = None) -> Markup:
    return element("text", words, x=_n(x), y=_n(y), class_=class_, text_anchor=anchor)


def _colour(number: int) -> str:
    return f"c{number % COLOURS}"


def _n(value: float) -> str:
    """A coordinate, short and the same on every machine."""
    return f"{round(value, 1):g}"
