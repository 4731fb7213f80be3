"""Instances by the names that their orchestrator gives them, and the nodes that they run on.

A pod of a Deployment has a new name whenever it is made anew, and keeps it when its container is started again. A host
keeps its name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from scenarios.world.chance import hash_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.world import Component
    from scenarios.world.state import Event

ROLLED = frozenset({"deploy", "restart", "rollback", "raise_memory", "raise_connections", "raise_slots"})
"""Events with which all instances are made anew, one after the other."""
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

Names = list[tuple[float, str]]
"""Names of one instance, each with the second of the run from which on it has it."""


def list_names(seed: int, component: Component, instances: Sequence[int], events: Sequence[Event]) -> list[Names]:
    """The names of the instances of a component, by their place in it, from what happened to it."""
    count = len(instances)
    if component.kind.runs_on != "kubernetes":
        plain = [component.name] if count == 1 else [f"{component.name}-{place}" for place in range(count)]
        return [[(0.0, name)] for name in plain]
    rolled = [event.at for event in events if event.what in ROLLED]
    names: list[Names] = [[(0.0, _name_pod(seed, component.name, 0, place, 0))] for place in range(count)]
    for event in events:
        if event.what == "start" and not event.details.get("again"):
            place = int(event.details["instance"]) - instances[0]
            template = len([at for at in rolled if at <= event.at])
            names[place].append((event.at, _name_pod(seed, component.name, template, place, len(names[place]))))
    return names


def find_name(names: Names, at: float, *, ends: bool = False) -> str:
    """The name that an instance has at a second of the run; of one that `ends` then the one before."""
    return next(name for since, name in reversed(names) if since < at or (since == at and not ends) or since == 0.0)


def find_node(seed: int, component: str, place: int) -> str:
    """The node on which an instance runs, by its place in the component."""
    key = int(hash_names(seed, [component], f"node/{place}")[0])
    return f"ip-10-30-{key % 6}-{10 + (key >> 8) % 240}"


@lru_cache(maxsize=4096)
def _name_pod(seed: int, component: str, template: int, place: int, made: int) -> str:
    of_template = int(hash_names(seed, [component], f"template/{template}")[0])
    of_pod = int(hash_names(seed, [component], f"pod/{template}/{place}/{made}")[0])
    return f"{component}-{_spell(of_template, 9)}-{_spell(of_pod, 5)}"


def _spell(key: int, digits: int) -> str:
    text = ""
    for _ in range(digits):
        key, rest = divmod(key, len(_LETTERS))
        text += _LETTERS[rest]
    return text
