"""A fault: one family, struck at one place of a world, with its numbers, its moment, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from scenarios.generator.mechanisms import CALM, MECHANISMS, Strain

if TYPE_CHECKING:
    from scenarios.generator.family import Family, Tempting
    from scenarios.generator.world import World
    from scenarios.progress import PlanStep, Progress

MINUTES_PER_STEP = 4
"""How long each remediation takes, in minutes of the incident."""


@dataclass(frozen=True)
class Fault:
    """Where and how a world fails. Minutes count from the onset.

    `focal` are the nodes under strain, which others meet first: the root itself, the node that it overloads, or those
    that hold what it handed out. `blames` says whose call of such a holder fails; holders without one fail themselves.
    `stuck` are the holders that stay broken until they are restarted. `now` is when on-call looks for the first time.
    """

    family: Family
    root: int
    focal: tuple[int, ...]
    blames: dict[int, int]
    stuck: tuple[int, ...]
    victim: int
    numbers: dict[str, float]
    now: int
    flag: str

    @cached_property
    def strained(self) -> frozenset[int]:
        """The nodes under strain."""
        return frozenset(self.focal)

    @property
    def shared(self) -> int | None:
        """The node that the root overloads, if it is another one."""
        return self.focal[0] if self.family.spread == "neighbours" else None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the plan on real targets, and the share of the fault's strength it leaves."""

    steps: tuple[PlanStep, ...]
    leaves: float | None


@dataclass(frozen=True, slots=True)
class Setback:
    """A tempting move on its real target."""

    name: str
    step: str
    target: int | None
    tempting: Tempting


class Course:
    """What has become of a fault: its strength over time, given the steps that were taken.

    Steps take effect one after another, `MINUTES_PER_STEP` apart, in the order of the plan.
    """

    def __init__(
        self, world: World, fault: Fault, stages: tuple[Stage, ...], setbacks: tuple[Setback, ...], progress: Progress
    ) -> None:
        self.world = world
        self.fault = fault
        self.done: list[tuple[int, PlanStep]] = []
        self._stages = stages
        self._falls: list[tuple[int, float]] = []
        self._released: dict[int, int] = {}
        at, left = fault.now, 1.0
        for stage in stages:
            taken = [step for step in stage.steps if step.step in progress]
            for number, step in enumerate(taken, 1):
                at += MINUTES_PER_STEP
                self.done.append((at, step))
                if stage.leaves is not None:
                    self._falls.append((at, left + (stage.leaves - left) * number / len(stage.steps)))
                if step.action == "restart_service" and (index := world.index.get(step.target)) in fault.stuck:
                    self._released[index] = at
            if stage.leaves is not None:
                left = stage.leaves
        self.repaired = all(
            step.step in progress for stage in stages if stage.leaves is not None for step in stage.steps
        )
        self.setback = None if self.repaired else next((one for one in setbacks if one.name in progress), None)
        self.set_back_at = at + MINUTES_PER_STEP
        self.end = self.set_back_at if self.setback else at
        self._held = self._strength_before_release()

    def _strength_before_release(self) -> float:
        """What is left for those who stay broken until they are restarted."""
        repairs = [stage.leaves for stage in self._stages if stage.leaves is not None]
        return repairs[-2] if len(repairs) > 1 else 1.0

    def strength(self, node: int, minute: float) -> float:
        """The share of the fault's full strength at a node, from 0; above 1 where it was made worse."""
        left = 1.0
        for at, leaves in self._falls:
            if minute >= at:
                left = leaves
        if node in self.fault.stuck:
            released = self._released.get(node)
            left = max(left, self._held) if released is None or minute < released else 0.0
        if self.setback is not None and minute >= self.set_back_at:
            left *= 1 + self.setback.tempting.worsens
        return left

    def strain(self, node: int, minute: float) -> Strain:
        """What a node is under."""
        if minute < 0 or node not in self.fault.strained:
            return CALM
        strength = self.strength(node, minute)
        if strength <= 0:
            return CALM
        found = MECHANISMS[self.fault.family.mechanism].acts(self.fault.numbers, minute, min(strength, 1.0))
        if strength > 1:
            worse = strength - 1 if self.fault.family.spread == "alert" else found.errors * (strength - 1)
            found = found._replace(errors=found.errors + worse, factor=1 + (found.factor - 1) * strength)
        return found._replace(errors=min(found.errors, 0.98)) if found.errors > 0.98 else found

    def level(self, node: int, minute: float) -> float:
        """How far, from 0 to 1, the metrics of the family have moved at the root or where it strains."""
        if minute < 0:
            return 0.0
        strength = self.strength(node, minute)
        acts = MECHANISMS[self.fault.family.mechanism].acts
        return acts(self.fault.numbers, minute, min(1.0, strength)).level if strength > 0 else 0.0
