"""What a summary says was done: which remediations it states, and which it claims."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

from graders.kin import PASSIVE, Phrase, is_kin, list_all_nouns, list_verbs, read_phrase
from graders.prose import (
    bound_clauses,
    ends_clause,
    find_mentions,
    find_named,
    find_occurrences,
    is_denied,
    measure_longest,
    split_sentences,
    split_words,
    walk_named,
)
from graders.terms import split_set
from scenarios.vocabulary import (
    CLEAR_CACHE,
    DISABLE_FEATURE_FLAG,
    EXECUTE_RUNBOOK_STEP,
    REMEDIATIONS,
    RESTART_SERVICE,
    ROLLBACK_DEPLOY,
    RUNBOOK_STEP,
    SCALE_SERVICE,
    Attachments,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from graders.terms import Span, Words
    from scenarios.progress import PlanStep


class _Verbs(NamedTuple):
    """How prose says that a remediation was made.

    `forms` are verbs, `*` ending a word stem. `separable` are verbs and the particle that may stand behind the target,
    as in *rolled config-service back*.
    """

    forms: tuple[str, ...]
    separable: tuple[tuple[str, ...], str] = ((), "")


_VERBS = Attachments(
    "verbs that claim a remediation",
    REMEDIATIONS.values(),
    {
        RESTART_SERVICE: _Verbs(("restart", "restarts", "restarted", "restarting", "bounced", "rebooted", "recycled")),
        ROLLBACK_DEPLOY: _Verbs(
            ("rollback*", "roll back", "rolled back", "rolling back", "revert*"), (("rolled", "rolling"), "back")
        ),
        SCALE_SERVICE: _Verbs(("scaled", "scaling", "scale service", "scale up", "scale out")),
        DISABLE_FEATURE_FLAG: _Verbs(
            ("disabl*", "turned off", "turning off", "switched off", "switching off", "toggled off"),
            (("turned", "turning", "switched", "switching", "toggled"), "off"),
        ),
        CLEAR_CACHE: _Verbs(("cleared", "clearing", "flushed", "purged", "clear cache")),
        EXECUTE_RUNBOOK_STEP: _Verbs(("execute*",)),
    },
)
_IRREGULAR = {"rebuild": ("rebuilt",)}
_SEPARATION = 7
_FUTURE = split_set(
    "will would should shall must could may might need needs recommend recommended recommending consider considered"
    " future tomorrow planned plan plans going propose proposed suggest suggested upcoming todo ought wants"
    " avoid avoided refrained"
)
_FUTURE_PAIRS = {
    *((ahead, "to") for ahead in ("has", "have", "about", "meant", "wanted", "ready")),
    *(("to", "do"), ("follow", "up"), ("action", "item")),
    *(
        ("next", when)
        for when in ("day", "week", "month", "quarter", "sprint", "year", "time", "maintenance", "release")
    ),
}
_FUTURE_REACH = 5
_PAST = {*(("last", when) for when in ("week", "month", "quarter", "year")), ("weeks", "ago"), ("days", "ago")}
"""What was done then was no repair of this incident."""
_OTHERS = split_set(
    "nobody noone someone somebody anyone anybody everybody everyone others they he she it who kubernetes k8s kubelet"
    " kubelets platform orchestrator scheduler controller operator autoscaler hpa cluster kernel supervisor systemd"
    " watchdog probe probes partner vendor provider supplier carrier owner owners team teams colleague colleagues"
    " developer developers maintainer pipeline ci deploy deployment release rollout patch patches"
    " maintenance automation cron job script alert itself themselves customer customers"
)
"""Who may do what the agent could: a deed of theirs is none of its own."""
_CONDITIONS = split_set("if unless whether")
_SELF = split_set("we i")
_ALONE = split_set(
    "nobody noone someone somebody anyone anybody everybody everyone they he she it who kubernetes kubelet"
)
_ARTICLES = split_set(
    "the a an its our their his her this that each every any some and or but then when as on call host"
)
_BETWEEN = split_set(
    "keeps keep kept has had have is was were are been already then also automatically again simply just always"
    " constantly repeatedly now immediately one ones ever even only still that which to"
)
"""What may stand between others and their deed: *the kubelet has already restarted it*."""
_OURSELVES = split_set("us me myself ourselves hand hands half one two three four five six seven eight nine ten")
_ASKED = split_set("asked ask asks asking told tell advise advised request requested requesting urged invited")
_ASKED_REACH = 6
_AGAIN = split_set("repeatedly constantly continuously perpetually permanently loop loops loses keeps kept every")
"""A deed that is done over and over is no repair."""
_COMPOUNDS = split_set("loop loops count counts counter policy policies storm backoff limit limits")
"""Nouns that begin with a deed: *the restart count*."""
_UNDONE = tuple(
    tuple(phrase.split())
    for phrase in ("unnecessary", "rejected", "avoided", "not needed", "not necessary", "not required")
)
_UNDONE_WORDS = frozenset(phrase[-1] for phrase in _UNDONE)
_REACH_BEHIND = 5
_PRONOUNS = split_set("it them both these those")
_FILLER = split_set(
    "the then and also both its our all of to service services pod pods instance instances deployment database feature"
    " flag flags cache caches for in order finally lastly first second third next followed by afterwards on from at"
    " latest bad deploy release back up out off has have had"
)
_AHEAD = _FUTURE | _AGAIN
_PAIRS_AHEAD = _FUTURE_PAIRS | _PAST
_MEANT = _FUTURE | _OTHERS | _CONDITIONS | _ASKED | _AGAIN | _COMPOUNDS
"""Words that say of a deed that it is none of the agent's own, or none at all."""
_FILLER_OR_PASSIVE = _FILLER | PASSIVE
_OWN_VERB = split_set("came went began is was were are has had have could can did does recovers recovered returned")
_STRAY_WORDS = 1
"""How many further words a verb reaches over: *the failing payment-service*, *was promptly restarted*."""


