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
    needs: tuple[Literal["callers", "callees", "journeys", "job", "topic", "group", "disk", "cache", "zones"], ...] = ()


class NewRelease(_Part):
    """A release of the component that is rolled out when the fault strikes: factors of its parameters, by strength."""

    work: By = (1.0, 1.0, 1.0)
    errors: By = (0.0, 0.0, 0.0)
    leak: By = (0.0, 0.0, 0.0)


class Shift(_Part):
    """A part of the state takes another value, as `Change` does it, of what belongs to the component.

    `of` says whose: the component's own, of each call to it or from it, of the journeys that enter at it, of its
    topics, or of each link between its first zone and others.
    """

    what: str
    of: Literal["own", "incoming", "outgoing", "journeys", "topics", "links", "zone"] = "own"
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
    shifts: tuple[Shift, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """The family that a file in YAML describes."""
        return cls.model_validate(read_yaml(path))
