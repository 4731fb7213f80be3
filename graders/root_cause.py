"""root_cause_analysis: the right service, how it failed, and whether the evidence for it was seen."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from graders.conduct import DECAY_STEPS
from graders.prose import affirms
from graders.reasons import Reason, give_reason, to_percent
from graders.score import Point
from scenarios.library import load_failure_families, load_runbook_catalogue
from scenarios.vocabulary import RootCauseAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.conduct import Conduct
    from scenarios.incident import Truth

_SERVICE = Fraction(35, 100)
_FAILURE_MODE = Fraction(25, 100)
_EFFICIENCY = Fraction(40, 100)
_WRONG_BASE = Fraction(5, 100)
_WRONG_EVIDENCE = Fraction(15, 100)
_RIVALS_TO_NOTHING = 3

RULES = (
    f"{float(_SERVICE):.2f} for the right service and up to {float(_FAILURE_MODE):.2f} for saying what failed; half of "
    "both without evidence: all of it counts only if what shows the cause (on two services or more) was seen before "
    f"the answer and before any remediation. Then up to {float(_EFFICIENCY):.2f} more for few steps: each beyond the "
    f"fewest that suffice costs {float(_EFFICIENCY / DECAY_STEPS):.2f}. A wrong service earns at most "
    f"{float(_WRONG_BASE + _WRONG_EVIDENCE):.2f}. Naming failures that did not happen costs points."
)
"""What earns points, as the on-call guide says it."""

_RUNBOOK_NAME = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, load_runbook_catalogue()))})(?!\w)", re.IGNORECASE)


def drop_runbook_names(text: str) -> str:
    """A text without the names of catalogue steps: everyone is shown those, so they say nothing of a cause."""
    return _RUNBOOK_NAME.sub(",", text) if "_" in text else text


@lru_cache(maxsize=256)
def _compile_service_names(services: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(services, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)


def _drop_service_names(text: str, services: tuple[str, ...]) -> str:
    """A text without the names of services: that one is called `publisher` says nothing of how things failed."""
    return _compile_service_names(services).sub("it", text) if services else text


def match_failure_mode(text: str, truth: Truth, services: tuple[str, ...] = ()) -> tuple[Fraction, tuple[Reason, ...]]:
    """How well a text says what failed, from 0 to 1, and why.

    The share of concept groups affirmed, divided by one more than the number of rival failure families affirmed
    beside them; three rivals or more leave nothing.
    """
    text = drop_runbook_names(text)
    missed = [group[0].replace("*", "…") for group in truth.concepts if not affirms(text, *group)]
    affirmed = len(truth.concepts) - len(missed)
    nameless = _drop_service_names(text, services)
    rivals = sorted(
        name
        for name, family in load_failure_families().items()
        if name not in truth.families and affirms(nameless, *family.terms)
    )
    share = Fraction(affirmed, len(truth.concepts))
    match = Fraction(0) if len(rivals) >= _RIVALS_TO_NOTHING else share / (1 + len(rivals))
    reasons = [give_reason("concepts_affirmed", affirmed=affirmed, concepts=len(truth.concepts))]
    if missed:
        reasons.append(give_reason("concepts_missed", missed=missed))
    if rivals:
        reasons.append(give_reason("rivals_affirmed", rivals=rivals))
    return match, tuple(reasons)


def grade_root_cause(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, RootCauseAnswer):
        raise TypeError("root_cause_analysis is graded on a root cause")
    seen = give_reason("evidence_before_any_fix", percent=to_percent(conduct.evidence))
    if answer.service != truth.service:
        wrong = give_reason("wrong_service", submitted=answer.service, truth=truth.service)
        only_right = (give_reason("only_for_the_right_service"),)
        yield Point("service", Fraction(0), _SERVICE, (wrong,))
        yield Point("failure mode", Fraction(0), _FAILURE_MODE, only_right)
        yield Point("efficiency", Fraction(0), _EFFICIENCY, only_right)
        yield Point("investigation", _WRONG_BASE + _WRONG_EVIDENCE * conduct.evidence, Fraction(0), (seen,))
        return
    known = (1 + conduct.evidence) / 2
    match, reasons = match_failure_mode(answer.failure_mode, truth, conduct.services)
    halved = (seen,) if conduct.evidence == 1 else (seen, give_reason("half_without_evidence"))
    yield Point("service", _SERVICE * known, _SERVICE, (give_reason("right_service", service=truth.service), *halved))
    yield Point("failure mode", _FAILURE_MODE * match * known, _FAILURE_MODE, (*reasons, *halved))
    if conduct.evidence == 1:
        yield Point(
            "efficiency",
            _EFFICIENCY * conduct.efficiency,
            _EFFICIENCY,
            (give_reason("steps_taken", steps=conduct.steps, fewest=conduct.fewest),),
        )
    else:
        yield Point("efficiency", Fraction(0), _EFFICIENCY, (give_reason("cause_not_established"), seen))
