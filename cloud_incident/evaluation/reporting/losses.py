"""The plot of what users lost in one episode: with the agent's actions, with nothing done, and with the best repair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cloud_incident.evaluation.reporting.plots import WIDTH, Legend, Plot, Tick, choose_ticks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.running import Trajectory
    from env_core.review import CurvesReport

_MINUTE = 60
_STEPS = (5, 10, 15, 30, 60, 120, 240, 480, 1440)
"""Minutes between the times that are written below a plot."""
_MOST_TIMES = 6
_LETTER = 6.6
_SIGNS = {"effective": ("✓", 2), "neutral": ("–", 7), "wrong": ("✗", 4)}
"""What is written at a remediation, and the number of its colour, by its verdict."""
_MOMENT, _PAGE = 7, 4


class Lane(NamedTuple):
    """A curve: its name, its shares, the minutes lost in it, and its colour and dashes."""

    name: str
    shares: list[float]
    lost: float
    colour: int
    dashes: str


class Mark(NamedTuple):
    """A moment: where it is, the row of its label and what it says, and what a tooltip says."""

    x: float
    row: int
    label: str
    anchor: str
    tooltip: str
    colour: int


@dataclass(frozen=True)
class LossPlot(Plot):
    """Three curves over the time of day, and moments as upright lines with flags."""

    kind: ClassVar[str] = "loss"
    left: ClassVar[int] = 42
    right: ClassVar[int] = WIDTH - 16
    row: ClassVar[int] = 14
    tall: ClassVar[int] = 130

    curves: CurvesReport

    @property
    def lanes(self) -> tuple[Lane, ...]:
        told, lost = self.curves, self.curves["minutes_lost"]
        return (
            Lane("the agent's actions", told["as_left"], lost["as_left"], 0, ""),
            Lane("nothing done", told["with_nothing_done"], lost["with_nothing_done"], 4, "7 3"),
            Lane("best repair", told["with_the_best_repair"], lost["with_the_best_repair"], 2, "2 3"),
        )

    @cached_property
    def marks(self) -> list[Mark]:
        """The moments in time. The line of none crosses the label of another, which is right of its own."""
        ends: list[float] = []
        marks = []
        for seconds, name, tooltip, colour in sorted(self._list_moments(), key=lambda moment: moment[0]):
            is_before = seconds < self._since
            at = self.left if is_before else self.to_x(seconds)
            label = f"◂ {name}" if is_before else name
            long = _LETTER * len(label) + 5
            flips = at + long > WIDTH
            first = at - long if flips else at
            row = 1 + max((row for row, end in enumerate(ends) if end > first - 2), default=-1)
            ends[row:] = [at if flips else at + long]
            anchor = "end" if flips else "start"
            marks.append(Mark(at, row, label, anchor, f"{_write_time(seconds)} {tooltip}", colour))
        return marks

    @property
    def top(self) -> float:
        return 6 + self.row * (1 + max(mark.row for mark in self.marks))

    @property
    def floor(self) -> float:
        return self.top + self.tall

    @property
    def height(self) -> float:
        return self.floor + 22

    @cached_property
    def levels(self) -> list[float]:
        """The shares that have a line across the plot."""
        return choose_ticks(0.0, max(share for lane in self.lanes for share in lane.shares))

    @property
    def ticks(self) -> Iterator[Tick]:
        """Times of day below the plot."""
        seconds = len(self.curves["as_left"]) * self._each
        step = _MINUTE * next((step for step in _STEPS if seconds <= _MOST_TIMES * step * _MINUTE), _STEPS[-1])
        for time in range(-(-self._since // step) * step, self._since + seconds + 1, step):
            yield Tick(self.to_x(time), _write_time(time))

    def trace(self, lane: Lane) -> list[tuple[float, float]]:
        """The points of a curve, each in the middle of its minutes."""
        return [
            (self.to_x(self._since + (number + 0.5) * self._each), self.to_y(share))
            for number, share in enumerate(lane.shares)
        ]

    def to_x(self, seconds: float) -> float:
        """Where a second since 1970 lies from left to right."""
        part = (seconds - self._since) / (len(self.curves["as_left"]) * self._each)
        return self.left + min(part, 1.0) * (self.right - self.left)

    def to_y(self, share: float) -> float:
        """Where a share lies from top to bottom."""
        return self.floor - share / self.levels[-1] * self.tall

    @cached_property
    def _since(self) -> int:
        return _read_time(self.curves["since"])

    @property
    def _each(self) -> int:
        return self.curves["minutes_each"] * _MINUTE

    def _list_moments(self) -> Iterator[tuple[int, str, str, int]]:
        """The second of each moment, its label, what it was, and its colour."""
        told = self.curves
        ended = ("answer", "the answer") if told["answered"] else ("end", "the steps ran out")
        yield _read_time(told["fault_at"]), "fault", "the fault began", _MOMENT
        yield _read_time(told["page_at"]), "page", "the page fired", _PAGE
        yield _read_time(told["first_look_at"]), "first look", "the first look", _MOMENT
        for mark in told["remediations"]:
            sign, colour = _SIGNS.get(mark["verdict"], _SIGNS["neutral"])
            said = f"step {mark['step']}: {mark['operation']} {mark['target']}, {mark['verdict']}"
            yield _read_time(mark["at"]), f"{mark['step']} {sign}", said, colour
        yield _read_time(told["ended_at"]), *ended, _MOMENT


def plot_losses(episode: Trajectory, name: str) -> LossPlot | None:
    """The plot of an episode; None if nobody told what users lost in it."""
    curves = episode.get("curves")
    if curves is None:
        return None
    lost = curves["minutes_lost"]
    description = (
        "Share of what users are worth that was not served. In all, in minutes in which nobody is served: "
        f"{lost['as_left']:g} with the agent's actions, {lost['with_nothing_done']:g} with nothing done, "
        f"{lost['with_the_best_repair']:g} with the best repair, begun at the first look: "
        f"{', '.join(curves['best_repair'])}."
    )
    return LossPlot(Legend(name, "What users lost", description), curves)


def _read_time(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _write_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M")
