"""root_cause_analysis: the right service, how it failed, and whether the evidence for it was seen."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graders.guessing import lists_guesses
from graders.hedging import TOO_MANY, count_equals, find_hedges, keep_affirmed
from graders.knowing import JUDGED_BY_LOOKS, explain_known, explain_product, explain_steps, write_factor, write_steps
from graders.nearness import Nearness, measure_nearness
from graders.prose import find_affirmed
from graders.quotes import drop_quotes
from graders.reasons import Reason, give_reason, write_share
from graders.score import DECIMALS, Point
from scenarios.incident import CONFIRMING_STEPS, DECAY_STEPS, DIAGNOSIS_DECAY
from scenarios.library import load_runbook_catalogue
from scenarios.vocabulary import RootCauseAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graders.conduct import Conduct
    from scenarios.evidence import Evidence
    from scenarios.incident import Truth

_SERVICE = Fraction(35, 100)
_FAILURE_MODE = Fraction(25, 100)
_EFFICIENCY = Fraction(40, 100)
_WRONG_BASE = Fraction(5, 100)
_WRONG_EVIDENCE = Fraction(15, 100)
_NEARER_THAN_OTHERS, _NEARER_THAN_NOTHING, _FAR = 0.3, -2.0, -4.0
"""In log-odds. Chosen on answers about some incidents with weights fitted to answers about others."""
_OWN_WORDS_NEARER = -0.5
"""By words that no evidence has. Lower, and the note of a change is paid in any order of its words."""
_FAR_FROM_ANOTHER = -1.0
"""Of right answers that weights were not fitted to, none came below -0.5."""
_IDEAS = ("what it happened to", "what happened to it", "where or through what")

RULES = (
    f"{float(_SERVICE):.2f} for the right service and up to {float(_FAILURE_MODE):.2f} for saying what failed; half of "
    "both without evidence: what shows the cause (on two services or more) has to be seen before any remediation. "
    f"Then up to {float(_EFFICIENCY):.2f} more for few steps: each beyond the "
    f"fewest costs {float(_EFFICIENCY / DECAY_STEPS):.2f}; on proved incidents that run, a careful search and "
    f"{CONFIRMING_STEPS} looks more are free, so look until you are certain, and each beyond takes "
    f"1/{DIAGNOSIS_DECAY}. A wrong service earns at most "
    f"{float(_WRONG_BASE + _WRONG_EVIDENCE):.2f}. Naming other failures or mostly symptoms costs points."
)
"""What earns points, as the on-call guide says it."""
PROVED_RULES = (
    f"{float(_SERVICE):.2f} for the right service and up to {float(_FAILURE_MODE):.2f} for saying what failed; half of "
    f"both if nothing is known. {JUDGED_BY_LOOKS} before any remediation. "
    f"Once more than half of it is known, up to {float(_EFFICIENCY):.2f} more for few steps: a careful search and "
    f"{CONFIRMING_STEPS} looks more are free, so look until you are certain, and each beyond takes "
    f"1/{DIAGNOSIS_DECAY}. A wrong service earns at most "
    f"{float(_WRONG_BASE + _WRONG_EVIDENCE):.2f}. Naming other failures or mostly symptoms costs points."
)
"""What earns points on a proved incident that runs."""

_RUNBOOK_WORD = re.compile(r"(?<!\w)[^\W_]+_\w+")
_NAME = re.compile(r"[\w-]+")


class _Ideas(NamedTuple):
    """The share of a failure's ideas that a text affirms, and how many other failures have a part of it."""

    share: Fraction
    others: int
    reasons: tuple[Reason, ...]


def drop_runbook_names(text: str) -> str:
    """A text without the names of catalogue steps: everyone is shown those, so they say nothing of a cause."""
    return _replace_names(text, tuple(load_runbook_catalogue()), _RUNBOOK_WORD, ",") if "_" in text else text


