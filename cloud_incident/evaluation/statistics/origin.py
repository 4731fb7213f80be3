"""The origin of results: which release measured them, when, where, and on what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from cloud_incident.evaluation.statistics.grouping import sort_trajectories

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloud_incident.evaluation.running import ConditionsRecord, Trajectory

    Origin = Mapping[str, tuple[str, ...]]
    """What is told of results, by what it is: the different values, in the order of the results."""

WHEN = "measured"
"""What the origin calls the time: from the first result to the last one, in UTC."""


def describe_origin(trajectories: Iterable[Trajectory]) -> Origin:
    """Describe where results come from. What is not known or does not apply is left out."""
    episodes = sort_trajectories(trajectories)
    found: dict[str, dict[str, None]] = {}
    for episode in episodes:
        for what, value in _list_facts(episode):
            found.setdefault(what, {})[value] = None
    times = sorted(datetime.fromisoformat(episode["played_at"]) for episode in episodes)
    ends = dict.fromkeys(f"{time:%Y-%m-%d %H:%M} UTC" for time in (times[0], times[-1])) if times else {}
    origin = {what: tuple(values) for what, values in found.items()}
    return {"version": origin.pop("version", ()), WHEN: (" to ".join(ends),), **origin} if ends else {}


def compare_origins(first: Origin, second: Origin) -> tuple[str, ...]:
    """Compare two origins, and give a phrase for each difference; the time aside."""
    return tuple(
        f"{what}: {_join(first.get(what))} against {_join(second.get(what))}"
        for what in dict.fromkeys([*first, *second])
        if what != WHEN and first.get(what) != second.get(what)
    )


def _join(values: tuple[str, ...] | None) -> str:
    return ", ".join(values) if values else "none"


def _list_facts(episode: Trajectory) -> Iterator[tuple[str, str]]:
    conditions, reference = episode["conditions"], episode["reference"]
    yield "version", conditions["version"]
    yield "rules", reference["rules"]
    yield "generator", conditions["generator"]
    yield "split", conditions["split"]
    yield "seed", str(episode["seed"])
    yield "rewards", reference["reward_mode"]
    yield "surface", _word_surface(conditions)
    if conditions["parameters"]:
        yield "model", _word_model(conditions["parameters"])
    if conditions["salt"]:
        yield "salt, by its fingerprint", conditions["salt"]


def _word_surface(conditions: ConditionsRecord) -> str:
    if not conditions["address"]:
        return conditions["surface"]
    return f"{conditions['surface']} at {conditions['address']}, version {conditions['server']}"


def _word_model(parameters: Mapping[str, str | int | float | None]) -> str:
    others = {**parameters}
    model, endpoint = others.pop("model", None), others.pop("endpoint", None)
    settings = [f"{name} {value}" for name, value in others.items() if value is not None]
    return ", ".join([f"{model} at {endpoint}", *settings])
