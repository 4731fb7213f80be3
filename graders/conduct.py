"""The record of conduct: what a grader needs to know of how an incident was worked."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenarios.evidence import Evidence
    from scenarios.progress import PlanStep
    from scenarios.vocabulary import Parameters

DECAY_STEPS = 5
"""Efficiency falls from 1 to 0 over this many steps beyond the fewest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How an episode was worked, up to and including the submission.

    `evidence` is the largest share of any one certificate that was returned before the first remediation counted for
    the task. `effective` are the plan steps done, `attempted` every remediation made whatever its outcome, `wrong` the
    number of wrong ones, repeats counted. `verified` says that recovery was seen after the last repair. `shown` is all
    evidence that diagnostics returned.
    """

    submission: Parameters | None
    steps: int
    fewest: int
    evidence: Fraction
    plan: tuple[PlanStep, ...]
    effective: frozenset[str]
    attempted: frozenset[str]
    wrong: int
    verified: bool
    services: tuple[str, ...]
    flags: frozenset[str]
    shown: tuple[Evidence, ...] = ()

    @property
    def efficiency(self) -> Fraction:
        """1 for the fewest steps, falling to 0 at `DECAY_STEPS` more."""
        return max(Fraction(0), 1 - Fraction(max(0, self.steps - self.fewest), DECAY_STEPS))

    @property
    def completion(self) -> Fraction:
        """The share of the plan's steps done."""
        return Fraction(len(self.effective), len(self.plan)) if self.plan else Fraction(0)
