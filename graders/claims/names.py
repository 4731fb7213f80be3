"""Names of services, written so that no part of one is read as a word of its own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from graders.claims.standing import COMPOUNDS, MEANT

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Named(NamedTuple):
    """A text and the names of services, in which no part of a name is a word of its own."""

    text: str
    names: tuple[str, ...]
    joined: Mapping[str, str]

    def join(self, name: str) -> str:
        return self.joined.get(name, name)


@lru_cache(maxsize=128)
def join_names(text: str, names: tuple[str, ...]) -> _Named:
    """Write names in one word that have a part which means something here: `plans-api` plans nothing.

    A service that is called `limits` gets a word of its own, since *scaled limits* is no compound then.
    """
    parts = {name: [part for part in re.split(r"[-_ ]", name) if part] for name in names}
    joined = {
        name: _join(words)
        for name, words in parts.items()
        if not (MEANT if len(words) > 1 else COMPOUNDS).isdisjoint(words)
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
