"""Filling in the placeholders of families, voices and troubles."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.generator.dice import mixed, unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = re.compile(r"\{(?:n:(\d+)-(\d+)|pick:([^}]*)|([a-z_0-9]+))\}")


@lru_cache(maxsize=4096)
def _parts(template: str) -> tuple[tuple[str, object], ...]:
    """A template cut at its placeholders: text, then what stands there."""
    parts: list[tuple[str, object]] = []
    at = 0
    for found in _PLACE.finditer(template):
        low, high, options, name = found.groups()
        place: object = (int(low), int(high)) if low else tuple(options.split("|")) if options is not None else name
        parts.append((template[at : found.start()], place))
        at = found.end()
    parts.append((template[at:], None))
    return tuple(parts)


def filled(template: str, names: Mapping[str, object], key: int) -> str:
    """A template with its placeholders filled: names from the mapping, numbers and choices drawn by the key."""
    parts = _parts(template)
    if len(parts) == 1:
        return template
    said: list[str] = []
    for number, (text, place) in enumerate(parts):
        said.append(text)
        if place is None:
            break
        if isinstance(place, str):
            said.append(f"{mixed(key, number) & 0xFFFFFFF:07x}" if place == "id" else str(names.get(place, place)))
        elif isinstance(place, tuple):
            drawn = unit(key, number)
            first = place[0]
            if isinstance(first, int):
                said.append(str(first + int(drawn * (place[1] - first + 1))))
            else:
                said.append(place[int(drawn * len(place))])
    return "".join(said)
