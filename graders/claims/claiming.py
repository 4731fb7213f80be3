"""Which remediations a summary states, which it claims, and which steps of the runbook it tells."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graders.claims.clauses import list_clauses
from graders.claims.names import join_names
from graders.claims.reach import find_reached, list_filler
from graders.claims.runbook import find_step, hints_at_step, names_step
from graders.claims.standing import is_stated
from graders.claims.told import Told, find_meant, read_told
from graders.claims.verbs import find_stated_verbs
from graders.kin import is_kin, list_verbs
from graders.prose import find_mentions, find_named, find_occurrences, split_words
from scenarios.vocabulary import REMEDIATIONS, RUNBOOK_STEP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graders.terms import Span, Words
    from scenarios.progress import PlanStep


class _Deed(NamedTuple):
    """A clause that states a deed, where its verbs stand, and the sentence that it is part of."""

    words: Words
    verbs: tuple[Span, ...]
    sentence: Words


@lru_cache(maxsize=512)
def _list_deeds(text: str, action: str) -> tuple[_Deed, ...]:
    """The clauses of a text that state the deed of an action: neither denied nor future."""
    deeds = (
        _Deed(clause.words, find_stated_verbs(clause.words, action), clause.sentence) for clause in list_clauses(text)
    )
    return tuple(deed for deed in deeds if deed.verbs)


@lru_cache(maxsize=128)
def _list_words(text: str) -> frozenset[str]:
    return frozenset(split_words(text))


def states(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a text says that a remediation was made: deed and target together, neither denied nor future.

    `names` are all services: a target that is part of a longer name is not meant by it.
    """
    named = join_names(text, names)
    text, names, target = named.text, named.names, named.join(target)
    if REMEDIATIONS[action].target is RUNBOOK_STEP:
        return any(names_step(clause, target) or hints_at_step(clause, target) for clause in list_clauses(text))
    return any(find_mentions(deed.words, target, names) for deed in _list_deeds(text, action)) or any(
        target in meant for meant, _ in find_meant(text, action, names or (target,))
    )


def tells(text: str, step: PlanStep, names: tuple[str, ...] = ()) -> bool:
    """Whether a text says that a step of the runbook was done, in whatever words can tell it.

    Its verb, or one of its kin, stands with what only it is done to, or in a sentence that names what it was done to.
    """
    if REMEDIATIONS[step.action].target is not RUNBOOK_STEP or step.verify:
        return False
    named = join_names(text, names)
    text, names, on = named.text, named.names, named.join(step.on)
    kin = [action for action in REMEDIATIONS if is_kin(action, step.target)]
    for clause in list_clauses(text):
        verbs = [(action, verb) for action in kin for verb in find_stated_verbs(clause.words, action)]
        own = find_occurrences(clause.words, *list_verbs(step.target))
        verbs += [(step.target, verb) for verb in own if is_stated(clause.words, *verb)]
        for operation, verb in verbs:
            told = Told(read_told(operation, clause.words, verb, (*names, step.on)), clause.sentence)
            if _is_told(told, step.target, on):
                return True
    return any(
        on in meant and told.phrase.tells(step.target)
        for action in kin
        for meant, told in find_meant(text, action, names)
    )


def _is_told(told: Told, operation: str, on: str) -> bool:
    """Whether it is this operation that is told: by a noun of its own, or by what it was done to."""
    phrase = told.phrase
    if phrase.names(operation):
        return True
    is_open = not phrase.noun and (phrase.operation == operation or phrase.tells(operation))
    return is_open and bool(on) and told.names_one((on,))


def find_claims(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> tuple[Told, ...]:
    """How a text claims this remediation, each time that the target stands in the reach of the deed's verb.

    A verb reaches over filler and over other `names`, as in *restarted a, b and then c*. A verification is claimed
    only by its exact name, since prose speaks of verifying in many other ways.
    """
    named = join_names(text, names)
    text, names, target = named.text, named.names, named.join(target)
    if REMEDIATIONS[action].target is RUNBOOK_STEP:
        if target.startswith("verify_") and not re.search(rf"(?<!\w){re.escape(target)}(?!\w)", text.casefold()):
            return ()
        if not _list_words(text).issuperset(target.split("_")[1:]):
            return ()
        return tuple(
            Told(read_told(target, clause.words, verb, names), clause.sentence)
            for clause in list_clauses(text)
            for verb in find_step(clause, target)
        )
    return _find_claimed(text, action, names if target in names else (*names, target), names).get(target, ())


@lru_cache(maxsize=512)
def _find_claimed(
    text: str, action: str, targets: tuple[str, ...], names: tuple[str, ...]
) -> Mapping[str, tuple[Told, ...]]:
    """Which of the targets stand in the reach of a verb of an action, and how that is told."""
    claimed: dict[str, tuple[Told, ...]] = {}
    for deed in _list_deeds(text, action):
        places = find_named(deed.words, targets)
        for verb in deed.verbs if places else ():
            told = Told(read_told(action, deed.words, verb, targets), deed.sentence)
            if not told.phrase.is_no_deed:
                for name in find_reached(deed.words, verb, places, names, list_filler(action)):
                    claimed[name] = (*claimed.get(name, ()), told)
    return claimed
