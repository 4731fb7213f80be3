"""Quotations: what of a text stands word for word in evidence that the agent was shown."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEWEST_WORDS = 5
"""So many words in a row that stand in the evidence are a quotation."""
_FEWEST_MARKED_WORDS = 2
"""So many are one if they stand in quotation marks."""
_WORD = re.compile(r"[^\W_]+")
_MARKED = re.compile(r"[\"“”„«»`]([^\"“”„«»`]+)[\"“”„«»`]|(?<!\w)['‘]([^'‘’]+)['’](?!\w)")


def drop_quotes(text: str, shown: Iterable[str]) -> str:
    """A text without what it quotes exactly from texts that were shown: it says nothing that they do not say."""
    evidence = " | ".join(f" {' '.join(_WORD.findall(found.casefold()))} " for found in shown)
    words = list(_WORD.finditer(text))
    forms = [word[0].casefold() for word in words]
    starts = [word.start() for word in words]
    quoted: set[int] = set()
    for start in range(len(words) - _FEWEST_WORDS + 1):
        if f" {' '.join(forms[start : start + _FEWEST_WORDS])} " in evidence:
            quoted.update(range(start, start + _FEWEST_WORDS))
    for marked in _MARKED.finditer(text):
        inside = range(bisect_left(starts, marked.start()), bisect_left(starts, marked.end()))
        if len(inside) >= _FEWEST_MARKED_WORDS and f" {' '.join(forms[index] for index in inside)} " in evidence:
            quoted.update(inside)
    return _cut(text, [words[index].span() for index in sorted(quoted)])


def _cut(text: str, spans: list[tuple[int, int]]) -> str:
    kept, position = "", 0
    for start, end in spans:
        kept += f"{text[position:start]};"
        position = end
    return kept + text[position:]
