"""A deed that is told, as a phrase in its sentence; also one that is done to a pronoun."""

from __future__ import annotations

from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from graders.claims.clauses import list_sentences
from graders.claims.names import join_names
from graders.claims.reach import FILLER, is_passive
from graders.claims.verbs import find_stated_verbs
from graders.kin import PASSIVE, Phrase, read_phrase
from graders.prose import find_named, walk_named
from graders.terms import split_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graders.terms import Span, Words

_PRONOUNS = split_set("it them both these those")
_FILLER_OR_PASSIVE = FILLER | PASSIVE


class Told(NamedTuple):
    """A deed that is told: how, and in which sentence."""

    phrase: Phrase
    sentence: Words

    def names_one(self, names: Iterable[str]) -> bool:
        """Whether one of some names stands in the sentence."""
        return any(True for _ in walk_named(self.sentence, tuple(names)))


def read_told(operation: str, words: Words, verb: Span, names: tuple[str, ...]) -> Phrase:
    """The phrase of a verb in a clause, in which some names stand."""
    named = frozenset(index for _, (start, end) in walk_named(words, names) for index in range(start, end))
    return read_phrase(operation, words, verb, named)


def find_told_of_pronouns(text: str, action: str, names: tuple[str, ...]) -> list[tuple[tuple[str, ...], Told]]:
    """What each deed of an action that is done to a pronoun can mean, and how it is told.

    As in *We looked at a. We rolled it back*. It can mean the names in the same sentence before the deed, or else those
    in the last sentence that has any.
    """
    named = join_names(text, names)
    back = {joined: name for name, joined in named.joined.items()}
    found = find_meant(named.text, action, named.names)
    return [(tuple(back.get(name, name) for name in meant), told) for meant, told in found]


@lru_cache(maxsize=1024)
def find_meant(text: str, action: str, names: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], Told], ...]:
    """As `find_told_of_pronouns`, of a text and names that are joined already."""
    found: list[tuple[tuple[str, ...], Told]] = []
    before: tuple[str, ...] = ()
    for clauses in list_sentences(text):
        here: tuple[str, ...] = ()
        for words in clauses:
            verb = next((verb for verb in find_stated_verbs(words, action) if _has_pronoun(words, verb)), None)
            if verb is not None:
                meant = (*here, *_list_named(words[: verb[0]], names)) or before
                told = Told(read_told(action, words, verb, names), tuple(chain.from_iterable(clauses)))
                if meant and not told.phrase.is_no_deed:
                    found.append((meant, told))
            here += _list_named(words, names)
        before = here or before
    return tuple(found)


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
        and is_passive(words[before[-1] + 1 : start], (), _FILLER_OR_PASSIVE)
        and not words[start].endswith("ing")
    )
