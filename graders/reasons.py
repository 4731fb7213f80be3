"""Why a point was given or withheld: codes with facts, and the one text of each code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

Fact = str | int | list[str]

REASONS = {
    "nothing_submitted": "Nothing was submitted; {submission} was due",
    "severity_exact": "Submitted {submitted}; the incident is {truth}: exact",
    "severity_off": "Submitted {submitted}; the incident is {truth}: {count} level{s} off",
    "right_service": "{service} is right",
    "wrong_service": "{submitted} is not where it started; that was {truth}",
    "only_for_the_right_service": "Counts only for the right service",
    "evidence_before_any_fix": "{percent} % of the evidence that carries the cause was seen before any fix",
    "evidence_before_effective_fix": "{percent} % of the evidence that carries the cause was seen before the first "
    "effective fix",
    "evidence_seen": "{percent} % of the evidence that carries the cause was seen",
    "evidence_without_fix": "{percent} % of the evidence that carries the cause was seen, and no fix took effect",
    "cause_not_established": "Counts only when the cause was established",
    "concepts_affirmed": "{affirmed} of {concepts} concepts of the failure affirmed",
    "concepts_missed": "not said: {missed}",
    "rivals_affirmed": "other failures affirmed beside them: {rivals}",
    "unspecific": "{count} other failure{s} could be meant as well",
    "steps_taken": "{steps} steps; {fewest} are the fewest",
    "steps_weighed": "{steps} steps, {fewest} are the fewest: {percent} %, in proportion to evidence and plan",
    "resolution_submitted": "A resolution was submitted",
    "plan_steps_done": "{done} of {steps} plan steps were done",
    "plan_steps_missing": "not done: {missing}",
    "wrong_remediations": "{count} wrong remediation{s}",
    "recovery_shown": "A diagnostic showed the recovery after the last repair",
    "plan_not_completed": "Counts only for a completed plan; {count} of its steps {were} not done",
    "recovery_not_looked_at": "No diagnostic that shows the recovery was looked at after the last repair",
    "long_enough": "three full sentences or more",
    "too_short": "fewer than three sentences of five words",
    "cause_named": "names the cause",
    "cause_not_named": "does not say in one sentence which service failed and how",
    "failure_mode_matched": "failure mode matched to {percent} %",
    "repairs_stated": "states {stated} of the plan's {repairs} repairs as done",
    "false_claims": "claims repairs that were not made: {claimed}",
}
"""The text of every code. Names in braces are facts; `s` and `were` follow the number of the fact `count`."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code and the facts that its text tells."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


def render_reasons(reasons: Iterable[Reason]) -> str:
    """Several reasons as one text, without a full stop."""
    return "; ".join(map(_render_reason, reasons))


def give_reason(code: str, **facts: Fact) -> Reason:
    """A reason of a code with its facts."""
    return Reason(code, facts)


def to_percent(share: Fraction) -> int:
    """A share from 0 to 1 in whole percent."""
    return round(float(100 * share))


def _render_reason(reason: Reason) -> str:
    facts = {name: ", ".join(fact) if isinstance(fact, list) else fact for name, fact in reason.facts.items()}
    single = reason.facts.get("count") == 1
    return REASONS[reason.code].format(**facts, s="" if single else "s", were="was" if single else "were")
