"""How documents hold what a diagnostic shows: one form for each, what reads it as evidence and what writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from scenarios.evidence import Moment
from scenarios.vocabulary import (
    CHECK_DEPENDENCIES,
    CHECK_METRICS,
    CHECK_RECENT_DEPLOYS,
    CHECK_SERVICE_STATUS,
    DIAGNOSTICS,
    NAME_LIMIT,
    QUERY_LOGS,
    Attachments,
    CallPath,
    Change,
    Dependencies,
    Deploys,
    Logs,
    MetricName,
    Metrics,
    Samples,
    Series,
    Status,
)
from scenarios.writing import InlineMapping, TextBlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.evidence import Evidence
    from scenarios.vocabulary import Diagnostic

ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=NAME_LIMIT)]

HealthText = Annotated[str, StringConstraints(pattern=r"^(healthy|degraded|failing|down|unknown)(: .+)?$")]
"""A health word and optionally what is seen on the calls: `failing: 92 % of calls refused`."""


def as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


_HEALTH_DETAIL = re.compile(r"^(healthy|degraded|failing|down|unknown)(?:: (.+))?$", re.DOTALL)


class Form(BaseModel):
    """A part of a document: closed, and fixed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Variant(Form):
    """One state of a piece of evidence. The first variant whose `when` is met is shown; the last has no `when`."""

    when: Annotated[list[str], BeforeValidator(as_list)] = Field(
        default_factory=list,
        description="Plan steps done and harms caused that must all hold; a leading ! means it must not hold.",
    )
    at: Moment | None = Field(default=None, description="Time of this state; the document's `now` unless given.")


LineNumbers = Annotated[str, StringConstraints(pattern=r"^[1-9]\d*(-[1-9]\d*)?( [1-9]\d*(-[1-9]\d*)?)*$")]
"""Lines by their numbers, from 1, single ones and ranges."""


class LogsVariant(Variant):
    lines: str = Field(default="", description="Log lines, oldest first, as a block scalar.")
    shows: LineNumbers | None = Field(
        default=None, description="Instead of `lines`: numbers of lines of `printed`, such as 1-14 17 20-31."
    )
    window_minutes: int = Field(default=15, ge=1)


class SeriesDocument(Form):
    """One metric. Only the last state must give unit and normal value; other states inherit them from it."""

    name: MetricName
    unit: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        default=None, description="Unit, such as ms, %, req/s, MiB."
    )
    normal: float | None = Field(default=None, description="Usual value at this time of day.")
    recent: Samples


class MetricsVariant(Variant):
    series: list[SeriesDocument] = Field(min_length=1)
    step_minutes: int = Field(default=2, ge=1)


class DependenciesVariant(Variant):
    calls: dict[ServiceName, HealthText] = Field(
        default_factory=dict, description="Health of the paths this service calls; those left out are healthy."
    )
    called_by: dict[ServiceName, HealthText] = Field(
        default_factory=dict, description="Health of the paths that call this service; those left out are healthy."
    )


class DeploysVariant(Variant):
    history: list[Change] = Field(default_factory=list, description="Newest first.")


class StatusVariant(Variant):
    state: str = Field(min_length=1)
    replicas: str = Field(min_length=1, description="Ready and desired, such as 3/3.")
    version: str = Field(min_length=1)
    uptime: str = Field(min_length=1)
    restarts: str = Field(default="0 in 24 h", min_length=1)
    flags: dict[str, str] = Field(default_factory=dict)
    runbooks: list[str] = Field(default_factory=list, description="Catalogue steps that the owner lists.")
    notes: list[str] = Field(default_factory=list)


def split_lines(text: str) -> tuple[str, ...]:
    """The lines of a block; blanks at their ends and empty lines do not count."""
    return tuple(line.rstrip() for line in text.strip("\n").splitlines() if line.strip())


