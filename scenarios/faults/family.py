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

Kernel = Literal["server", "store", "broker", "path", "resolver"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Strikes(_Part):
    """Where a family can strike: components that some `kernels` tick, or of some `software`, and what they need."""

    kernels: tuple[Kernel, ...] = ()
    software: tuple[str, ...] = ()
    needs: tuple[Literal["callers", "callees", "stores", "journeys", "clients", "disk", "cache", "links"], ...] = ()


class NewRelease(_Part):
    """A release of the component that is rolled out when the fault strikes: factors of its parameters, by strength."""

    work: By = (1.0, 1.0, 1.0)
    errors: By = (0.0, 0.0, 0.0)
    leak: By = (0.0, 0.0, 0.0)
    slots: By = (1.0, 1.0, 1.0)


class NewJob(_Part):
    """A run of a batch that the component starts when the fault strikes, on a store that it calls, and tries again."""

    names: tuple[str, ...]
    lasts: float
    slow: By = (1.0, 1.0, 1.0)
    memory_rate: By = (0.0, 0.0, 0.0)


class Shift(_Part):
    """A part of the state takes another value, as `Change` does it, of what belongs to the component.

    `of` says whose: the component's own, of each call to it or from it, of one call to it, of the journeys that enter
    at it, of those among them that are worth nothing (`clients`), or of the links that it is the router of.
    """

    what: str
    of: Literal["own", "incoming", "outgoing", "one incoming", "journeys", "clients", "links"] = "own"
    to: By
    over: tuple[float, float] = (0.0, 0.0)
    """Within how many seconds: drawn between the two."""


class FaultFamily(_Part):
    """A family of faults. It is silent: what components print, they print because of their state.

    Its name is that of a family of generator 1, whose words are the words of its failure mode.
    """

    family: str
    strikes: Strikes
    release: NewRelease | None = None
    job: NewJob | None = None
    shifts: tuple[Shift, ...] = ()
    entry: str = ""
    """The kind of the notes, of `notes.yaml`, that who made the change writes down; empty if nobody does."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """The family that a file in YAML describes."""
        return cls.model_validate(read_yaml(path))
