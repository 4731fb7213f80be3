"""A scene: a world with its fault and all that goes on beside it, ready to be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from scenarios.generator.fault import Course
from scenarios.generator.simulate import Simulation, reached
from scenarios.progress import UNTOUCHED, Condition, Harm, Plan

if TYPE_CHECKING:
    from scenarios.generator.background import Background
    from scenarios.generator.fault import Fault, Setback, Stage
    from scenarios.generator.world import World
    from scenarios.progress import Progress

_MOST_VIEWS = 64
_CHANGED = 0.1
"""The share by which traffic has to change to be seen beside its noise."""
_ANY_TIME = Condition()


@dataclass(frozen=True)
class View:
    """A scene after some progress: the simulation and the minute up to which it is seen."""

    course: Course
    simulation: Simulation
    end: int
    journeys: dict[tuple[int, int, int], tuple[float, float]] = field(default_factory=dict, repr=False)
    """What is known of journeys, by entry, door and minute: `journey_failing` of the metrics asks once."""


@dataclass(frozen=True)
class Scene:
    """Everything that evidence is made from. Minutes count from the onset; `paged` is the node the alert is about."""

    world: World
    fault: Fault
    stages: tuple[Stage, ...]
    setbacks: tuple[Setback, ...]
    background: Background
    paged: int
    onset: datetime
    fired: int
    key: int
    _views: dict[Progress, View] = field(default_factory=dict, repr=False)

    @cached_property
    def plan(self) -> Plan:
        """The plan and the harms as episodes know them."""
        return Plan(
            stages=tuple(stage.steps for stage in self.stages),
            harms=tuple(Harm(one.name, one.step, _ANY_TIME, one.tempting.means) for one in self.setbacks),
        )

    @cached_property
    def touched(self) -> frozenset[int]:
        """The nodes that the fault reaches, its root, and those that the plan or a tempting move acts on."""
        acted = {step.target for stage in self.stages for step in stage.steps}
        targets = {index for name, index in self.world.index.items() if name in acted}
        targets |= {one.target for one in self.setbacks if one.target is not None}
        brokers = {
            call.callee
            for index in reached(self.world, self.fault.focal)
            for call in self.world.calls[index]
            if self.world.nodes[call.callee].kind == "queue"
        }
        return frozenset({self.fault.root, *reached(self.world, self.fault.focal), *targets, *brokers})

    @cached_property
    def moved(self) -> frozenset[int]:
        """The nodes whose evidence changes with what is done: those touched, and those whose traffic is changed."""
        ratio, now = self.first.simulation.ratio, self.fault.now
        return self.touched | {node.index for node in self.world.nodes if abs(ratio(node.index, now) - 1) > _CHANGED}

    def view(self, progress: Progress) -> View:
        """The scene after some progress."""
        found = self._views.get(progress)
        if found is None:
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            course = Course(self.world, self.fault, self.stages, self.setbacks, progress)
            found = self._views[progress] = View(course, Simulation(self.world, course), course.end)
        return found

    @cached_property
    def first(self) -> View:
        """The scene before anything is done."""
        return self.view(UNTOUCHED)

    def moment(self, minute: float) -> str:
        """A minute as evidence prints it."""
        return (self.onset + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%MZ")

    def second(self, minute: int, second: int) -> str:
        """A minute and a second as logs print them."""
        return f"{(self.onset + timedelta(minutes=minute, seconds=second)).isoformat()[:19]}Z"

    def clock(self, minute: int) -> str:
        """A minute as people say it."""
        return (self.onset + timedelta(minutes=minute)).strftime("%H:%M")


def calendar(days: int, minutes: int) -> datetime:
    """A moment of the year in which incidents play."""
    return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=days, minutes=minutes)