def expand_numbers(text: str) -> list[int]:
    """What numbers and ranges of lines come to, one by one."""
    numbers: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What evidence takes from elsewhere in its document: the service, the time, and what its form leaves out.

    `last` is the last state of the same evidence. `callees` and `callers` are what `paths_of` gives.
    """

    service: str
    as_of: Moment
    about: str
    team: str
    printed: str
    last: Variant
    callees: list[str]
    callers: list[str]


def _read_logs(form: LogsVariant, around: Surroundings) -> Logs:
    lines = split_lines(form.lines if form.shows is None else around.printed)
    if form.shows is not None:
        lines = tuple(lines[number - 1] for number in expand_numbers(form.shows))
    return Logs(service=around.service, as_of=around.as_of, window_minutes=form.window_minutes, lines=lines)


def _read_metrics(form: MetricsVariant, around: Surroundings) -> Metrics:
    last = around.last if isinstance(around.last, MetricsVariant) else form
    series = tuple(_read_series(series, last) for series in form.series)
    return Metrics(service=around.service, as_of=around.as_of, step_minutes=form.step_minutes, series=series)


def _read_dependencies(form: DependenciesVariant, around: Surroundings) -> Dependencies:
    return Dependencies(
        service=around.service,
        as_of=around.as_of,
        calls=_read_paths(around.callees, form.calls),
        called_by=_read_paths(around.callers, form.called_by),
    )


def _read_deploys(form: DeploysVariant, around: Surroundings) -> Deploys:
    return Deploys(service=around.service, as_of=around.as_of, history=tuple(form.history))


def _read_status(form: StatusVariant, around: Surroundings) -> Status:
    return Status(
        service=around.service,
        as_of=around.as_of,
        team=around.team,
        about=around.about,
        flags=tuple(form.flags.items()),
        runbooks=tuple(form.runbooks),
        notes=tuple(form.notes),
        **form.model_dump(include={"state", "replicas", "version", "uptime", "restarts"}),
    )


def _read_series(series: SeriesDocument, last: MetricsVariant) -> Series:
    """A metric with the unit and the normal value that it has in the last state, where it gives none."""
    there = next((other for other in last.series if other.name == series.name), series)
    values = {"unit": there.unit, "normal": there.normal} | series.model_dump(exclude_none=True)
    return Series.model_validate(values)


def _read_paths(services: list[str], health: dict[str, str]) -> tuple[CallPath, ...]:
    paths = []
    for service in sorted(services):
        match = _HEALTH_DETAIL.match(health.get(service, "healthy"))
        if match:
            paths.append(CallPath.model_validate({"service": service, "health": match[1], "detail": match[2] or ""}))
    return tuple(paths)


_WINDOW = LogsVariant.model_fields["window_minutes"].default
_NO_RESTARTS = StatusVariant.model_fields["restarts"].default


def _write_logs(logs: Logs, _: Evidence | None) -> dict[str, Any]:
    window = {} if logs.window_minutes == _WINDOW else {"window_minutes": logs.window_minutes}
    return {**window, "lines": TextBlock("\n".join(logs.lines))}


def _write_metrics(metrics: Metrics, last: Evidence | None) -> dict[str, Any]:
    known = {series.name for series in last.series} if isinstance(last, Metrics) and last is not metrics else set()
    return {
        "step_minutes": metrics.step_minutes,
        "series": [_write_series(series, known) for series in metrics.series],
    }


def _write_series(series: Series, known: set[str]) -> InlineMapping:
    given = {} if series.name in known else {"unit": series.unit, "normal": series.normal}
    return InlineMapping(name=series.name, **given, recent=list(series.recent))


def _write_dependencies(dependencies: Dependencies, _: Evidence | None) -> dict[str, Any]:
    sides = {"calls": _write_paths(dependencies.calls), "called_by": _write_paths(dependencies.called_by)}
    return {side: paths for side, paths in sides.items() if paths}


def _write_paths(paths: tuple[CallPath, ...]) -> dict[str, str]:
    """Write the paths that are not healthy; those left out are."""
    texts = {path.service: f"{path.health}: {path.detail}" if path.detail else path.health for path in paths}
    return {service: text for service, text in texts.items() if text != "healthy"}


def _write_deploys(deploys: Deploys, _: Evidence | None) -> dict[str, Any]:
    return {"history": [InlineMapping(change.model_dump()) for change in deploys.history]}


def _write_status(status: Status, _: Evidence | None) -> dict[str, Any]:
    values = {
        "state": status.state,
        "replicas": status.replicas,
        "version": status.version,
        "uptime": status.uptime,
        "restarts": status.restarts,
        "flags": dict(status.flags),
        "runbooks": list(status.runbooks),
        "notes": list(status.notes),
    }
    return {name: value for name, value in values.items() if value and (name, value) != ("restarts", _NO_RESTARTS)}


class WrittenForm(NamedTuple):
    """How documents hold one kind of evidence.

    `model` is one state of it. `read` makes evidence of a state. `write` gives the fields of a state for evidence, less
    what the last state has already.
    """

    model: type[Variant]
    read: Callable[[Any, Surroundings], Evidence]
    write: Callable[[Any, Evidence | None], dict[str, Any]]


FORMS: Attachments[Diagnostic, WrittenForm] = Attachments(
    "written forms of evidence",
    DIAGNOSTICS.values(),
    {
        QUERY_LOGS: WrittenForm(LogsVariant, _read_logs, _write_logs),
        CHECK_METRICS: WrittenForm(MetricsVariant, _read_metrics, _write_metrics),
        CHECK_DEPENDENCIES: WrittenForm(DependenciesVariant, _read_dependencies, _write_dependencies),
        CHECK_RECENT_DEPLOYS: WrittenForm(DeploysVariant, _read_deploys, _write_deploys),
        CHECK_SERVICE_STATUS: WrittenForm(StatusVariant, _read_status, _write_status),
    },
)
