"""The parts of a check: its declaration, the measurements it rests on, and its result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar, get_args

from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from cloud_incident.evaluation.audit.bounds import BoundedFigure
    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.sample import Sample, Specimen
    from cloud_incident.evaluation.audit.world import AuditedWorld

T = TypeVar("T")

CheckStatus = Literal["pass", "fail", "too_small_to_tell", "skip", "error"]
"""`too_small_to_tell`: a figure is out of bounds, and the sample is too small to tell whether that is more than chance.
`skip`: the sample has nothing to measure. `error`: it could not be measured."""

STATUSES: tuple[CheckStatus, ...] = get_args(CheckStatus)

MOST_EXAMPLES = 5
"""How many examples a check shows."""


class UnknownCheckError(CloudIncidentError):
    """A check that does not exist. The message lists those that do."""

    code = "unknown_check"


class Check(NamedTuple):
    """The id of a check (that of OpenEnv, if it has one), what it asks, and its threshold in words."""

    id: str
    asks: str
    threshold: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check. `measured` are its figures; `examples` say where it failed first."""

    spec: Check
    status: CheckStatus
    measured: Mapping[str, float | int | str]
    note: str = ""
    examples: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it failed or could not be made."""
        return self.status in {"fail", "error"}


def judge_figures(
    spec: Check, measured: Mapping[str, float | int | str], figures: Sequence[BoundedFigure]
) -> CheckResult:
    """The result of a check that rests on figures with bounds. The notes of the figures stand beside it."""
    status: CheckStatus = "pass"
    if any(figure.broken for figure in figures):
        status = "fail"
    elif any(figure.note for figure in figures):
        status = "too_small_to_tell"
    noted = sorted((figure for figure in figures if figure.note), key=lambda figure: not figure.broken)
    return CheckResult(spec, status, measured, "; ".join(figure.note for figure in noted[:MOST_EXAMPLES]))


class Measurement(NamedTuple, Generic[T]):
    """What a group measured of one incident of the sample."""

    specimen: Specimen
    name: str
    value: T


@dataclass(frozen=True, slots=True)
class AuditContext:
    """The sample as a whole, for checks that need more than the measurements."""

    world: AuditedWorld
    sample: Sample
    asked: Collection[str]
    """The checks that are made."""
    broken: Sequence[str] = field(default=())
    """The errors of the incidents that could not be made."""


class CheckGroup(ABC, Generic[T]):
    """Checks that rest on the same measurements. Add a group to `auditing.GROUPS`."""

    specs: tuple[Check, ...]

    @abstractmethod
    def measure(self, case: Case) -> T:
        """Measure one incident. The value is sent between processes, so it must be picklable."""

    @abstractmethod
    def judge(self, found: Sequence[Measurement[T]], context: AuditContext) -> Iterator[CheckResult]:
        """Judge the measurements, and give a result for each of `specs` that is asked for; others are left out."""


def require_no_problems(
    spec: Check,
    problems: Sequence[str],
    counted: int,
    what: str = "incidents",
    measured: Mapping[str, float | int | str] | None = None,
) -> CheckResult:
    """The result of a check that fails if there are problems among what was counted."""
    return CheckResult(
        spec,
        "fail" if problems else "pass",
        {what: counted, "problems": len(problems), **(measured or {})},
        examples=tuple(problems[:MOST_EXAMPLES]),
    )
