"""Silences: for how long the alert manager notifies nobody of a rule. The rule goes on being evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


class Silence(NamedTuple):
    """That the notifications of a rule are muted from one second of the run until another."""

    rule: str
    since: int
    until: int


Silences: TypeAlias = "Sequence[Silence]"


def find_end(silences: Silences, rule: str, at: float) -> int | None:
    """The second at which the silence of a rule ends that holds at another; None if none does."""
    return max((each.until for each in silences if each.rule == rule and each.since <= at < each.until), default=None)
