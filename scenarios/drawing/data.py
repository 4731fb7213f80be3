"""What systems are drawn from: roles of components, and lines of business with their services and journeys.

The lines of business are those of version 1. A journey that ends in a worker or a job has nobody who waits for it, so
it is none here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from scenarios.generator.library import archetypes
from scenarios.shipped import read_yaml
from scenarios.world import SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.generator.library import Archetype

RoleName = Literal[
    "edge",
    "gateway",
    "service",
    "worker",
    "cron",
    "sql",
    "document",
    "search",
    "cache",
    "queue",
    "third_party",
    "resolver",
    "router",
]


class Role(BaseModel):
    """What a component can be in a system. The numbers are ranges, from and to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    software: tuple[str, ...]
    work: tuple[float, float]
    cpu: tuple[float, float]
    instances: tuple[int, int]
    names: tuple[str, ...] = ()
    about: str = ""
    team: str = ""


@cache
def load_roles() -> Mapping[RoleName, Role]:
    """The roles that can be drawn, with the software that there is for them."""
    path = Path(__file__).parent / "roles.yaml"
    roles = TypeAdapter(dict[RoleName, Role]).validate_python(read_yaml(path))
    found = {}
    for name, role in roles.items():
        there = tuple(software for software in role.software if software in SOFTWARE)
        if there:
            found[name] = role.model_copy(update={"software": there})
    return found


@cache
def load_businesses() -> tuple[Archetype, ...]:
    """The lines of business, by name."""
    return archetypes()
