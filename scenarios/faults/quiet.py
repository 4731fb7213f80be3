"""Families so weak that no user feels them: what innocent changes and lasting small troubles are made of."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.faults.family import STRENGTHS
from scenarios.shipped import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenarios.faults.family import FaultFamily, NewFeature, NewJob, NewRelease

    Between = Mapping[str, tuple[float, float]]


_MORE_WORK, _LESS_ROOM = ("work", "slow", "scans", "skew"), ("slots", "cores")


@cache
def load_quiet() -> Mapping[str, Between]:
    """The values that users do not feel, from and to, by what a family has and the field of it."""
    written = read_yaml(Path(__file__).parent / "quiet.yaml")
    return {part: {name: (low, high) for name, (low, high) in fields.items()} for part, fields in written.items()}


def quieten(family: FaultFamily, draw: Callable[[float, float], float], most_work: float) -> FaultFamily:
    """The family with values that are drawn between those that users do not feel.

    Args:
        draw: gives a number between two.
        most_work: how many times its work the component that is struck can do; 1 or more.
    """

    def find(part: str, name: str) -> tuple[float, ...]:
        value = draw(*load_quiet()[part][name])
        if name in _MORE_WORK:
            value = min(value, most_work)
        elif name in _LESS_ROOM:
            value = max(value, 1.0 / most_work)
        return (value,) * STRENGTHS

    def soften(part: NewRelease | NewFeature | NewJob, kind: str) -> dict[str, object]:
        """Its fields that have three strengths: quiet ones, or what they are in other families."""
        fields = type(part).model_fields
        known = [name for name in fields if name in part.model_fields_set and name not in ("names", "lasts", "on")]
        if kind == "release":
            known = list(dict.fromkeys((*known, "work")))
        return {name: find(kind, name) if name in load_quiet()[kind] else fields[name].default for name in known}

    update: dict[str, object] = {
        "shifts": tuple(
            shift.model_copy(update={"to": find("shifts", shift.what)})
            for shift in family.shifts
            if shift.what in load_quiet()["shifts"]
        )
    }
    parts = {"release": family.release, "feature": family.feature, "job": family.job}
    update |= {kind: part.model_copy(update=soften(part, kind)) for kind, part in parts.items() if part is not None}
    return family.model_copy(update=update)
