"""check_metrics: series of a component, a sample a minute, from what was counted and read in its ticks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from scenarios.telemetry.numbers import round_sensibly
from scenarios.telemetry.quantities import GAUGES, OF_CALLS, OF_COMPONENT, OF_ROUTES
from scenarios.telemetry.texts import get_path
from scenarios.telemetry.vantage import average
from scenarios.vocabulary.diagnostics import Metrics, Series
from scenarios.world.record import TICK
from scenarios.world.software import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenarios.telemetry.vantage import CallOfRun, Vantage
    from scenarios.world.layout import Floats

SAMPLES = 10
_TICKS_OF_MINUTE = 4
_SETTLED = 4
"""Ticks after which a run has filled up with requests."""
_QUIET_TICKS = 40
"""Ticks from which a normal value is taken, at most."""


OF_ANYTHING = (
    Metric(name="kube_deployment_status_replicas_ready", unit="pods", shows="instances"),
    Metric(name="container_cpu_usage_seconds_total_rate", unit="cores", shows="processors"),
    Metric(name='container_memory_working_set_bytes{stat="avg"}', unit="MiB", shows="memory"),
)
"""What is known of the containers of a software that names no metrics."""


def show_metrics(seen: Vantage) -> Metrics:
    """The metrics of a component: samples of its last ten whole minutes, and what is normal."""
    minutes = seen.ticks // _TICKS_OF_MINUTE
    last = minutes * _TICKS_OF_MINUTE
    recent = slice(max(0, last - SAMPLES * _TICKS_OF_MINUTE), last)
    quiet = find_quiet(seen)
    return Metrics(
        service=seen.component.name,
        as_of=seen.as_of,
        step_minutes=1,
        series=tuple(
            Series(
                name=name,
                unit=metric.unit,
                normal=round_sensibly(average(compute(quiet)) * metric.times),
                recent=tuple(round_sensibly(value * metric.times) for value in _sample(metric, compute(recent))),
            )
            for metric in seen.software.metrics or OF_ANYTHING
            for name, compute in _expand(seen, metric)
        ),
    )


def find_quiet(seen: Vantage) -> slice:
    """The ticks in which everything was as always: before the first change that was not there from the start."""
    changes = [change.at for change in seen.system.changes if change.at > 0]
    end = min([_QUIET_TICKS, seen.ticks, *(int(at // TICK) for at in changes)])
    end = max(end, 1)
    return slice(min(_SETTLED, end - 1), end)


def _sample(metric: Metric, ticks: Floats) -> list[float]:
    """The mean of each minute, or what a gauge stands at when it ends."""
    columns = ticks.reshape(-1, _TICKS_OF_MINUTE)
    if metric.shows in GAUGES:
        return [float(value) for value in columns[:, -1].tolist()]
    total = columns[:, 0] + columns[:, 1] + columns[:, 2] + columns[:, 3]
    return [float(value) for value in (total / _TICKS_OF_MINUTE).tolist()]


def _expand(seen: Vantage, metric: Metric) -> Iterator[tuple[str, Callable[[slice], Floats]]]:
    """The series of a metric: one, or one for each route or callee, with what computes it for some ticks."""
    if metric.shows in OF_COMPONENT:
        yield _fill(seen, metric.name), partial(OF_COMPONENT[metric.shows], seen)
    elif metric.shows in OF_ROUTES:
        by_route = "{route}" in metric.name or "{path}" in metric.name
        for routes in [[route] for route in seen.routes] if by_route else [seen.routes]:
            name = _fill(seen, metric.name, route=routes[0] - seen.routes[0])
            yield name, partial(_compute_of_routes, seen, metric, routes)
    else:
        targets: dict[str, list[CallOfRun]] = {}
        for call in seen.outgoing:
            if not metric.to or seen.layout.components[call.target].software in metric.to:
                targets.setdefault(call.target_name if "{target}" in metric.name else "", []).append(call)
        for target, calls in targets.items():
            yield _fill(seen, metric.name, target=target), partial(_compute_of_calls, seen, metric, calls)


def _compute_of_routes(seen: Vantage, metric: Metric, routes: list[int], ticks: slice) -> Floats:
    return OF_ROUTES[metric.shows](seen, ticks, routes)


def _compute_of_calls(seen: Vantage, metric: Metric, calls: list[CallOfRun], ticks: slice) -> Floats:
    return OF_CALLS[metric.shows](seen, ticks, calls, metric.reasons)


def _fill(seen: Vantage, name: str, *, route: int = 0, target: str = "") -> str:
    of_route = seen.component.routes[route]
    values = {
        "service": seen.component.name,
        "route": of_route.name,
        "path": get_path(of_route),
        "target": target,
    }
    for field, value in values.items():
        name = name.replace("{" + field + "}", value)
    return name
