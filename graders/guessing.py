"""Texts that list what it could have been, and commit to nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SENTENCE_END = re.compile(r"[.;:!?](?=\s|$)|\n")
_SEPARATOR = re.compile(r",\s*(?:or|and)?\s*|\s+or\s+", re.IGNORECASE)
_HEDGE = re.compile(
    r"\b(?:could|might|may) (?:also )?be\b(?! \w+e[dn]\b)|\b(?:one|any) of (?:them|these|those)\b|\bone of:"
    r"|\bamong (?:them|these|those)\b|\beither\b(?!\s*(?:[,.;:]|$))|\bpossibl[ey]\b|\bperhaps\b"
    r"|\bmaybe\b|\bmy (?:bet|list)\b|\bi(?:'d| would) (?:bet|list)\b",
    re.IGNORECASE,
)
"""*No replica could be added* says what happened; *could be a leak* guesses."""
_ALTERNATIVES = re.compile(r",\s*(?:[^\s,]+\s+){0,7}or\b[^,]*$", re.IGNORECASE)
"""The last item of a list, in few words: *before any call to the store or the cache* ends a clause."""
_MANY, _MANY_ALTERNATIVES = 4, 5
"""Items of a sentence that make a list of guesses, if the text hedges, and if the last is an alternative."""
_LONGEST = 4096


def lists_guesses(text: str, services: Iterable[str] = ()) -> bool:
    """Whether a text lists several causes of which one may be right. Names of services are none."""
    text = _drop_listed(text[:_LONGEST], services)
    hedges = _HEDGE.search(text) is not None
    return any(_lists_many(sentence, hedges=hedges) for sentence in _SENTENCE_END.split(text))


def _drop_listed(text: str, services: Iterable[str]) -> str:
    """A text without the services that it lists after others: *nothing reaches a, b or c*.

    A name that a phrase follows begins a guess, and stays.
    """
    names = "|".join(sorted(map(re.escape, services), key=len, reverse=True))
    if not names:
        return text
    listed = rf"(?:\s*,\s*(?:(?:or|and)\s+)?|\s+(?:or|and)\s+)(?:the\s+)?(?:{names})(?=\s*(?:,|(?:or|and)\b|[.;:!?]|$))"
    return re.sub(listed, "", text, flags=re.IGNORECASE)


def _lists_many(sentence: str, *, hedges: bool) -> bool:
    items = sum(bool(item.strip()) for item in _SEPARATOR.split(sentence))
    if items < _MANY:
        return False
    return hedges or (items >= _MANY_ALTERNATIVES and _ALTERNATIVES.search(sentence) is not None)