@dataclass(frozen=True, slots=True)
class _Clause:
    """A part of a sentence with one subject; commas are kept out, lists of targets in."""

    words: Words
    known: frozenset[str]
    """Its words, each once."""
    sentence: Words

    def names(self, runbook: str) -> bool:
        """Whether a runbook step is stated by its name, or by its words with the verb inflected."""
        return any(self.find_names(runbook))

    def find_names(self, runbook: str) -> Iterator[Span]:
        """Where a runbook step is stated by its name or its words: the places of its verb."""
        first, *rest = runbook.split("_")
        if not self.known.issuperset(rest):
            return
        stem, what = first.rstrip("ey") + "*", " ".join(rest)
        stems = (stem, *_IRREGULAR.get(first, ()))
        active = tuple(f"{verb} {article}{what}" for verb in stems for article in ("", "the ", "a "))
        passive = tuple(f"{what} {be} {verb}" for verb in stems for be in sorted(PASSIVE))
        for start, end in find_occurrences(self.words, *active, *passive):
            if _is_stated(self.words, start, end) and not (start and self.words[end - 1].endswith("ing")):
                is_active = self.words[end - 1] == (rest or [first])[-1]
                yield (start, start + 1) if is_active else (end - 1, end)

    def hints_at(self, runbook: str) -> bool:
        """Whether the deed and the last word of a runbook step stand together: *restored the routes*."""
        first, *_, last = runbook.split("_")
        deeds = find_occurrences(self.words, first.rstrip("ey") + "*")
        named = any(find_occurrences(self.words, last.rstrip("s") + "*"))
        return named and any(_is_stated(self.words, start, end) for start, end in deeds)


@lru_cache(maxsize=4096)
def _find_stated_verbs(words: Words, action: str) -> tuple[tuple[int, int], ...]:
    forms, (starts, particle) = _VERBS[REMEDIATIONS[action]]
    found = list(find_occurrences(words, *forms))
    for index, word in enumerate(words):
        if word in starts and particle in words[index + 1 : index + _SEPARATION]:
            found.append((index, index + 1))
    return tuple((start, end) for start, end in found if _is_stated(words, start, end))


def _is_stated(words: Words, start: int, end: int) -> bool:
    """Whether a deed is told as done by the agent: not denied, not ahead, not on condition, not of others."""
    if words[end - 1] == "restarts":
        return False
    if words[end : end + 1] == ("of",):
        end += 1  # a noun: *a restart of postgres-db was unnecessary*
    first = max(0, start - _FUTURE_REACH)
    first = next((index + 1 for index in range(start - 1, first - 1, -1) if words[index] in _SELF), first)
    return not (
        is_denied(words, start, end)
        or _is_undone(words[end : end + _REACH_BEHIND])
        or _is_ahead(words[first:start], words[end : end + _FUTURE_REACH])
        or _is_of_others(words, start, end)
        or not _CONDITIONS.isdisjoint(words[:start])
        or not _COMPOUNDS.isdisjoint(words[end : end + 1])
    )


def _is_undone(behind: Words) -> bool:
    return not _UNDONE_WORDS.isdisjoint(behind) and any(
        behind[index : index + len(phrase)] == phrase for phrase in _UNDONE for index in range(min(4, len(behind)))
    )


