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

    def quotes(self, words: Words) -> bool:
        """Whether words stand in a row in one of the texts."""
        if len(words) <= _FEWEST_WORDS:
            return words in self._list_runs(len(words))
        runs = self._list_runs(_FEWEST_WORDS)
        return all(
            words[start : start + _FEWEST_WORDS] in runs for start in range(len(words) - _FEWEST_WORDS + 1)
        ) and (f" {' '.join(words)} " in self._whole)

    def _list_runs(self, length: int) -> frozenset[Words]:
        if length not in self._runs:
            self._runs[length] = frozenset(
                run for words in self._texts for run in zip(*(words[start:] for start in range(length)), strict=False)
            )
        return self._runs[length]


@lru_cache(maxsize=16)
def _read_evidence(shown: tuple[str, ...]) -> _Evidence:
    return _Evidence(shown)


def drop_quotes(text: str, shown: Iterable[str]) -> str:
    """A text without what it quotes exactly from texts that were shown: it says nothing that they do not say."""
    evidence = _read_evidence(tuple(shown))
    words = list(_WORD.finditer(text))
    forms = tuple(word[0].casefold() for word in words)
    starts = [word.start() for word in words]
    quoted: set[int] = set()
    for start in range(len(words) - _FEWEST_WORDS + 1):
        if evidence.quotes(forms[start : start + _FEWEST_WORDS]):
            quoted.update(range(start, start + _FEWEST_WORDS))
    for marked in _MARKED.finditer(text):
        inside = range(bisect_left(starts, marked.start()), bisect_left(starts, marked.end()))
        if len(inside) >= _FEWEST_MARKED_WORDS and evidence.quotes(forms[inside.start : inside.stop]):
            quoted.update(inside)
    return _cut(text, [words[index].span() for index in sorted(quoted)])


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    kept, position = "", 0
    for start, end in spans:
        kept += f"{text[position:start]};"
        position = end
    return kept + text[position:]
