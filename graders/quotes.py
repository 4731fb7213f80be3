"""Quotations: what of a text stands word for word in evidence that the agent was shown."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graders.terms import Words

_FEWEST_WORDS = 5
"""So many words in a row that stand in the evidence are a quotation."""
_FEWEST_MARKED_WORDS = 2
"""So many are one if they stand in quotation marks."""
_WORD = re.compile(r"[^\W_]+")
_MARKED = re.compile(r"[\"“”„«»`]([^\"“”„«»`]+)[\"“”„«»`]|(?<!\w)['‘]([^'‘’]+)['’](?!\w)")


class _Evidence:
    """Texts that were shown, as runs of words. The runs of a length are listed when a text is first compared."""

    def __init__(self, shown: Iterable[str]) -> None:
        self._texts = tuple(tuple(_WORD.findall(text.casefold())) for text in shown)
        self._whole = " | ".join(f" {' '.join(words)} " for words in self._texts)
        self._runs: dict[int, frozenset[Words]] = {}

    def holds(self, words: Words) -> bool:
        """Whether words stand in a row in one of the texts."""
        if len(words) <= _FEWEST_WORDS:
            return words in self.list_runs(len(words))
        return self.list_runs(_FEWEST_WORDS).issuperset(_cut_runs(words, _FEWEST_WORDS)) and (
            f" {' '.join(words)} " in self._whole
        )

    def list_runs(self, length: int) -> frozenset[Words]:
        """Every run of so many words that stands in one of the texts."""
        runs = self._runs.get(length)
        if runs is None:
            runs = frozenset().union(*(_cut_runs(words, length) for words in self._texts))
            self._runs[length] = runs
        return runs


def _cut_runs(words: Words, length: int) -> Iterable[Words]:
    """Every run of so many words, by where it begins."""
    return zip(*(words[start:] for start in range(length)), strict=False)


@lru_cache(maxsize=16)
def _read_evidence(shown: tuple[str, ...]) -> _Evidence:
    return _Evidence(shown)


def drop_quotes(text: str, shown: Iterable[str]) -> str:
    """A text without what it quotes exactly from texts that were shown: it says nothing that they do not say."""
    evidence = _read_evidence(tuple(shown))
    spans = [word.span() for word in _WORD.finditer(text)]
    forms = tuple(text[start:end].casefold() for start, end in spans)
    starts = [start for start, _ in spans]
    quoted: set[int] = set()
    runs = evidence.list_runs(_FEWEST_WORDS)
    for start, run in enumerate(_cut_runs(forms, _FEWEST_WORDS)):
        if run in runs:
            quoted.update(range(start, start + _FEWEST_WORDS))
    for marked in _MARKED.finditer(text):
        inside = range(bisect_left(starts, marked.start()), bisect_left(starts, marked.end()))
        if len(inside) >= _FEWEST_MARKED_WORDS and evidence.holds(forms[inside.start : inside.stop]):
            quoted.update(inside)
    return _cut(text, [spans[index] for index in sorted(quoted)])


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    kept, position = [], 0
    for start, end in spans:
        kept.append(text[position:start])
        position = end
    return ";".join([*kept, text[position:]])
