"""Why a point was given or withheld: codes with facts, and the one text of each code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenarios.incident import DECAY_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from fractions import Fraction

Fact = str | int | list[str]

_PER_STEP = f"{100 // DECAY_STEPS} %"

REASONS = {
    "nothing_submitted": "{submission} was not called before the steps ran out, so nothing is earned",
    "severity_exact": "Submitted {submitted}, and the incident is {truth}",
    "severity_off": "Submitted {submitted}, but the incident is {truth}: {count} level{s} off",
    "right_service": "{service} is where it started",
    "wrong_service": "{submitted} was named, but it started in {truth}",
    "only_for_the_right_service": "Earned only with the right service",
    "evidence_before_any_fix": "{percent} % of the evidence that shows the cause was seen before anything was changed",
    "half_without_evidence": "with none of it these points are halved, with all of it they are full",
    "evidence_before_effective_fix": "{percent} % of the evidence that shows the cause was seen before the first "
    "effective fix",
    "evidence_seen": "{percent} % of the evidence that shows the cause was seen",
    "evidence_without_fix": "{percent} % of the evidence that shows the cause was seen, and no fix took effect",
    "explanations_left": "What was seen {when} leaves {left} of the {start} explanations that the alert has: "
    "{percent} % of what can be known (1 − ln {left} ÷ ln {start})",
    "explanations_left_of_two": "What was seen before something was done about each of the two causes leaves {left} of "
    "the {start} explanations of the first and {other_left} of the {other_start} of the second: {percent} % of what "
    "can be known (the mean of 1 − ln {left} ÷ ln {start} and 1 − ln {other_left} ÷ ln {other_start})",
    "too_many_explanations": "Opened by more than half of what can be known",
    "cause_not_established": "Earned only if all of the evidence that shows the cause was seen",
    "concepts_affirmed": "the text says {affirmed} of the {concepts} things that make up this failure",
    "concepts_missed": "not said: {missed}",
    "rivals_affirmed": "it also names failures that did not happen, which lowers these points: {rivals}",
    "nearest_failure": "in all its words it is nearer to this failure than to any other",
    "no_failure_near": "in all its words it says no failure in particular",
    "another_failure_nearer": "in all its words it says another failure rather than this one",
    "guesses_listed": "it lists what it could have been, and commits to nothing",
    "unspecific": "it fits {count} other failure{s} as well, which lowers these points",
    "steps_taken": "{steps} steps were used and {fewest} would have been enough; "
    f"each step more takes {_PER_STEP} of these points",
    "steps_weighed": "{steps} steps were used and {fewest} would have been enough; "
    f"each step more takes {_PER_STEP}, which leaves {{percent}} %, times the shares of the evidence and of the plan",
    "steps_beyond_free": "{steps} steps were used and {free} take nothing of these points; each step more takes "
    "1/{decay} of them, which leaves {percent} %",
    "resolution_submitted": "A resolution was submitted",
    "plan_steps_done": "{done} of {steps} steps of the plan were done in order; the two shares are multiplied",
    "loss_avoided": "{percent} % of what users would still have lost was saved, and for good",
    "tried_at_random": "so many wrong remediations leave {percent} % of that",
    "product": "{factors} = {points}",
    "not_all_saved": "Earned only if users are served again for good as well as they could be",
    "plan_steps_missing": "not done: {missing}",
    "wrong_remediations": "{count} remediation{s} did not help",
    "harmful_remediations": "{count} remediation{s} cost users, lost messages, or disturbed what had no trouble",
    "recovery_shown": "After the last repair a diagnostic was looked at that shows the recovery",
    "plan_not_completed": "Earned only with the whole plan done; {count} of its steps {were} not done",
    "recovery_not_looked_at": "After the last repair no diagnostic was looked at that shows the recovery",
    "nothing_to_repair": "There was nothing to repair, and users are no worse off",
    "nothing_to_repair_and_harm": "There was nothing to repair, and what was done has harmed",
    "calm_not_known": "Where nothing is to be repaired, what is known counts from 90 % on",
    "pager_looked_at": "A diagnostic was looked at that shows that what paged is well",
    "pager_not_looked_at": "No diagnostic was looked at that shows that what paged is well",
    "page_told": "it says what paged",
    "page_not_told": "it does not say what paged",
    "end_told": "it says why nothing is wrong",
    "end_not_told": "it does not say why nothing is wrong",
    "left_alone_told": "{percent} % of what was done or left alone is told",
    "calm_not_earned": "these two count only for who knew the cause and did no harm",
    "long_enough": "The summary has three sentences or more",
    "too_short": "The summary has fewer than three sentences of five words or more",
    "cause_named": "a sentence says which service failed and how",
    "causes_named": "sentences say of {named} of the {causes} services that failed which they are and how",
    "cause_not_named": "no sentence says both which service failed and how",
    "failure_mode_matched": "{percent} % of what failed is described",
    "repairs_stated": "{stated} of the {repairs} repairs of the plan are told as done",
    "no_repair_to_tell": "no repair took effect that could be told",
    "false_claims": "it claims repairs that were not made: {claimed}",
}
"""The text of every code. Names in braces are facts; `s` and `were` follow the number of the fact `count`."""
CALM_REASONS = frozenset({"nothing_to_repair", "nothing_to_repair_and_harm"})
"""Of these one stands in each grade of a resolution where there was nothing to repair."""


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


def write_share(share: Fraction) -> str:
    """A share as a number to compute with: four decimals, or fewer if those say all."""
    return f"{float(share):.4f}".rstrip("0").rstrip(".")


def to_percent(share: Fraction) -> int:
    """A share from 0 to 1 in whole percent."""
    return round(float(100 * share))


def _render_reason(reason: Reason) -> str:
    facts = {name: ", ".join(fact) if isinstance(fact, list) else fact for name, fact in reason.facts.items()}
    if "rivals" in facts:
        facts["rivals"] = str(facts["rivals"]).replace("_", " ")
    single = reason.facts.get("count") == 1
    return REASONS[reason.code].format(**facts, s="" if single else "s", were="was" if single else "were")
