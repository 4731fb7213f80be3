"""The words of a text, and where names and forms of verbs stand among them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.terms import Words

_BREAK = re.compile(r"\s-+\s|[–—→()\[\]{}]|[-=]+>")
_FORM_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*\*?")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.;:?!](?=\s|$)|\n|,")
_LONGEST_TEXT = 4096
"""In characters, once compatibility forms are spelt out: a little more than the longest submission."""


@lru_cache(maxsize=256)
def split_words(text: str) -> Words:
    """Words, commas and clause ends.

    NFKC, casefolded, format characters dropped, hyphens and underscores as spaces, possessive endings dropped; dashes,
    arrows and brackets as clause ends.
    """
    folded = unicodedata.normalize("NFKC", text)[:_LONGEST_TEXT].casefold().replace("’", "'")
    spaced = _BREAK.sub(" ; ", _drop_formatting(folded).replace("w/o", "without")).replace("_", " ").replace("-", " ")
    words = _WORD.findall(spaced)
    if "'s" in spaced:
        words = [word.removesuffix("'s") for word in words]
    return tuple(word for index, word in enumerate(words) if word != "," or words[index - 1 : index] != [","])


def _drop_formatting(text: str) -> str:
    if text.isascii():
        return text
    return text.translate({ord(character): "" for character in set(text) if unicodedata.category(character) == "Cf"})


@lru_cache(maxsize=4096)
def _compile_forms(forms: tuple[str, ...]) -> re.Pattern[str]:
    """Finds any of the forms, the longest first, as whole words in words joined by spaces; `*` ends a stem."""
    alternatives = {re.escape(" ".join(_FORM_WORD.findall(form.casefold()))).replace(r"\*", r"\S*") for form in forms}
    return re.compile(rf"(?<!\S)(?:{'|'.join(sorted(alternatives, key=lambda form: (-len(form), form)))})(?!\S)")


def find_occurrences(words: Words, *forms: str) -> Iterator[tuple[int, int]]:
    """Every place, as (start, end), at which a name or a form of a verb begins in a run of words."""
    text = " ".join(words)
    pattern = _compile_forms(forms)
    match = pattern.search(text)
    while match is not None:
        start = text.count(" ", 0, match.start())
        yield start, start + match[0].count(" ") + 1
        match = pattern.search(text, match.start() + 1)