def _is_ahead(before: Words, behind: Words) -> bool:
    """Whether a deed is only planned, or was done long ago or for somebody who was asked."""
    return (
        not _AHEAD.isdisjoint(before)
        or not _AHEAD.isdisjoint(behind)
        or not _PAIRS_AHEAD.isdisjoint(pairwise(before))
        or not _PAIRS_AHEAD.isdisjoint(pairwise(behind))
    )


def _names_others(words: Words, index: int) -> bool:
    """Whether others are named by a word; a service may be called *kube-platform*, which names nobody."""
    before = words[index - 1] if index else ""
    return (words[index : index + 1] == ("one",) and before == "no") or (
        words[index] in _OTHERS and (not index or words[index] in _ALONE or before in _ARTICLES or before in _OTHERS)
    )


def _is_of_others(words: Words, start: int, end: int) -> bool:
    """Whether others did it: they stand before the deed, or behind it after *by*, or were asked to."""
    for index in range(start - 1, -1, -1):
        if _names_others(words, index):
            return True
        if words[index] not in _BETWEEN or (words[index] in PASSIVE and not words[start].endswith("ing")):
            break
    if not _ASKED.isdisjoint(words[max(0, start - _ASKED_REACH) : start]):
        return True
    behind = words[end : end + _REACH_BEHIND + 2]
    return any(
        word == "by" and agent not in _OURSELVES and not agent.endswith("ing") and not agent[0].isdigit()
        for word, agent in pairwise(behind)
    )


@lru_cache(maxsize=128)
def _list_words(text: str) -> frozenset[str]:
    return frozenset(split_words(text))


@lru_cache(maxsize=128)
def _list_clauses(text: str) -> tuple[_Clause, ...]:
    return tuple(
        _Clause(words, frozenset(words), tuple(chain.from_iterable(clauses)))
        for clauses in _list_sentences(text)
        for words in clauses
    )


class Told(NamedTuple):
    """A deed that is told: how, and in which sentence."""

    phrase: Phrase
    sentence: Words

    def names_one(self, names: Iterable[str]) -> bool:
        """Whether one of some names stands in the sentence."""
        return any(True for _ in walk_named(self.sentence, tuple(names)))


class _Deed(NamedTuple):
    """A clause that states a deed, where its verbs stand, and the sentence that it is part of."""

    words: Words
    verbs: tuple[Span, ...]
    sentence: Words


@lru_cache(maxsize=512)
def _list_deeds(text: str, action: str) -> tuple[_Deed, ...]:
    """The clauses of a text that state the deed of an action: neither denied nor future."""
    deeds = (
        _Deed(clause.words, _find_stated_verbs(clause.words, action), clause.sentence) for clause in _list_clauses(text)
    )
    return tuple(deed for deed in deeds if deed.verbs)


@lru_cache(maxsize=128)
def _list_sentences(text: str) -> tuple[tuple[Words, ...], ...]:
    return tuple(tuple(_split(sentence)) for sentence in split_sentences(text))


def _split(sentence: str) -> list[Words]:
    """The clauses of a sentence. A colon ends none, and a comma only where a new subject follows it."""
    stream = split_words(sentence)
    found: list[list[str]] = [[]]
    for index, word in enumerate(stream):
        if word == ",":
            if stream[index + 1 : index + 2] in {("we",), ("i",)} or stream[index + 1 : index + 3] == ("then", "we"):
                found.append([])
        elif word != ":" and ends_clause(stream, index):
            found.append([])
        elif word != ":":
            found[-1].append(word)
    return bound_clauses(found)


class _Named(NamedTuple):
    """A text and the names of services, in which no part of a name is a word of its own."""

    text: str
    names: tuple[str, ...]
    joined: Mapping[str, str]

    def join(self, name: str) -> str:
        return self.joined.get(name, name)


@lru_cache(maxsize=128)
def _join_names(text: str, names: tuple[str, ...]) -> _Named:
    """Write names in one word that have a part which means something here: `plans-api` plans nothing.

    A service that is called `limits` gets a word of its own, since *scaled limits* is no compound then.
    """
    parts = {name: [part for part in re.split(r"[-_ ]", name) if part] for name in names}
    joined = {
        name: _join(words)
        for name, words in parts.items()
        if not (_MEANT if len(words) > 1 else _COMPOUNDS).isdisjoint(words)
    }
    if not joined:
        return _Named(text, names, joined)
    longest_first = sorted(joined, key=len, reverse=True)
    forms = "|".join("[-_ ]".join(map(re.escape, parts[name])) for name in longest_first)
    written = re.sub(
        rf"(?<![\w-])(?:{forms})(?![\w-])",
        lambda match: _join(re.split(r"[-_ ]", match[0])),
        text,
        flags=re.IGNORECASE,
    )
    return _Named(written, tuple(joined.get(name, name) for name in names), joined)


