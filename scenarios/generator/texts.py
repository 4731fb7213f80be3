"""Filling in the placeholders of families, voices and troubles.

Numbers, choices and ids are drawn anew for every line. With a `=` before them, as in `{=n:3-60}`, they are the same in
everything that a node shows: one partition is hot, one key is active, whichever line tells of it.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed, unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(r"\{(=?)(?:n:(\d+)-(\d+)|pick:([^}]*)|([a-z_0-9]+))\}")


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, object, int | None], ...]:
    """A template cut at its placeholders: text, what stands there, and what it is kept under if it lasts."""
    parts: list[tuple[str, object, int | None]] = []
    at = 0
    for found in _PLACE.finditer(template):
        lasting, low, high, options, name = found.groups()
        place: object = (int(low), int(high)) if low else tuple(options.split("|")) if options is not None else name
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
        if isinstance(place, str):
            said.append(f"{mixed(*part) & 0xFFFFFFF:07x}" if place == "id" else str(names.get(place, place)))
        elif isinstance(place, tuple):
            drawn = unit(*part)
            first = place[0]
            if isinstance(first, int):
                said.append(str(first + int(drawn * (place[1] - first + 1))))
            else:
                said.append(place[int(drawn * len(place))])
    return "".join(said)