@lru_cache(maxsize=256)
def _list_foldings(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


@lru_cache(maxsize=256)
def _compile_names(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


def _replace_names(text: str, names: tuple[str, ...], word: re.Pattern[str], by: str) -> str:
    """Put something in place of names that are words of a text, in whatever case they are written.

    Words are looked up, since a pattern of all names would try every name at every word.
    """
    known = _list_foldings(names)

    def replace(match: re.Match[str]) -> str:
        found = match[0]
        named = found.lower() in known if found.isascii() else _compile_names(names).fullmatch(found) is not None
        return by if named else found

    return word.sub(replace, text)


def _drop_service_names(text: str, services: tuple[str, ...]) -> str:
    """A text without the names of services: that one is called `publisher` says nothing of how things failed."""
    return _replace_names(text, services, _NAME, "it") if services else text


def leave_names(text: str, services: tuple[str, ...]) -> str:
    """A text without the names of services and of catalogue steps."""
    return _drop_service_names(drop_runbook_names(text), services)


def share_affirmed(text: str, truth: Truth) -> Fraction:
    """The share of the ideas of the true failure that a text affirms, 0 to 1: the most that it can match."""
    text = drop_runbook_names(text)
    each = [find_affirmed(text, failure.concepts).groups for failure in truth.list_failures()]
    return max(Fraction(sum(said), len(said)) for said in each)


def match_failure_mode(
    text: str, truth: Truth, services: tuple[str, ...] = (), shown: Iterable[Evidence] = ()
) -> tuple[Fraction, tuple[Reason, ...]]:
    """How well a text says what failed, from 0 to 1, and why.

    All ideas affirmed give 1, divided by one more than the number of hedges beside them. Some of the ideas give their
    share, divided by one more than the number of failures of which as much is affirmed. A text may name three
    failures: with three beside the true one nothing is left, nor with one that it says more of. What it quotes of the
    evidence that was `shown` names no failure but the true one. Of failures that look the same, the one that the text
    says best is taken. A list of guesses is worth nothing.

    Where answers to the true failure were collected (`Truth.fault`), half of its ideas do if all the words of a text
    are nearer to it than to any other failure, also without those that stand in the evidence that was `shown`. No ideas
    do if the words are nearer to another failure of which an idea is affirmed, be it a symptom that was there, or far
    nearer to any, or to none in particular; and of several that they are as near to, each has its share. So with the
    same services and the same evidence shown a text divides the points of one failure, unless some look the same.
    """
    if lists_guesses(text, services):
        return Fraction(0), (give_reason("guesses_listed"),)
    quoted = tuple(shown)
    failures = truth.list_failures()
    alike = frozenset(failure.fault for failure in failures)
    matches = [_match_failure(text, failure, services, quoted, alike) for failure in failures]
    return max(matches, key=lambda match: match[0])


def _match_failure(
    text: str, truth: Truth, services: tuple[str, ...], shown: tuple[Evidence, ...], alike: frozenset[str]
) -> tuple[Fraction, tuple[Reason, ...]]:
    share, others, reasons = _match_ideas(text, truth, services, shown)
    by_lists = share / (1 + others)
    said = find_affirmed(drop_runbook_names(text), truth.concepts).groups
    own_words = _leave_own_words(text, services, shown)
    near = measure_nearness(own_words, truth.fault, alike)
    if near is None:
        return by_lists, reasons
    if by_lists < 1 and 2 * sum(said) >= len(said) and _is_nearest(own_words, truth.fault, near, alike, shown):
        return Fraction(1), (give_reason("nearest_failure"),)
    if share and near.than_nothing < _FAR:
        return Fraction(0), (*reasons, give_reason("no_failure_near"))
    if share and (near.than_others < _FAR_FROM_ANOTHER or keep_affirmed(own_words, near.nearer)):
        return Fraction(0), (*reasons, give_reason("another_failure_nearer"))
    as_near = len(keep_affirmed(own_words, near.as_near)) if share else 0
    if as_near > others:
        reasons = (*reasons, give_reason("unspecific", count=as_near))
    return share / (1 + max(others, as_near)), reasons


def _is_nearest(text: str, failure: str, near: Nearness, alike: frozenset[str], shown: tuple[Evidence, ...]) -> bool:
    """Whether a text is near to a failure, and to no other as near, by all of its words and by those of its own.

    Who copies words of a change or of logs, in whatever order, has not said how they hang together.
    """
    if near.than_others < _NEARER_THAN_OTHERS or near.than_nothing < _NEARER_THAN_NOTHING:
        return False
    own = measure_nearness(text, failure, alike, tuple(evidence.text for evidence in shown)) if shown else near
    return own is not None and own.than_others >= _OWN_WORDS_NEARER


def _leave_own_words(text: str, services: tuple[str, ...], shown: tuple[Evidence, ...]) -> str:
    """What is not quoted of the evidence that was shown, and names nothing."""
    return leave_names(drop_quotes(text, (evidence.text for evidence in shown)) if shown else text, services)


def _match_ideas(text: str, truth: Truth, services: tuple[str, ...], shown: tuple[Evidence, ...]) -> _Ideas:
    text = drop_runbook_names(text)
    said = find_affirmed(text, truth.concepts).groups
    nameless = _drop_service_names(text, services)
    share = Fraction(sum(said), len(said))
    hedges = find_hedges(nameless, truth)
    if hedges.named and shown:
        nameless = _leave_own_words(text, services, shown)
        hedges = find_hedges(nameless, truth)
    others = count_equals(nameless, truth, share) if 0 < share < 1 else len(hedges.sharing)
    beside = hedges.sharing if share == 1 else hedges.named
    spoilt = len(hedges.named) >= TOO_MANY or others >= TOO_MANY or hedges.prevails or (share < 1 and bool(beside))
    reasons = [give_reason("concepts_affirmed", affirmed=sum(said), concepts=len(said))]
    if not all(said):
        missed = [name for name, is_said in zip(_name_ideas(len(said)), said, strict=True) if not is_said]
        reasons.append(give_reason("concepts_missed", missed=missed))
    if spoilt and hedges.named:
        beside = hedges.named
    if beside:
        reasons.append(give_reason("rivals_affirmed", rivals=list(beside)))
    elif others:
        reasons.append(give_reason("unspecific", count=others))
    return _Ideas(Fraction(0) if spoilt else share, others, tuple(reasons))


def _name_ideas(count: int) -> list[str]:
    """What each of the ideas of a failure is about, in the order in which truths list them."""
    return [*_IDEAS, *(f"idea {number}" for number in range(len(_IDEAS) + 1, count + 1))][:count]


def grade_root_cause(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    answer = conduct.submission
    if not isinstance(answer, RootCauseAnswer):
        raise TypeError("root_cause_analysis is graded on a root cause")
    seen = explain_known(conduct, "evidence_before_any_fix" if conduct.attempted else "evidence_seen")
    if answer.service != truth.service:
        wrong = give_reason("wrong_service", submitted=answer.service, truth=truth.service)
        only_right = (give_reason("only_for_the_right_service"),)
        yield Point("service", Fraction(0), _SERVICE, (wrong,))
        yield Point("failure mode", Fraction(0), _FAILURE_MODE, only_right)
        yield Point("efficiency", Fraction(0), _EFFICIENCY, only_right)
        points = _WRONG_BASE + _WRONG_EVIDENCE * conduct.evidence
        yield Point("investigation", points, Fraction(0), (seen, *_explain_investigation(conduct, points)))
        return
    known = (1 + conduct.evidence) / 2
    match, reasons = match_failure_mode(answer.failure_mode, truth, conduct.services, conduct.shown)
    halved = (seen,) if conduct.evidence == 1 else (seen, give_reason("half_without_evidence"))
    half = f"(1 + {write_share(conduct.evidence)} (known)) ÷ 2"
    points = _SERVICE * known
    right = give_reason("right_service", service=truth.service)
    yield Point("service", points, _SERVICE, (right, *halved, *explain_product(conduct, _SERVICE, points, half)))
    points = _FAILURE_MODE * match * known
    product = explain_product(conduct, _FAILURE_MODE, points, write_factor(match, "what the text says"), half)
    yield Point("failure mode", points, _FAILURE_MODE, (*reasons, *halved, *product))
    if conduct.known.opens:
        points = _EFFICIENCY * conduct.efficiency * conduct.known.opens
        opened = f"(2 × {write_share(conduct.evidence)} (known) − 1)"
        product = explain_product(conduct, _EFFICIENCY, points, write_steps(conduct), opened)
        yield Point("efficiency", points, _EFFICIENCY, (*explain_steps(conduct, "steps_taken"), *product))
    else:
        unknown = "too_many_explanations" if conduct.known.start else "cause_not_established"
        yield Point("efficiency", Fraction(0), _EFFICIENCY, (give_reason(unknown), seen))


def _explain_investigation(conduct: Conduct, points: Fraction) -> Iterator[Reason]:
    """How the points for looks at a wrong answer follow from what was known."""
    if conduct.known.start:
        written = f"{float(_WRONG_BASE):.2f} + {float(_WRONG_EVIDENCE):.2f} × {write_share(conduct.evidence)} (known)"
        yield give_reason("product", factors=written, points=f"{float(points):.{DECIMALS}f}")
