"""Where the marks of the plots lie. The template `plots.svg.j2` draws them as inline SVG.

Each plot is narrow enough for a telephone; wide pages set several side by side. Colours come from the page's style
sheet by class (`c0` to `c7` for agents), so that a plot follows the reader's light or dark theme.

No plotting library draws them. Measured on the plot of three agents: ours takes 1.9 kB and 0.5 ms, has a tooltip for
each mark, and no colour or font of its own. matplotlib 3.11 takes 11.5 kB and 50 ms, has no tooltips, writes 31
fixed colours and 58 ids that repeat in the next plot, and is 137 MB installed. pygal 3.1 takes 9.8 kB and 5 ms, and
writes a script and today's date into each plot. Vega (altair 6.3 with vl-convert) takes 8.4 kB and 67 ms after a start
of 2.3 s, has fixed colours, and is 96 MB installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cloud_incident.evaluation.reporting import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.statistics import Estimate

COLOURS = 8
WIDTH = 360
"""Of every plot. All lengths are units of the SVG view box, which the page scales to the width of a panel."""
_DASHES = (None, "7 3", "2 3", "9 3 2 3")
"""Lengths of the dashes and gaps of lines, which tell lines apart without colours; None is a solid line."""

_ROOM = 250
"""For a label that has a value beside it."""
_EDGE = 6
_FOOT = 22
"""Below the axis, for the labels of its ticks."""
_SIZE = 12.5
"""Of the font."""
_LAST_LATIN = 0x17F
_LEAST = 1.5
"""The shortest bar that is drawn for a value other than 0."""


class Legend(NamedTuple):
    """What a plot is of: a name that occurs once in the page, the title above it, a description for screen readers."""

    name: str
    title: str
    description: str

    @property
    def id(self) -> str:
        """The name in characters that an id may have."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.casefold())


@dataclass(frozen=True)
class Plot:
    """What all plots have. `kind` says which macro of the template draws it."""

    kind: ClassVar[str]
    width: ClassVar[int] = WIDTH
    left: ClassVar[int] = _EDGE
    right: ClassVar[int] = WIDTH - _EDGE

    legend: Legend


class IntervalMark(NamedTuple):
    """A mean with its interval, in a row of its own."""

    label: str
    estimate: Estimate
    colour: int
    shown: str

    @property
    def short_label(self) -> str:
        """The label, as far as there is room for it."""
        return fit_label(self.label, _ROOM)

    @property
    def tooltip(self) -> str:
        """The label and the numbers in full."""
        numbers = f"{self.label}: {self.shown}"
        return f"{numbers}, {wording.format_interval(self.estimate)}" if self.estimate.spread_known else numbers


