"""remediation_planning: the cause established, the plan done in order, recovery verified, a summary that is true."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from graders.claims import claims, states
from graders.prose import affirms, mentions, sentences, tokens
from graders.root_cause import failure_mode_match, without_runbook_names
from graders.score import Point
from scenarios.actions import VOCABULARY, Kind, ResolutionAnswer
from scenarios.library import runbook_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.conduct import Conduct
    from scenarios.incident import Truth

_BASE = Fraction(10, 100)
_PLAN = Fraction(40, 100)
_EFFICIENCY = Fraction(30, 100)
_WRONG = Fraction(10, 100)
_WRONG_COUNTED = 3
_VERIFIED = Fraction(10, 100)

_LENGTH = Fraction(2, 100)
_CAUSE = Fraction(2, 100)
_FAILURE_MODE = Fraction(2, 100)
_STEPS = Fraction(4, 100)
_FALSE_CLAIM = Fraction(4, 100)
_SUMMARY = _LENGTH + _CAUSE + _FAILURE_MODE + _STEPS

_FEWEST_SENTENCES = 3
_FEWEST_WORDS = 5
_MOST_SERVICES_NAMED = 3


def resolution_points(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, ResolutionAnswer):
        raise TypeError("remediation_planning is graded on a resolution")
    worked = conduct.evidence * conduct.completed
    missing = [step.step for step in conduct.plan if step.step not in conduct.effective]
    shares = (
        f"{round(float(100 * conduct.evidence))} % of the evidence that carries the cause was seen before the first "
        f"effective fix; {len(conduct.effective)} of {len(conduct.plan)} plan steps were done"
        + (f"; not done: {', '.join(missing)}" if missing else "")
    )
    yield Point("submission", _BASE, _BASE, "A resolution was submitted.")
    yield Point("plan", _PLAN * worked, _PLAN, f"{shares}.")
    yield Point(
        "efficiency",
        _EFFICIENCY * worked * conduct.efficiency,
        _EFFICIENCY,
        f"{conduct.steps} steps, {conduct.fewest} are the fewest: {round(float(100 * conduct.efficiency))} %, "
        "in proportion to evidence and plan.",
    )
    if conduct.wrong:
        yield Point(
            "wrong remediations",
            -_WRONG * min(conduct.wrong, _WRONG_COUNTED),
            Fraction(0),
            f"{conduct.wrong} wrong remediation{'s' if conduct.wrong > 1 else ''}.",
        )
    yield Point(
        "verified recovery",
        _VERIFIED if conduct.verified else Fraction(0),
        _VERIFIED,
        "A diagnostic showed the recovery after the last repair." if conduct.verified else _unverified(conduct),
    )
    points, reason = summary_points(answer.summary, truth, conduct)
    yield Point("summary", points, _SUMMARY, reason)


def _unverified(conduct: Conduct) -> str:
    if conduct.completed < 1:
        missing = len(conduct.plan) - len(conduct.effective)
        return f"Counts only for a completed plan; {missing} of its steps {'was' if missing == 1 else 'were'} not done."
    return "No diagnostic that shows the recovery was looked at after the last repair."


def summary_points(text: str, truth: Truth, conduct: Conduct) -> tuple[Fraction, str]:
    """Points for a summary: its length, its cause, its failure mode, the steps it states; less its false claims."""
    long_enough = sum(len(sentence.split()) >= _FEWEST_WORDS for sentence in sentences(text)) >= _FEWEST_SENTENCES
    named = any(_names_cause(sentence, truth, conduct.services) for sentence in sentences(text))
    match, _ = failure_mode_match(text, truth, conduct.services)
    repairs = [step for step in conduct.plan if not step.verify]
    done = [step for step in repairs if step.step in conduct.effective]
    stated = [step.step for step in done if states(text, step.action, step.target, conduct.services)]
    never_made = [step.split(" ", 1) for step in sorted(_claimable(conduct) - _made(conduct))]
    false = [f"{action} {target}" for action, target in never_made if claims(text, action, target, conduct.services)]
    points = (
        _LENGTH * long_enough
        + _CAUSE * named
        + _FAILURE_MODE * match
        + (_STEPS * Fraction(len(stated), len(repairs)) if repairs else 0)
        - _FALSE_CLAIM * len(false)
    )
    reasons = [
        "three full sentences or more" if long_enough else "fewer than three sentences of five words",
        "names the cause" if named else "does not say in one sentence which service failed and how",
        f"failure mode matched to {round(float(100 * match))} %",
        f"states {len(stated)} of the plan's {len(repairs)} repairs as done",
    ]
    if false:
        reasons.append(f"claims repairs that were not made: {', '.join(false)}")
    return max(Fraction(0), points), f"{'; '.join(reasons)}."


def _names_cause(sentence: str, truth: Truth, services: tuple[str, ...]) -> bool:
    words = tokens(sentence)
    named = [service for service in services if mentions(words, service, services)]
    return (
        truth.service in named
        and len(named) <= _MOST_SERVICES_NAMED
        and any(affirms(without_runbook_names(sentence), *group) for group in truth.concepts)
    )


def _made(conduct: Conduct) -> frozenset[str]:
    """What a summary may claim. A repair of the plan that was only tried too early has not been made."""
    without_effect = {step.step for step in conduct.plan if not step.verify} - conduct.effective
    return conduct.attempted - without_effect


def _claimable(conduct: Conduct) -> frozenset[str]:
    """Every remediation that a summary could claim: actions on services, flags, runbook steps."""
    steps = {step.step for step in conduct.plan}
    for spec in VOCABULARY.values():
        if spec.kind is Kind.REMEDIATION and spec.target == "service":
            steps |= {f"{spec.name} {service}" for service in conduct.services}
        if spec.target == "flag":
            steps |= {f"{spec.name} {flag}" for flag in conduct.flags}
        if spec.target == "runbook_action":
            steps |= {f"{spec.name} {step}" for step in runbook_catalogue()}
    return frozenset(steps)
