"""Which failure a text is nearest to, by all of its words: learned from answers that people have written.

Lists of terms say for certain that a text affirms an idea, and miss what is said in words that nobody has listed. Here
each word speaks a little for some failures and against others. The weights are fitted by `scripts/fit-answers`.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from graders.prose import is_denied, split_clauses

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENDINGS = ("ings", "ing", "edly", "ed", "ies", "es", "s", "ly")
_LEAST_STEM, _LONGEST_STEM = 3, 7
_DENIED = "!"
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+")
AS_NEAR = 0.1
"""In log-odds: of two failures within it a text says either as much."""
NOTHING = ""
"""What vague and wrong answers are nearest to: no failure in particular."""
TABLE = Path(__file__).with_name("nearness.json")


class Nearness(NamedTuple):
    """How much more a text says a failure than any other one, and than `NOTHING`: in natural units of log-odds.

    Of the others it says some more, by more than `AS_NEAR` (`nearer`), and some about as much (`as_near`).
    """

    than_others: float
    than_nothing: float
    nearer: tuple[str, ...]
    as_near: tuple[str, ...]


class _Table(NamedTuple):
    """The weights of stems for failures, in hundredths, and what each failure starts with."""

    failures: tuple[str, ...]
    start: tuple[int, ...]
    weights: dict[str, tuple[tuple[int, int], ...]]


def list_stems(text: str) -> frozenset[str]:
    """The stems of the words of a text, marked where they are denied. Words with digits are names and values."""
    return frozenset(_walk_stems(text))


def _walk_stems(text: str) -> Iterator[str]:
    for clause in split_clauses(text):
        for place, word in enumerate(clause):
            if not _DIGIT.search(word):
                yield (_DENIED if is_denied(clause, place, place + 1) else "") + _find_stem(word)


@lru_cache(maxsize=512)
def _list_all_stems(text: str) -> frozenset[str]:
    """The stems of all words of a text that is no prose."""
    return frozenset(map(_find_stem, _WORD.findall(text.casefold())))


@lru_cache(maxsize=8192)
def _find_stem(word: str) -> str:
    ending = next((end for end in _ENDINGS if word.endswith(end) and len(word) - len(end) >= _LEAST_STEM), "")
    return word[: len(word) - len(ending)][:_LONGEST_STEM]


def measure_nearness(
    text: str, failure: str, alike: frozenset[str] = frozenset(), shown: tuple[str, ...] = ()
) -> Nearness | None:
    """How near a text is to a failure; None if there are no answers about that failure, or it has no known word.

    A text counts by the set of its words: to say more of them makes each count less. Failures that are as right,
    because nobody can tell them apart, are `alike`, and none of the others. Words of texts that were `shown` are not
    counted.
    """
    table = _read_table()
    if failure == NOTHING or failure not in table.failures or not _find_known(text):
        return None
    says = dict(zip(table.failures, _weigh(text, shown), strict=True))
    own, nothing = says.pop(failure), says.pop(NOTHING)
    more = {name: said - own for name, said in says.items() if name not in alike}
    return Nearness(
        -max(more.values()),
        own - nothing,
        tuple(name for name, gap in more.items() if gap > AS_NEAR),
        tuple(name for name, gap in more.items() if -AS_NEAR <= gap <= AS_NEAR),
    )


@lru_cache(maxsize=256)
def _find_known(text: str) -> frozenset[str]:
    """The stems of a text that have weights."""
    return list_stems(text) & _read_table().weights.keys()


@lru_cache(maxsize=256)
def _weigh(text: str, shown: tuple[str, ...]) -> tuple[float, ...]:
    """What a text says of each failure, in words that no text has that was shown."""
    table = _read_table()
    said = _find_known(text)
    if shown:
        there = frozenset().union(*map(_list_all_stems, shown))
        said = frozenset(stem for stem in said if stem.removeprefix(_DENIED) not in there)
    stems = sorted(said)
    sums = [0] * len(table.failures)
    for stem in stems:
        for place, weight in table.weights[stem]:
            sums[place] += weight
    length = sqrt(max(1, len(stems)))
    return tuple((start + total / length) / 100.0 for start, total in zip(table.start, sums, strict=True))


@cache
def _read_table() -> _Table:
    written = json.loads(TABLE.read_text("utf-8"))
    weights = {
        stem: tuple((place, weight) for place, weight in enumerate(row) if weight)
        for stem, row in written["weights"].items()
    }
    return _Table(tuple(written["failures"]), tuple(written["start"]), weights)
