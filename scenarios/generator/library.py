"""What incidents are generated from: archetypes, kinds of nodes, fault families, troubles, voices and decoys."""

from __future__ import annotations

import hashlib
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from scenarios.generator.family import Family, Kind, Trouble

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Metric = tuple[str, str, float, float]
"""Name, unit, and between what its normal value lies."""


def _metric(value: object) -> object:
    return [*value, 0.0, 0.0] if isinstance(value, list) and len(value) == 2 else value


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KindEntry(_Entry):
    """What a kind of node is made of."""

    about: str
    checks: tuple[str, ...]

    voice: str
    names: tuple[str, ...]
    metrics: dict[str, Annotated[Metric, BeforeValidator(_metric)]]


class TroubleEntry(_Entry):
    """How those who meet a trouble first see it."""

    path: str
    logs: tuple[str, ...]
    vague: tuple[str, ...]
    own: tuple[str, ...]


class Voice(_Entry):
    """A log format, and what a process of that kind prints on an ordinary day; `calm` only if nothing ails it."""

    format: str
    levels: dict[str, str]
    routine: tuple[str, ...]
    calm: tuple[str, ...] = ()
    chronic: tuple[str, ...]
    recovered: tuple[str, ...]
    restarted: tuple[str, ...]


JourneyClass = Literal["core", "major", "minor", "internal"]


class JourneyEntry(_Entry):
    """Something users do, and where it enters the system."""

    name: str
    kind: JourneyClass = Field(alias="class")
    entry: str
    request: str
    rate: tuple[float, float]
    trouble: str


class ServiceEntry(_Entry):
    """A domain service of an archetype."""

    name: str
    kind: Literal["service", "worker", "cron", "third_party"] = "service"
    about: str
    team: str
    calls: tuple[str, ...] = ()
    tries: tuple[str, ...] = ()
    data: Literal["", "sql", "document", "search"] = ""
    hot: bool = False
    consumes: str = ""
    optional: bool = False


class Archetype(_Entry):
    """A line of business: its journeys and the services that serve them."""

    archetype: str
    business: str
    users: str
    journeys: tuple[JourneyEntry, ...]
    services: tuple[ServiceEntry, ...]


class Anomaly(_Entry):
    """A harmless peculiarity of a node."""

    metrics: dict[str, float]
    logs: tuple[str, ...] = ()


class DecoyChange(_Entry):
    """An innocent change note, and of a flag its name and what it was set to."""

    kind: Literal["deploy", "config", "flag", "migration", "infra"]
    note: str
    flag: tuple[str, str] | None = None


class DecoyChanges(_Entry):
    """Innocent change notes, and the kinds of nodes that they fit."""

    fits: tuple[Kind, ...]
    notes: tuple[DecoyChange, ...]


class Decoys(_Entry):
    """What looks suspicious and is not."""

    changes: tuple[DecoyChanges, ...]
    anomalies: dict[Kind, tuple[Anomaly, ...]]

    @cached_property
    def notes(self) -> dict[Kind, tuple[DecoyChange, ...]]:
        """The change notes that fit each kind of node."""
        kinds = sorted({kind for group in self.changes for kind in group.fits})
        return {kind: tuple(note for one in self.changes if kind in one.fits for note in one.notes) for kind in kinds}


_ROOT = files("scenarios.generator")


def _texts(folder: str) -> dict[str, str]:
    found: list[Traversable] = [one for one in _ROOT.joinpath(folder).iterdir() if one.name.endswith(".yaml")]
    return {one.name.removesuffix(".yaml"): one.read_text("utf-8") for one in sorted(found, key=lambda one: one.name)}


def _loaded(text: str) -> Any:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders


@cache
def _data(name: str) -> Any:
    return _loaded(_texts("data")[name])


@cache
def generator_digest() -> str:
    """Hex SHA-256 of all data that incidents are generated from."""
    every = [text for folder in ("archetypes", "data", "families") for text in _texts(folder).values()]
    return hashlib.sha256("\0".join(every).encode()).hexdigest()


@cache
def archetypes() -> tuple[Archetype, ...]:
    """Every archetype, by name."""
    return tuple(Archetype.model_validate(_loaded(text)) for text in _texts("archetypes").values())


@cache
def families() -> dict[str, Family]:
    """Every fault family by its name."""
    every = (Family.model_validate(_loaded(text)) for text in _texts("families").values())
    return {family.family: family for family in every}


@cache
def kinds() -> dict[Kind, KindEntry]:
    """Every kind of node."""
    return TypeAdapter(dict[Kind, KindEntry]).validate_python(_data("kinds"))


@cache
def troubles() -> dict[Trouble, TroubleEntry]:
    """Every class of trouble."""
    return TypeAdapter(dict[Trouble, TroubleEntry]).validate_python(_data("troubles"))


@cache
def voices() -> dict[str, Voice]:
    """Every log format."""
    return TypeAdapter(dict[str, Voice]).validate_python(_data("voices")["voices"])


@cache
def decoys() -> Decoys:
    """Innocent changes and harmless anomalies."""
    return Decoys.model_validate(_data("decoys"))
