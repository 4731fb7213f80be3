"""The record of conduct: what a grader needs to know of how an incident was worked."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenarios.evidence import Evidence
    from scenarios.incident import Achieved, Known, Pace
    from scenarios.progress import PlanStep
    from scenarios.vocabulary import Parameters

FREE_WRONG = 3
LEAST_KNOWN_OF_CALM = Fraction(9, 10)
"""Who knows less of the cause does not know that there is nothing to repair."""
_WRONG_UNTIL_NOTHING = 4
"""After so many wrong remediations more than these nothing is paid for what was repaired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How an episode was worked, up to and including the submission.

    `known` is what was known of the cause before the first remediation that counts for the task, `pace` how many steps
    it is worth, and `achieved` what was repaired at the end. `plan` are the steps that were to be done, `effective`
    those that were, `attempted` is every remediation made whatever its outcome, `wrong` the number of wrong ones,
    repeats counted. `runbook` are the steps that somebody may claim. `verified` says that recovery was seen after the
    last repair. `shown` is all evidence that diagnostics returned.
    """

    submission: Parameters | None
    steps: int
    pace: Pace
    known: Known
    achieved: Achieved
    plan: tuple[PlanStep, ...]
    effective: frozenset[str]
    attempted: frozenset[str]
    wrong: int
    verified: bool
    services: tuple[str, ...]
    flags: frozenset[str]
    runbook: Collection[str]
    shown: tuple[Evidence, ...] = ()

    @property
    def evidence(self) -> Fraction:
        """How much of what shows the cause was seen in time, 0 to 1.

        Where there is nothing to repair, it is nothing for who has not seen next to all of it.
        """
        return self.known.share if self.knows_enough else Fraction(0)

    @property
    def knows_enough(self) -> bool:
        """Whether enough was seen for any of it to count."""
        return not self.achieved.calm or self.known.share >= LEAST_KNOWN_OF_CALM

    @property
    def efficiency(self) -> Fraction:
        """1 for the steps that are free, falling to 0 with more."""
        return max(Fraction(0), 1 - Fraction(max(0, self.steps - self.pace.free), self.pace.decay))

    @property
    def completion(self) -> Fraction:
        """The share that is repaired: of the plan, or of what users could be saved.

        The latter shrinks with wrong remediations beyond `FREE_WRONG`, so that nobody finds a repair by trying all.
        """
        return self.achieved.share * self.kept

    @property
    def kept(self) -> Fraction:
        """The share of what is repaired that wrong remediations leave: nothing, where there was nothing to repair."""
        if self.achieved.calm:
            return Fraction(not self.wrong)
        if not self.achieved.by_outcome:
            return Fraction(1)
        beyond = max(0, self.wrong - FREE_WRONG)
        return max(Fraction(0), 1 - Fraction(beyond, _WRONG_UNTIL_NOTHING))