def _join(words: list[str]) -> str:
    return "".join(words) if len(words) > 1 else f"{words[0]}service"


def find_meant(text: str, action: str, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What each deed of an action that is done to a pronoun can mean, as in *We looked at a. We rolled it back*.

    That are the names in the same sentence before the deed, or else those in the last sentence that has any.
    """
    return list(dict.fromkeys(meant for meant, _ in find_told_of_pronouns(text, action, names)))


def find_told_of_pronouns(text: str, action: str, names: tuple[str, ...]) -> list[tuple[tuple[str, ...], Told]]:
    """What each deed of an action that is done to a pronoun can mean, as `find_meant` says it, and how it is told."""
    named = _join_names(text, names)
    back = {joined: name for name, joined in named.joined.items()}
    found = _find_meant(named.text, action, named.names)
    return [(tuple(back.get(name, name) for name in meant), told) for meant, told in found]


@lru_cache(maxsize=1024)
def _find_meant(text: str, action: str, names: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], Told], ...]:
    found: list[tuple[tuple[str, ...], Told]] = []
    before: tuple[str, ...] = ()
    for clauses in _list_sentences(text):
        here: tuple[str, ...] = ()
        for words in clauses:
            verb = next((verb for verb in _find_stated_verbs(words, action) if _has_pronoun(words, verb)), None)
            if verb is not None:
                meant = (*here, *_list_named(words[: verb[0]], names)) or before
                told = Told(_read_phrase(action, words, verb, names), tuple(chain.from_iterable(clauses)))
                if meant and not told.phrase.is_no_deed:
                    found.append((meant, told))
            here += _list_named(words, names)
        before = here or before
    return tuple(found)


def _read_phrase(operation: str, words: Words, verb: Span, names: tuple[str, ...]) -> Phrase:
    named = frozenset(index for _, (start, end) in walk_named(words, names) for index in range(start, end))
    return read_phrase(operation, words, verb, named)


def _list_named(words: Words, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that stand in a clause, the last one last."""
    places = find_named(words, names)
    return tuple(sorted(places, key=lambda name: places[name][-1]))


def _has_pronoun(words: Words, verb: tuple[int, int]) -> bool:
    """Whether a deed is done to a pronoun: *rolled it back*, *it was rolled back*."""
    start, end = verb
    if not _PRONOUNS.isdisjoint(words[end : end + 1]):
        return True
    before = [index for index in range(start) if words[index] in _PRONOUNS]
    return (
        bool(before)
        and _is_passive(words[before[-1] + 1 : start], (), _FILLER_OR_PASSIVE)
        and not words[start].endswith("ing")
    )


def states(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a text says that a remediation was made: deed and target together, neither denied nor future.

    `names` are all services: a target that is part of a longer name is not meant by it.
    """
    named = _join_names(text, names)
    text, names, target = named.text, named.names, named.join(target)
    if REMEDIATIONS[action].target is RUNBOOK_STEP:
        return any(clause.names(target) or clause.hints_at(target) for clause in _list_clauses(text))
    return any(find_mentions(deed.words, target, names) for deed in _list_deeds(text, action)) or any(
        target in meant for meant, _ in _find_meant(text, action, names or (target,))
    )


def tells(text: str, step: PlanStep, names: tuple[str, ...] = ()) -> bool:
    """Whether a text says that a step of the runbook was done, in whatever words can tell it.

    Its verb, or one of its kin, stands with what only it is done to, or in a sentence that names what it was done to.
    """
    if REMEDIATIONS[step.action].target is not RUNBOOK_STEP or step.verify:
        return False
    named = _join_names(text, names)
    text, names, on = named.text, named.names, named.join(step.on)
    kin = [action for action in REMEDIATIONS if is_kin(action, step.target)]
    for clause in _list_clauses(text):
        verbs = [(action, verb) for action in kin for verb in _find_stated_verbs(clause.words, action)]
        own = find_occurrences(clause.words, *list_verbs(step.target))
        verbs += [(step.target, verb) for verb in own if _is_stated(clause.words, *verb)]
        for operation, verb in verbs:
            told = Told(_read_phrase(operation, clause.words, verb, (*names, step.on)), clause.sentence)
            if _is_told(told, step.target, on):
                return True
    return any(
        on in meant and told.phrase.tells(step.target)
        for action in kin
        for meant, told in _find_meant(text, action, names)
    )


def _is_told(told: Told, operation: str, on: str) -> bool:
    """Whether it is this operation that is told: by a noun of its own, or by what it was done to."""
    phrase = told.phrase
    if phrase.names(operation):
        return True
    is_open = not phrase.noun and (phrase.operation == operation or phrase.tells(operation))
    return is_open and bool(on) and told.names_one((on,))


def claims(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> bool:
    """Whether a text claims this remediation: the target stands in the reach of the deed's verb.

    A verb reaches over filler and over other `names`, as in *restarted a, b and then c*. A verification is claimed
    only by its exact name, since prose speaks of verifying in many other ways.
    """
    return bool(find_claims(text, action, target, names))


def find_claims(text: str, action: str, target: str, names: tuple[str, ...] = ()) -> tuple[Told, ...]:
    """Every claim of a remediation, as `claims` has it, and how it is told."""
    named = _join_names(text, names)
    text, names, target = named.text, named.names, named.join(target)
    if REMEDIATIONS[action].target is RUNBOOK_STEP:
        if target.startswith("verify_") and not re.search(rf"(?<!\w){re.escape(target)}(?!\w)", text.casefold()):
            return ()
        if not _list_words(text).issuperset(target.split("_")[1:]):
            return ()
        return tuple(
            Told(_read_phrase(target, clause.words, verb, names), clause.sentence)
            for clause in _list_clauses(text)
            for verb in clause.find_names(target)
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
            told = Told(_read_phrase(action, deed.words, verb, targets), deed.sentence)
            if not told.phrase.is_no_deed:
                for name in _find_reached(deed.words, verb, places, names, _list_filler(action)):
                    claimed[name] = (*claimed.get(name, ()), told)
    return claimed


@cache
def _list_filler(action: str) -> frozenset[str]:
    """What stands between a verb and its target: filler, and what the verb can be about."""
    return _FILLER | list_all_nouns(action)


def _find_reached(
    words: Words, verb: Span, places: Mapping[str, list[Span]], names: tuple[str, ...], filler: frozenset[str]
) -> Iterator[str]:
    """Which of the names at some places stand in the reach of a verb of a clause."""
    start, end = verb
    reach = (end, _find_end_of_reach(words, end, names, filler))
    is_active = words[start].endswith("ing")
    for name, spots in places.items():
        if any(
            _is_behind(words, spot, reach, names, filler)
            or (not is_active and _is_before(words, spot, start, names, filler | PASSIVE))
            for spot in spots
        ):
            yield name


def _is_behind(words: Words, place: Span, reach: Span, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    """Whether a place stands behind a verb, in its reach, and has no verb of its own: *restarted the api*."""
    start, end = place
    behind, stop = reach
    return (
        behind <= start < stop
        and _OWN_VERB.isdisjoint(words[end : end + 1])
        and _only_filler(words[behind:start], names, filler)
    )


def _is_before(words: Words, place: Span, verb: int, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    """Whether a place stands before a verb in the passive: *the api was restarted*."""
    return _is_passive(words[place[1] : verb], names, filler)


def _find_end_of_reach(words: Words, start: int, names: tuple[str, ...], filler: frozenset[str]) -> int:
    """From where on more than filler and names surely stands between a place and the words behind it.

    A name that is cut short is none, so that words are judged for good only where the longest name has its end.
    """
    surplus = _find_surplus(words, start, names, filler)
    return len(words) + 1 if surplus is None else surplus + max(1, measure_longest(names))


def _is_passive(between: Words, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    return not PASSIVE.isdisjoint(between) and _only_filler(between, names, filler)


def _only_filler(words: Words, names: tuple[str, ...], filler: frozenset[str]) -> bool:
    """Whether next to nothing but filler and other names stands between."""
    return _find_surplus(words, 0, names, filler) is None


def _find_surplus(words: Words, start: int, names: tuple[str, ...], filler: frozenset[str]) -> int | None:
    """The first word from a place on that is one too many: neither filler nor a name, nor what a verb reaches over."""
    strays, covered = 0, start
    behind_all = ("", (len(words), len(words)))
    for _, (here, end) in chain(walk_named(words, names, start), [behind_all]):
        for index in range(covered, here):
            if words[index] not in filler and not words[index].lstrip("rv").isdigit():
                strays += 1
                if strays > _STRAY_WORDS or words[index].endswith("ed"):
                    return index
        covered = max(covered, end)
    return None
