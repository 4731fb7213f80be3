"""The shape of a fault family: which part of the state it changes, of which components, how far, and how it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from scenarios.shipped import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

STRENGTHS = 3
"""A family strikes weakly, as usual, or strongly: 0, 1 or 2."""

By = Annotated[tuple[float, ...], Field(min_length=STRENGTHS, max_length=STRENGTHS)]
"""A value for each strength."""

Need = Literal[
    "callers",
    "callees",
    "stores",
    "caches",
    "brokers",
    "journeys",
    "clients",
    "checks",
    "disk",
    "cache",
    "links",
    "members",
    "topics",
    "consumes",
    "names",
]
"""What a component may have to have so that a family can strike it."""

Kernel = Literal["server", "store", "broker", "path", "resolver"]


Owner = Literal[
    "own", "incoming", "outgoing", "one incoming", "one callee", "journeys", "clients", "checks", "topics", "links"
]
"""Whose state a shift changes."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strikes(_Part):
    """Where a family can strike: components that some `kernels` tick, or of some `software`, and what they need."""

    kernels: tuple[Kernel, ...] = ()
    software: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()


class NewRelease(_Part):
    """A release of the component that is rolled out when the fault strikes: factors of its parameters, by strength."""

    work: By = (1.0, 1.0, 1.0)
    errors: By = (0.0, 0.0, 0.0)
    fills: By = (0.0, 0.0, 0.0)
    """Seconds in which what it loses fills the memory of an instance; 0 if it loses none."""
    slots: By = (1.0, 1.0, 1.0)
    keeps: By = (0.0, 0.0, 0.0)
    sends: By = (1.0, 1.0, 1.0)
    attempts: tuple[int, int, int] = (0, 0, 0)


class NewFeature(_Part):
    """Code behind a flag that is switched on when the fault strikes: what it does otherwise, by strength."""

    names: tuple[str, ...]
    work: By = (1.0, 1.0, 1.0)
    errors: By = (0.0, 0.0, 0.0)


class NewJob(_Part):
    """A run of a batch that the component starts when the fault strikes, on a store that it calls, and tries again.

    `on` says which of those: any, or a cache.
    """

    names: tuple[str, ...]
    lasts: float
    on: Literal["stores", "caches"] = "stores"
    sessions: By = (0.0, 0.0, 0.0)
    evicts: By = (0.0, 0.0, 0.0)
    slow: By = (1.0, 1.0, 1.0)
    memory_rate: By = (0.0, 0.0, 0.0)


class Shift(_Part):
    """A part of the state takes another value, as `Change` does it, of what belongs to the component.

    `of` says whose: the component's own, of each call to it or from it, of one call to it, of one component that it
    calls, of the journeys that enter at it, of those among them that are worth nothing (`clients`) or that only a rule
    watches (`checks`), of its topics that users await, or of the links that it is the router of.
    """

    what: str
    of: Owner = "own"
    to: By
    after: tuple[float, float] = (0.0, 0.0)
    """How many seconds after the fault strikes: drawn between the two."""
    lasts: float = 0.0
    """Seconds after which it is taken back to `back`; 0 if it is not."""
    back: float = 0.0
    over: tuple[float, float] = (0.0, 0.0)
    """Within how many seconds: drawn between the two."""


class FaultFamily(_Part):
    """A family of faults. It is silent: what components print, they print because of their state.

    Its name is that of a family of generator 1, whose words are those of its failure mode.
    """

    family: str
    strikes: Strikes
    release: NewRelease | None = None
    job: NewJob | None = None
    feature: NewFeature | None = None
    shifts: tuple[Shift, ...] = ()
    title: str = ""
    """What failed, in a few words; empty if those of generator 1 are true of it."""
    answer: str = ""
    """What went wrong, in words; empty if those of generator 1 are true of it."""
    entry: str = ""
    """The kind of the notes, of `notes.yaml`, that who made the change writes down; empty if nobody does."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """The family that a file in YAML describes."""
        return cls.model_validate(read_yaml(path))
