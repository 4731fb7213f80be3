"""What the families of drawn faults are called: in their own words, or in those of generator 1."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from scenarios.faults import FAMILIES
from scenarios.generator.library import families

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.proofs.calm import Calm

CALM: Mapping[Calm, str] = MappingProxyType(
    {
        "recovered": "It was over before on-call looked for the first time, and users are served since then.",
        "heals": "It ends by itself before anybody can know its cause, and users are served from then on.",
        "unfelt": "Users feel next to nothing of it, from its beginning on.",
        "misfires": "Its rule watches only what no user waits for, and users are served all the time.",
    }
)
"""Why there is nothing to repair, in a sentence."""
_MISFIRES = "Nothing is wrong, and the rule of the alert misfires"


def name_failure(family: str) -> str:
    """What failed, in a few words, by the name of a family; without a name nothing did."""
    return (FAMILIES[family].title or families()[family].title) if family else _MISFIRES


def word_failure(family: str) -> str:
    """What failed, in a sentence, by the name of a family."""
    return FAMILIES[family].answer or families()[family].words.answer
