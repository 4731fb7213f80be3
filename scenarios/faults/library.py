"""The fault families that there are: one file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.faults.family import FaultFamily

if TYPE_CHECKING:
    from collections.abc import Mapping


def _load() -> dict[str, FaultFamily]:
    found = {}
    for path in sorted((Path(__file__).parent / "families").glob("*.yaml")):
        family = FaultFamily.load(path)
        if family.family != path.stem:
            raise ValueError(f"{path}: it names itself {family.family!r}")
        found[family.family] = family
    return found


FAMILIES: Mapping[str, FaultFamily] = _load()
