"""Digests plays in a process in which chance follows from how Python hashes strings."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np

from scenarios.laws.bytes import read_plays
from scenarios.world import layout

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hash_names(seed: int, names: list[str], purpose: str) -> NDArray[np.uint64]:
    """Keys that another process has not."""
    return np.array([hash((seed, name, purpose)) & 0xFFFFFFFFFFFFFFFF for name in names], dtype=np.uint64)


if __name__ == "__main__":
    setattr(layout, "hash_names", hash_names)  # noqa: B010 - a module has no such attribute to assign to
    sys.stdout.write(json.dumps(read_plays(sys.stdin.read())))
