"""How far an incident has been worked: the plan, the steps done, the harm caused, and conditions over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

Progress = frozenset[str]
"""Plan steps done (such as `restart_service api-gateway`) and names of harms caused. It only grows."""

UNTOUCHED: Progress = frozenset()


class Outcome(StrEnum):
    """What a remediation did.

    *effective*: in the plan, everything before it done, not done yet. *ineffective*: in the plan but premature or
    already done, or a verification outside the plan; no progress, no penalty. *wrong*: anything else.
    """

    EFFECTIVE = "effective"
    INEFFECTIVE = "ineffective"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Condition:
    """All of `holds` and none of `lacks` stand in the progress. An empty condition always holds."""

    holds: Progress = UNTOUCHED
    lacks: Progress = UNTOUCHED

    @classmethod
    def parse(cls, tokens: list[str]) -> Condition:
        """Read a list of tokens; a leading `!` means the token must be absent."""
        return cls(
            frozenset(token for token in tokens if not token.startswith("!")),
            frozenset(token[1:].strip() for token in tokens if token.startswith("!")),
        )

    def is_implied_by(self, other: Condition) -> bool:
        """Whether this one is met whenever the other is."""
        return self.holds <= other.holds and self.lacks <= other.lacks

    def is_met(self, progress: Progress) -> bool:
        return self.holds <= progress and not (self.lacks & progress)


def _name_step(action: str, target: str, on: str) -> str:
    return f"{action} {target} {on}" if on else f"{action} {target}"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A remediation as it was asked for: the action, its target and, when scaling, the number of replicas.

    A step of the runbook is a target itself; `on` is what it is applied to, if it needs that.
    """

    action: str
    target: str
    replicas: int | None = None
    on: str = ""

    @property
    def step(self) -> str:
        return _name_step(self.action, self.target, self.on)


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the plan. `replicas` is the inclusive range that counts, where the plan scales a service.

    `on` is what a step of the runbook is applied to, if it needs that.
    """

    action: str
    target: str
    verify: bool = False
    replicas: tuple[int, int] | None = None
    on: str = ""

    @property
    def step(self) -> str:
        return _name_step(self.action, self.target, self.on)

    def fits(self, remedy: Remedy) -> bool:
        if self.replicas is None or remedy.replicas is None:
            return True
        return self.replicas[0] <= remedy.replicas <= self.replicas[1]


@dataclass(frozen=True, slots=True)
class Harm:
    """What goes wrong when a remediation is tried that does not help: it changes the evidence from then on."""

    name: str
    on: str
    when: Condition
    means: str


class Pause(NamedTuple):
    """Looks that are taken before the first of some steps, since they tell nothing earlier: of a cause that hides."""

    before: frozenset[str]
    looks: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Plan:
    """The remediation plan: stages in order; the steps inside one stage commute.

    After the last repair somebody lets time pass in so many steps (`waits`) before the recovery can be seen.
    """

    stages: tuple[tuple[PlanStep, ...], ...] = ()
    harms: tuple[Harm, ...] = field(default=())
    waits: int = 0
    pause: Pause | None = None

    @cached_property
    def steps(self) -> tuple[PlanStep, ...]:
        return tuple(step for stage in self.stages for step in stage)

    @cached_property
    def repairs(self) -> tuple[PlanStep, ...]:
        """The steps that change something: all but the verifications."""
        return tuple(step for step in self.steps if not step.verify)

    @cached_property
    def _placed(self) -> dict[str, tuple[PlanStep, Progress]]:
        placed: dict[str, tuple[PlanStep, Progress]] = {}
        before: Progress = UNTOUCHED
        for stage in self.stages:
            for step in stage:
                placed[step.step] = (step, before)
            before = before | {step.step for step in stage}
        return placed

    def is_repaired(self, progress: Progress) -> bool:
        """Whether every step that is not a verification has been done."""
        return all(step.step in progress for step in self.repairs)

    def apply(self, remedy: Remedy, progress: Progress, *, verifies: bool) -> tuple[Outcome, Progress]:
        """What a remediation does now, and the progress after it.

        `verifies` says that the remedy is a step of the catalogue that only verifies.
        """
        outcome = self._outcome(remedy, progress, verifies=verifies)
        if outcome is Outcome.EFFECTIVE:
            return outcome, progress | {remedy.step}
        caused = {harm.name for harm in self.harms if harm.on == remedy.step and harm.when.is_met(progress)}
        return outcome, progress | caused if caused else progress

    def _outcome(self, remedy: Remedy, progress: Progress, *, verifies: bool) -> Outcome:
        placed = self._placed.get(remedy.step)
        if placed is None:
            return Outcome.INEFFECTIVE if verifies else Outcome.WRONG
        step, before = placed
        ready = remedy.step not in progress and before <= progress and step.fits(remedy)
        return Outcome.EFFECTIVE if ready else Outcome.INEFFECTIVE
