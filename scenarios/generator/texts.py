"""Filling in the placeholders of families, voices and troubles.

Numbers, choices and ids are drawn anew for every line. With a `=` before them, as in `{=n:3-60}`, they are the same in
everything that a node shows: one partition is hot, one key is active, whichever line tells of it. `{harm:900-9000}`
is a number of what went wrong: where signs hurt nobody it is small. A name that stands for two numbers is drawn
between them.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed, unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(r"\{(=?)(?:(n|harm):(\d+)-(\d+)|pick:([^}]*)|([a-z_0-9]+))\}")


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, object, int | None], ...]:
    """A template cut at its placeholders: text, what stands there, and what it is kept under if it lasts."""
    parts: list[tuple[str, object, int | None]] = []
    at = 0
    for found in _PLACE.finditer(template):
        lasting, counted, low, high, options, name = found.groups()
        place: object = tuple(options.split("|")) if options is not None else name
        if counted:
            place = (int(low), int(high), counted == "harm")
        parts.append((template[at : found.start()], place, zlib.crc32(found[0].encode()) if lasting else None))
        at = found.end()
    parts.append((template[at:], None, None))
    return tuple(parts)


def filled(template: str, names: Mapping[str, object], key: int) -> str:
    """A template with its placeholders filled: names from the mapping, numbers and choices drawn by the key.

    Those that last are drawn by `lasting` of the mapping.
    """
    parts = _parts(template)
    if len(parts) == 1:
        return template
    said: list[str] = []
    lasting = names.get("lasting")
    for number, (text, place, kept) in enumerate(parts):
        said.append(text)
        if place is None:
            break
        part = (lasting, kept) if kept is not None and isinstance(lasting, int) else (key, number)
        if place == "id":
            said.append(f"{mixed(*part) & 0xFFFFFFF:07x}")
        elif isinstance(place, str):
            stands = names.get(place, place)
            said.append(_between(stands, unit(*part)) if isinstance(stands, tuple) else str(stands))
        elif isinstance(place, tuple):
            drawn = unit(*part)
            first = place[0]
            if isinstance(first, int):
                number = first + int(drawn * (place[1] - first + 1))
                said.append(str(max(1, round(number * _MILD)) if place[2] and names.get("mild") else number))
            else:
                said.append(place[int(drawn * len(place))])
    return "".join(said)


_MILD = 0.03
"""What is left of a harmful amount where it hurts nobody."""


def _between(ends: tuple[float, float], drawn: float) -> str:
    """A measured number between two others, to two figures or to the whole."""
    low, high = ends
    number = low + (high - low) * drawn
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}" if number >= 1 else f"{number:.2f}"