class Tick(NamedTuple):
    """A tick of an axis: where it is, what it says, and how the text is anchored to that place."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True)
class IntervalPlot(Plot):
    """Means as dots on intervals, above an axis from `low` to `high`."""

    kind: ClassVar[str] = "interval"

    marks: Sequence[IntervalMark]
    low: float = 0.0
    high: float = 1.0

    top: ClassVar[int] = 4
    row: ClassVar[int] = 38

    @property
    def bottom(self) -> float:
        return self.top + self.row * len(self.marks)

    @property
    def height(self) -> float:
        return self.bottom + _FOOT

    @property
    def ticks(self) -> Iterator[Tick]:
        """Five ticks, the outer ones with their text inside of the plot."""
        for quarter, anchor in enumerate(("start", "middle", "middle", "middle", "end")):
            value = self.low + (self.high - self.low) * quarter / 4
            yield Tick(self.to_x(value), f"{value:g}", anchor)

    def to_x(self, value: float) -> float:
        """Where a value lies from left to right."""
        return self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left)


class Bar(NamedTuple):
    """A value of 0 or more, with what is written beside it; a bar without a label belongs to the label before it."""

    label: str | None
    value: float
    colour: int
    shown: str


class PlacedBar(NamedTuple):
    """A bar with its place: the `y` of its top, its `width` and its label, as far as there is room for it."""

    bar: Bar
    label: str | None
    y: float
    width: float


@dataclass(frozen=True)
class BarPlot(Plot):
    """Horizontal bars from 0, each with its value."""

    kind: ClassVar[str] = "bar"

    bars: Sequence[Bar]

    row: ClassVar[int] = 18

    @property
    def height(self) -> float:
        return 6 + self.row * (len(self.bars) + sum(bar.label is not None for bar in self.bars))

    @property
    def places(self) -> Iterator[PlacedBar]:
        """Where each bar lies, from top to bottom."""
        most = max((bar.value for bar in self.bars), default=0.0) or 1.0
        longest = max(len(bar.shown) for bar in self.bars)
        room = self.right - self.left - 0.7 * _SIZE * longest - 8
        y = 2.0
        for bar in self.bars:
            label = None if bar.label is None else fit_label(bar.label, self.right - self.left)
            y += 0 if label is None else self.row
            yield PlacedBar(bar, label, y, max(bar.value / most * room, _LEAST) if bar.value else 0.0)
            y += self.row


class Column(NamedTuple):
    """A column of a histogram: its left edge, middle and top, what it counts and how it is called."""

    left: float
    middle: float
    top: float
    episodes: int
    name: str


@dataclass(frozen=True)
class HistogramPlot(Plot):
    """Columns of counts of scores in tenths; the last one is of full scores alone."""

    kind: ClassVar[str] = "histogram"

    counts: Sequence[int]
    colour: int

    top: ClassVar[int] = 18
    floor: ClassVar[int] = 118
    height: ClassVar[int] = floor + _FOOT

    @property
    def step(self) -> float:
        """The width of a column with the gap beside it."""
        return (self.right - self.left) / len(self.counts)

    @property
    def columns(self) -> Iterator[Column]:
        """The columns that count something."""
        most = max(self.counts) or 1
        for number, count in enumerate(self.counts):
            if count:
                left, tall = self.left + number * self.step, max(count / most * (self.floor - self.top), _LEAST)
                full = number == len(self.counts) - 1
                name = "1.0" if full else f"{number / 10:.1f} to below {(number + 1) / 10:.1f}"
                yield Column(left, left + self.step / 2, self.floor - tall, count, name)

    @property
    def ticks(self) -> Iterator[Tick]:
        """The first column, the middle one and that of full scores."""
        last = len(self.counts) - 1
        for number, label in ((0, "0–0.1"), (5, "0.5–0.6"), (last, "1.0")):
            yield Tick(self.left + (number + 0.5) * self.step, label)


class Curve(NamedTuple):
    """Values at 0, 1, 2 …"""

    label: str
    values: Sequence[float]
    colour: int


@dataclass(frozen=True)
class CurvePlot(Plot):
    """Curves over whole numbers of a `unit`."""

    kind: ClassVar[str] = "curve"

    curves: Sequence[Curve]
    unit: str

    left: ClassVar[int] = 38
    right: ClassVar[int] = WIDTH - 10
    top: ClassVar[int] = 8
    floor: ClassVar[int] = 168
    height: ClassVar[int] = floor + 38

    @cached_property
    def last(self) -> int:
        """The greatest number on the horizontal axis."""
        return max(len(curve.values) for curve in self.curves) - 1

    @cached_property
    def levels(self) -> list[float]:
        """The values that have a line across the plot."""
        values = [value for curve in self.curves for value in curve.values]
        return choose_ticks(min(values), max(values))

    @property
    def numbers(self) -> range:
        """The numbers that are written below the plot, six at most."""
        return range(0, self.last + 1, max(1, -(-self.last // 5)))

    def trace(self, curve: Curve) -> list[tuple[float, float]]:
        """The points of a curve, from left to right."""
        return [(self.to_x(number), self.to_y(value)) for number, value in enumerate(curve.values)]

    def to_x(self, number: int) -> float:
        """Where a number lies from left to right."""
        return self.left + number / max(self.last, 1) * (self.right - self.left)

    def to_y(self, value: float) -> float:
        """Where a value lies from top to bottom."""
        low, *_, high = self.levels
        return self.floor - (value - low) / (high - low) * (self.floor - self.top)


def choose_dashes(colour: int) -> str | None:
    """The dashes of lines that have this colour; None for a solid line."""
    return _DASHES[colour % len(_DASHES)]


def fit_label(words: str, room: float) -> str:
    """As many of the words as `room` holds; letters count as wide as in the widest font that is usual."""
    left = room - _SIZE
    for number, letter in enumerate(words):
        wide = letter in "mwMW@%" or ord(letter) > _LAST_LATIN
        left -= _SIZE * (1.05 if wide else 0.78 if letter.isupper() else 0.62)
        if left < 0 and number + 1 < len(words):
            return words[:number].rstrip() + "…"
    return words


def choose_ticks(low: float, high: float) -> list[float]:
    """Four to seven round numbers or so, evenly spaced, 0 among them, that enclose `low` and `high`."""
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-6:
        high = low + 1.0
    rough = (high - low) / 4
    power = 10.0 ** int(f"{rough:e}".partition("e")[2])
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= rough * 0.999)
    first, last = int(low / step // 1), -int(-high / step // 1)
    return [round(number * step, 10) for number in range(first, last + 1)]


def format_coordinate(value: float) -> str:
    """A coordinate with one decimal at most, the same on every machine."""
    return f"{round(value, 1):g}"
