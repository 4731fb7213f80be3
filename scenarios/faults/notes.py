"""Notes that people leave with a change. Those of innocent changes and of guilty ones are the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.shipped import read_yaml
from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def load_notes() -> Mapping[str, tuple[str, ...]]:
    """The notes by the kind of the change."""
    written = read_yaml(Path(__file__).parent / "notes.yaml")
    return {kind: tuple(notes) for kind, notes in written.items()}


_OF_OTHERS = ("envoy", "nginx", "haproxy")
_CODE = ("release", "pattern", "cache", "pool")
"""Kinds of notes about code: who runs the software of others builds images of it."""


def draw_note(kind: str, seed: int, component: str, software: str) -> str:
    """A note of a kind about a component that is of a software, with the number of a ticket.

    Raises:
        KeyError: if there is no such kind.
    """
    kind = "image" if software in _OF_OTHERS and kind in _CODE else kind
    key = int(hash_names(seed, [component], f"note/{kind}")[0])
    notes = load_notes()[kind]
    words = "".join(part[0] for part in component.split("-")).upper()
    return f"{words}-{100 + key % 4900}: {notes[key // 65536 % len(notes)]}"
