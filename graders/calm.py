"""What a summary has to tell of an incident in which there was nothing to repair: what paged, why, what was left alone.

Only who has done no harm and knew the cause is asked for the last two, so that to claim them unseen earns nothing.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from graders.claims import states, tells
from graders.prose import affirms, find_named, split_sentences, split_words
from graders.terms import split_set
from scenarios.progress import PlanStep
from scenarios.vocabulary import RUNBOOK_STEP, acts_on

if TYPE_CHECKING:
    from graders.conduct import Conduct
    from scenarios.incident import Calm

_PAGING = split_set(
    "page pages paged pager pagers paging alert alerts alerted alarm alarms alarmed rule fired fires firing"
)
_OVER = (
    *(
        "recover*",
        "heal*",
        "self heal*",
        "resolved",
        "clear*",
        "subsid*",
        "settled",
        "ceased",
        "stopped",
        "end*",
        "over",
    ),
    *("gone", "passed", "faded", "went away", "back to normal", "normal again", "served again", "well again"),
    *("returned to normal", "by itself", "by themselves", "on its own", "transient", "short lived", "temporary"),
    *("no longer", "drained"),
)
_UNFELT = (
    *("false alarm", "false positive", "misfire*", "harmless", "spurious", "unaffected", "cosmetic", "not affected"),
    *("no impact", "without impact", "no user*", "no customer*", "nobody", "no one", "not felt", "no effect"),
)
_LEFT = re.compile(
    r"\b(?:nothing|no|none|not|never|without|left|leave|leaving|neither|\w+n['’]t)\b[^.!?]*"
    r"\b(?:repair|remed|fix|chang|restart|roll|revert|touch|act(?:ed|ions?)?\b|do\b|done\b|interven|mitigat|scal"
    r"|alone\b|as \w+ \w+)"
    r"|\b(?:chang|touch|repair|did|do|restart)\w* nothing\b|\buntouched\b|\bhands off\b|\brefrain",
    re.IGNORECASE,
)


def tells_page(text: str, calm: Calm) -> bool:
    """Whether a sentence says what has paged: the rule, or that a service or journey of it was paged for."""
    rule, *about = calm.paged
    for sentence in split_sentences(text):
        words = split_words(sentence)
        if find_named(words, (rule,)) or (not _PAGING.isdisjoint(words) and find_named(words, tuple(about))):
            return True
    return False


def tells_end(text: str, calm: Calm) -> bool:
    """Whether a text says why nothing is wrong: that it is over, or that nobody has felt it."""
    return affirms(text, *(_OVER if calm.is_over else _UNFELT))


def share_left_alone(text: str, conduct: Conduct) -> Fraction:
    """Whether a text says that nothing was changed; or of what was changed, how much of it is told."""
    if not conduct.attempted:
        return Fraction(_LEFT.search(text) is not None)
    done = [_read_step(step) for step in sorted(conduct.attempted)]
    told = [
        step
        for step in done
        if states(text, step.action, step.target, conduct.services) or tells(text, step, conduct.services)
    ]
    return Fraction(len(told), len(done))


def _read_step(step: str) -> PlanStep:
    action, target, *on = step.split(" ", 2)
    return PlanStep(action, target, on="".join(on)) if acts_on(action, RUNBOOK_STEP) else PlanStep(action, target)
