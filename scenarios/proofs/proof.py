"""What is known of an incident that was proved, and why others were not."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from scenarios.proofs.calm import Calm
from scenarios.proofs.second import SecondCause
from scenarios.vocabulary import Severity


class Rejection(NamedTuple):
    """Why a draw is no incident to be scored: `pages_without`, `not_felt`, `unclear_severity`, `unclear_page`,
    `few_rivals`, `not_identifiable`, `given_away`, `not_solvable`, `nothing_to_repair` or `too_long`; where there are
    two causes also `entangled` or `overshadowed`.

    `figures` are the numbers that the judgement rests on.
    """

    reason: str
    figures: dict[str, float]


class Proof(BaseModel):
    """A proof: what follows from running an incident. Times are seconds of its run.

    `page` is the rule that fired at `fired`; on-call looks for the first time at `first_look`. `repairs` are those
    that are accepted, best first, in operations and targets; they are judged after `lasts` seconds, and the one that
    takes most needs `longest` steps until it can be seen that it helped. `stages` is the best one, with what commutes
    in one stage. Where nothing is to be repaired there are none, and `calm` says why; else it is not written.
    `suspects` are the rivals as component and family, and `masks` says for each look, written as
    `diagnostic component`, which of them it excludes: bit n of the hexadecimal number is that of suspect n.
    `certificates` are the smallest sets of looks that exclude all of them, but those of families that at the same
    component look `alike` whatever is looked at. `searched` is how many lanes were run. `searcher` is the number of
    looks after which an honest searcher knows the cause.

    Where there are two causes, all of that but page and repairs is said of the first one, of pairs in which the other
    stays, and `second` says it of the other. `later` are the masks of who looks when the second is repaired.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: str
    fired: int
    first_look: int
    severity: Severity
    lasts: int
    longest: int
    repairs: tuple[tuple[tuple[str, str], ...], ...]
    stages: tuple[tuple[tuple[str, str], ...], ...]
    searched: int
    harm_of_nothing: float
    harm_of_best: float
    suspects: tuple[tuple[str, str], ...]
    masks: dict[str, str]
    certificates: tuple[tuple[tuple[str, str], ...], ...]
    least_left: int
    calm: Calm | None = Field(default=None, exclude_if=lambda calm: calm is None)
    alike: tuple[str, ...] = ()
    searcher: int
    later: dict[str, str] = Field(default={}, exclude_if=lambda later: not later)
    second: SecondCause | None = Field(default=None, exclude_if=lambda second: second is None)
