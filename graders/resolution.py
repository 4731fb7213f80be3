"""remediation_planning: the cause established, the plan done in order, recovery verified, a summary that is true."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from graders.calm import share_left_alone, tells_end, tells_page
from graders.claims import Told, find_claims, find_told_of_pronouns, states, tells
from graders.conduct import FREE_WRONG, LEAST_KNOWN_OF_CALM
from graders.knowing import (
    JUDGED_BY_LOOKS,
    explain_known,
    explain_product,
    explain_steps,
    write_known,
    write_repaired,
    write_steps,
)
from graders.prose import affirms, find_mentions, find_named, split_sentences, split_words
from graders.quotes import drop_quotes
from graders.reasons import Reason, give_reason, to_percent
from graders.root_cause import drop_runbook_names, match_failure_mode, share_affirmed
from graders.score import Point
from scenarios.incident import CONFIRMING_STEPS, DECAY_STEPS, REPAIR_DECAY
from scenarios.vocabulary import FLAG, REMEDIATIONS, RUNBOOK_STEP, SERVICE, ResolutionAnswer, acts_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.conduct import Conduct
    from scenarios.incident import Calm, Truth

_MOST_SENTENCES_ABOUT = 12
"""So many sentences about the service that failed are read: what failed is told in one or two."""
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
_PAGE, _OVER, _LEFT_ALONE = (Fraction(2, 100),) * 3
"""Rows of a summary where nothing was to be repaired: with its length and its cause they add up to the same."""
_FALSE_CLAIM = Fraction(4, 100)
_SUMMARY = _LENGTH + _CAUSE + _FAILURE_MODE + _STEPS

RULES = (
    f"{float(_BASE):.2f} for submitting. Up to {float(_PLAN):.2f} for the plan: its steps done in "
    "order, times the share of the evidence for the cause seen before the first repair that worked. "
    f"Up to {float(_EFFICIENCY):.2f} for few steps, times both shares: each beyond the fewest costs "
    f"{float(_EFFICIENCY / DECAY_STEPS):.2f}; on proved incidents that run, a careful search, the repair and "
    f"{CONFIRMING_STEPS} steps more are free, and each beyond takes 1/{REPAIR_DECAY}. "
    f"After a complete plan up to {float(_VERIFIED):.2f} for a look that shows the recovery, times that evidence. "
    f"Up to {float(_SUMMARY):.2f} for a summary of three sentences or "
    "more that says in one sentence which service failed and how, and tells the repairs. Each wrong remediation costs "
    f"{float(_WRONG):.2f}, up to {float(_WRONG * _WRONG_COUNTED):.2f}; each one told and never made "
    f"{float(_FALSE_CLAIM):.2f}."
)
"""What earns points, as the on-call guide says it."""
PROVED_RULES = (
    f"{float(_BASE):.2f} for submitting. Up to {float(_PLAN):.2f} for what users are saved, for good, of what they "
    f"would still lose, times what is known of the cause. {JUDGED_BY_LOOKS} before the first repair that works. "
    f"Up to {float(_EFFICIENCY):.2f} for few steps, times what is saved and what is known: a careful search, the "
    f"repair and {CONFIRMING_STEPS} steps more are free, so look until you are certain, and each beyond takes "
    f"1/{REPAIR_DECAY}. "
    f"Up to {float(_VERIFIED):.2f} for a look that shows the recovery, times what is known. "
    f"Up to {float(_SUMMARY):.2f} for a summary of three sentences or "
    "more that says in one sentence which service failed and how, and tells the repairs. Each remediation that costs "
    f"users, loses messages, or disturbs what has no trouble costs {float(_WRONG):.2f}, up to "
    f"{float(_WRONG * _WRONG_COUNTED):.2f}, and after more than {FREE_WRONG} of them less counts as saved. Each repair "
    f"that is told and was never made costs {float(_FALSE_CLAIM):.2f}. "
    "A few incidents need no repair: they are over by themselves, or users never felt them. There only harm loses "
    f"what is saved, what is known counts from {to_percent(LEAST_KNOWN_OF_CALM)} % on, a look shows that what paged "
    "is well, and the summary says what paged, the cause, why nothing is wrong, and what you left alone."
)
"""What earns points on a proved incident that runs."""

_FEWEST_SENTENCES = 3
_FEWEST_WORDS = 5
_MOST_SERVICES_NAMED = 3


def grade_resolution(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, ResolutionAnswer):
        raise TypeError("remediation_planning is graded on a resolution")
    worked, by_outcome = conduct.evidence * conduct.completion, conduct.achieved.by_outcome
    shares = [
        explain_known(conduct, "evidence_before_effective_fix" if conduct.effective else "evidence_without_fix"),
        *_explain_achieved(conduct),
    ]
    yield Point("submission", _BASE, _BASE, (give_reason("resolution_submitted"),))
    both = (write_known(conduct), *write_repaired(conduct))
    points = _PLAN * worked
    yield Point("plan", points, _PLAN, (*shares, *explain_product(conduct, _PLAN, points, *both)))
    points = _EFFICIENCY * worked * conduct.efficiency
    product = explain_product(conduct, _EFFICIENCY, points, *both, write_steps(conduct))
    yield Point("efficiency", points, _EFFICIENCY, (*explain_steps(conduct, "steps_weighed"), *product))
    if conduct.wrong:
        yield Point(
            "wrong remediations",
            -_WRONG * min(conduct.wrong, _WRONG_COUNTED),
            Fraction(0),
            (give_reason("harmful_remediations" if by_outcome else "wrong_remediations", count=conduct.wrong),),
        )
    if conduct.verified:
        points = _VERIFIED * conduct.evidence
        product = explain_product(conduct, _VERIFIED, points, write_known(conduct))
        shown = give_reason("pager_looked_at" if conduct.achieved.calm else "recovery_shown")
        yield Point("verified recovery", points, _VERIFIED, (shown, *product))
    else:
        yield Point("verified recovery", Fraction(0), _VERIFIED, (_explain_unverified(conduct),))
    points, reasons = grade_summary(answer.summary, truth, conduct)
    yield Point("summary", points, _SUMMARY, reasons)


def _explain_achieved(conduct: Conduct) -> Iterator[Reason]:
    if conduct.achieved.calm:
        is_kept = conduct.achieved.share == 1 and not conduct.wrong
        yield give_reason("nothing_to_repair" if is_kept else "nothing_to_repair_and_harm")
        if not conduct.knows_enough:
            yield give_reason("calm_not_known")
        return
    if conduct.achieved.by_outcome:
        yield give_reason("loss_avoided", percent=to_percent(conduct.achieved.share))
        if conduct.wrong > FREE_WRONG:
            yield give_reason("tried_at_random", percent=to_percent(conduct.kept))
        return
    missing = [step.step for step in conduct.plan if step.step not in conduct.effective]
    yield give_reason("plan_steps_done", done=len(conduct.effective), steps=len(conduct.plan))
    if missing:
        yield give_reason("plan_steps_missing", missing=missing)


def _explain_unverified(conduct: Conduct) -> Reason:
    if conduct.achieved.calm:
        is_kept = conduct.achieved.share == 1 and not conduct.wrong
        return give_reason("pager_not_looked_at" if is_kept else "not_all_saved")
    if conduct.achieved.by_outcome and conduct.achieved.share < 1:
        return give_reason("not_all_saved")
    if not conduct.achieved.by_outcome and conduct.completion < 1:
        return give_reason("plan_not_completed", count=len(conduct.plan) - len(conduct.effective))
    return give_reason("recovery_not_looked_at")


def grade_summary(text: str, truth: Truth, conduct: Conduct) -> tuple[Fraction, tuple[Reason, ...]]:
    """Points for a summary: its length, its cause, its failure mode, the steps it states; less its false claims."""
    if truth.calm is not None:
        return _grade_calm_summary(text, truth, truth.calm, conduct)
    long_enough, causes = _is_long_enough(text), truth.causes
    named = sum(
        any(_names_cause(sentence, cause, conduct.services) for sentence in split_sentences(text)) for cause in causes
    )
    match = sum((_match_summary(text, cause, conduct) for cause in causes), Fraction(0)) / len(causes)
    repairs = [step for step in conduct.plan if not step.verify]
    done = [step for step in repairs if step.step in conduct.effective]
    stated = [
        step.step
        for step in done
        if states(text, step.action, step.target, conduct.services) or tells(text, step, conduct.services)
    ]
    false = _list_unquoted_claims(text, conduct)
    points = (
        _LENGTH * long_enough
        + _CAUSE * Fraction(named, len(causes))
        + _FAILURE_MODE * match
        + (_STEPS * Fraction(len(stated), len(repairs)) if repairs else 0)
        - _FALSE_CLAIM * len(false)
    )
    reasons = [
        give_reason("long_enough" if long_enough else "too_short"),
        _explain_named(named, len(causes)),
        give_reason("failure_mode_matched", percent=to_percent(match)),
        give_reason("repairs_stated", stated=len(stated), repairs=len(repairs))
        if repairs
        else give_reason("no_repair_to_tell"),
    ]
    if false:
        reasons.append(give_reason("false_claims", claimed=false))
    return max(Fraction(0), points), tuple(reasons)


def _explain_named(named: int, causes: int) -> Reason:
    if causes > 1 and 0 < named < causes:
        return give_reason("causes_named", named=named, causes=causes)
    return give_reason("cause_named" if named else "cause_not_named")


def _grade_calm_summary(text: str, truth: Truth, calm: Calm, conduct: Conduct) -> tuple[Fraction, tuple[Reason, ...]]:
    """Points for the summary of an incident in which nothing was to be repaired.

    It has to say what paged, what the cause was, and, for who knew that, why nothing is wrong and what was left alone.
    """
    long_enough, paged = _is_long_enough(text), tells_page(text, calm)
    named = any(_names_cause(sentence, truth, conduct.services) for sentence in split_sentences(text))
    match = _match_summary(text, truth, conduct)
    over, left = tells_end(text, calm), share_left_alone(text, conduct)
    is_earned = conduct.completion == 1 and conduct.knows_enough
    false = _list_unquoted_claims(text, conduct)
    points = _LENGTH * long_enough + _PAGE * paged + _CAUSE * named * match - _FALSE_CLAIM * len(false)
    if is_earned:
        points += _OVER * over + _LEFT_ALONE * left
    return max(Fraction(0), points), (
        give_reason("long_enough" if long_enough else "too_short"),
        give_reason("page_told" if paged else "page_not_told"),
        give_reason("cause_named" if named else "cause_not_named"),
        give_reason("failure_mode_matched", percent=to_percent(match)),
        give_reason("end_told" if over else "end_not_told"),
        give_reason("left_alone_told", percent=to_percent(left)),
        *(() if is_earned else (give_reason("calm_not_earned"),)),
        *((give_reason("false_claims", claimed=false),) if false else ()),
    )


def _is_long_enough(text: str) -> bool:
    return sum(len(sentence.split()) >= _FEWEST_WORDS for sentence in split_sentences(text)) >= _FEWEST_SENTENCES


def _list_unquoted_claims(text: str, conduct: Conduct) -> list[str]:
    """The remediations that a text claims and that were not made, but for what it quotes of evidence."""
    false = _list_false_claims(text, conduct)
    if false and conduct.shown:
        return _list_false_claims(drop_quotes(text, (evidence.text for evidence in conduct.shown)), conduct)
    return false


def _list_false_claims(text: str, conduct: Conduct) -> list[str]:
    """The remediations that a text claims and that were not made, by name or as what a pronoun means."""
    made = _list_made(conduct)
    never_made = [step.split(" ", 1) for step in sorted(_list_claimable(conduct) - made)]
    false = {
        f"{action} {target}"
        for action, target in never_made
        if not all(
            _tells_of_made(told, "" if acts_on(action, RUNBOOK_STEP) else target, conduct)
            for told in find_claims(text, action, target, conduct.services)
        )
    }
    for remediation in REMEDIATIONS.values():
        names = {SERVICE: conduct.services, FLAG: tuple(sorted(conduct.flags))}.get(remediation.target, ())
        for meant, told in find_told_of_pronouns(text, remediation.name, names):
            steps = [f"{remediation.name} {name}" for name in meant]
            is_made = any(_tells_of_made(told, name, conduct) for name in meant)
            if not is_made and made.isdisjoint(steps) and false.isdisjoint(steps):
                false.add(steps[-1])
    return sorted(false)


def _tells_of_made(told: Told, target: str, conduct: Conduct) -> bool:
    """Whether what is told of a target can be another remediation that was made.

    It was made on the same target, or on something else that the sentence names, such as a job of that service. What
    was made on nothing in particular has to be told by its own noun. Without a target any will do that is named.
    """
    for operation, on in map(_read_operation, _list_done(conduct)):
        if operation == told.phrase.operation or not told.phrase.tells(operation):
            continue
        if not on:
            fits = told.phrase.names(operation)
        elif on in conduct.services and target:
            fits = on == target
        else:
            fits = told.names_one((on,)) or not (target or told.names_one(conduct.services))
        if fits:
            return True
    return False


def _read_operation(step: str) -> tuple[str, str]:
    """The operation that a step of an episode is, and what it was applied to."""
    action, target, *on = step.split(" ", 2)
    return (target, "".join(on)) if acts_on(action, RUNBOOK_STEP) else (action, " ".join((target, *on)))


def _match_summary(text: str, truth: Truth, conduct: Conduct) -> Fraction:
    """How well a summary says what failed: the best of three readings.

    They are the sentences about the service that failed, those of them that tell of no repair, and the whole.
    """
    about = [
        sentence
        for sentence in split_sentences(text)
        if find_mentions(split_words(sentence), truth.service, conduct.services)
    ][:_MOST_SENTENCES_ABOUT]
    best = Fraction(0)
    for reading in _read_about(about, text, conduct):
        if share_affirmed(reading, truth) > best:
            best = max(best, match_failure_mode(reading, truth, conduct.services, conduct.shown)[0])
    return best


def _read_about(about: list[str], text: str, conduct: Conduct) -> Iterator[str]:
    yield " ".join(about)
    yield " ".join(sentence for sentence in about if not _tells_of_repair(sentence, conduct))
    yield text


def _tells_of_repair(sentence: str, conduct: Conduct) -> bool:
    made = (step.split(" ", 1) for step in sorted(conduct.attempted))
    return any(states(sentence, action, target, conduct.services) for action, target in made)


def _names_cause(sentence: str, truth: Truth, services: tuple[str, ...]) -> bool:
    named = find_named(split_words(sentence), services)
    groups = (group for failure in truth.list_failures() for group in failure.concepts)
    return (
        truth.service in named
        and len(named) <= _MOST_SERVICES_NAMED
        and any(affirms(drop_runbook_names(sentence), *group) for group in groups)
    )


def _list_made(conduct: Conduct) -> frozenset[str]:
    """What a summary may claim. A repair of the plan that was only tried too early has not been made."""
    made = _list_done(conduct)
    # A summary says which step of the runbook was done, and need not say on what.
    return made | {" ".join(step.split(" ")[:2]) for step in made}


def _list_done(conduct: Conduct) -> frozenset[str]:
    return conduct.attempted - ({step.step for step in conduct.plan if not step.verify} - conduct.effective)


def _list_claimable(conduct: Conduct) -> frozenset[str]:
    """Every remediation that a summary could claim: actions on services, flags, runbook steps."""
    steps = {step.step for step in conduct.plan}
    targets = {SERVICE: conduct.services, FLAG: conduct.flags, RUNBOOK_STEP: conduct.runbook}
    for remediation in REMEDIATIONS.values():
        steps |= {f"{remediation.name} {target}" for target in targets[remediation.target]}
    return frozenset(steps)
