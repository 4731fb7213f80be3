"""What the families of drawn faults are called: in their own words, or in those of generator 1."""

from __future__ import annotations

from scenarios.faults import FAMILIES
from scenarios.generator.library import families

_MISFIRES = "Nothing is wrong, and the rule of the alert misfires"


def name_failure(family: str) -> str:
    """What failed, in a few words, by the name of a family; without a name nothing did."""
    return (FAMILIES[family].title or families()[family].title) if family else _MISFIRES


def word_failure(family: str) -> str:
    """What failed, in a sentence, by the name of a family."""
    return FAMILIES[family].answer or families()[family].words.answer
