"""A check: what it asks, and what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.sample import Sample, Specimen
    from cloud_incident.evaluation.audit.world import World

T = TypeVar("T")

Status = Literal["pass", "fail", "skip", "error"]

MOST_EXAMPLES = 5


class Spec(NamedTuple):
    """A check by its id (OpenEnv's, where it has one), what it asks, and its threshold in words."""

    id: str
    asks: str
    threshold: str


@dataclass(frozen=True, slots=True)
class Check:
    """What came of a check. `measured` are its figures; `examples` say where it failed first."""

    spec: Spec
    status: Status
    measured: Mapping[str, float | int | str]
    note: str = ""
    examples: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        return self.status in {"fail", "error"}


class Found(NamedTuple, Generic[T]):
    """What was measured of one incident of the sample."""

    specimen: Specimen
    name: str
    value: T


@dataclass(frozen=True, slots=True)
class Context:
    """What was measured, for checks of the whole rather than of each incident."""

    world: World
    sample: Sample
    broken: Sequence[str] = field(default=())
    """The incidents that could not be made, and why."""


class Group(ABC, Generic[T]):
    """Checks that rest on the same measurements."""

    specs: tuple[Spec, ...]

    @abstractmethod
    def measure(self, case: Case) -> T:
        """Measure one incident. What it gives is sent between processes."""

    @abstractmethod
    def judge(self, found: Sequence[Found[T]], context: Context) -> Iterator[Check]:
        """A check for each spec, from what was measured."""


def none_of(
    spec: Spec,
    problems: Sequence[str],
    counted: int,
    what: str = "incidents",
    measured: Mapping[str, float | int | str] | None = None,
) -> Check:
    """A check that nothing may be found by."""
    return Check(
        spec,
        "fail" if problems else "pass",
        {what: counted, "problems": len(problems), **(measured or {})},
        examples=tuple(problems[:MOST_EXAMPLES]),
    )
