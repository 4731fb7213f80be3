"""check_metrics: series of a component, a sample a minute, from what was counted and read in its ticks.

What a process tells of itself has a gap while none runs. A latency has one while nothing was answered.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scenarios.telemetry.counting import count_whole
from scenarios.telemetry.numbers import round_sensibly
from scenarios.telemetry.quantities import GAUGES, LATENCIES, OF_CALLS, OF_COMPONENT, OF_ROUTES, WATCHED
from scenarios.telemetry.texts import get_path
from scenarios.telemetry.vantage import average
from scenarios.vocabulary.diagnostics import GAP, ScrapedMetrics, Scrapes
from scenarios.world.record import TICK
from scenarios.world.software import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

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
    Metric(name='container_memory_working_set_bytes{stat="avg"}', unit="MiB", shows="memory"),
)
"""What is known of the containers of a software that names no metrics."""


class SampledMetrics(ScrapedMetrics):
    """Metrics of a component that runs. The heading says what a gap is, and what latencies are of, if there are any."""

    @property
    def heading(self) -> str:
        said = super().heading
        if any("quantile=" in series.name or 'stat="mean"' in series.name for series in self.series):
            said += " · latencies are of answered requests, refusals left out"
        if any(value is None for series in self.series for value in (series.normal, *series.recent)):
            said += f" · {GAP} no sample"
        return said


def show_metrics(seen: Vantage) -> SampledMetrics:
    """The metrics of a component: samples of its last ten whole minutes, and what is normal."""
    minutes = seen.ticks // _TICKS_OF_MINUTE
    last = minutes * _TICKS_OF_MINUTE
    recent = slice(max(0, last - SAMPLES * _TICKS_OF_MINUTE), last)
    quiet = find_quiet(seen)
    return SampledMetrics(
        service=seen.component.name,
        as_of=seen.as_of,
        step_minutes=1,
        series=tuple(
            Scrapes(
                name=name,
                unit=metric.unit,
                normal=_scale(metric, _find_normal(seen, metric, compute, quiet)),
                recent=tuple(
                    _scale(metric, value)
                    for value in count_whole(
                        seen, subject, metric, recent.start // _TICKS_OF_MINUTE, _sample(seen, metric, compute, recent)
                    )
                ),
            )
            for metric in seen.software.metrics or OF_ANYTHING
            for name, subject, compute in _expand(seen, metric)
        ),
    )


def find_quiet(seen: Vantage) -> slice:
    """The ticks in which everything was as always: before the first change that was not there from the start."""
    changes = [change.at for change in seen.system.changes if change.at > 0]
    end = min([_QUIET_TICKS, seen.ticks, *(int(at // TICK) for at in changes)])
    end = max(end, 1)
    return slice(min(_SETTLED, end - 1), end)


def _scale(metric: Metric, value: float | None) -> float | None:
    return None if value is None else round_sensibly(value * metric.times)


def _find_scraped(seen: Vantage, metric: Metric, values: Floats, ticks: slice) -> NDArray[np.bool_]:
    """The ticks of which there is a sample."""
    if metric.shows in LATENCIES:
        return np.asarray(values > 0.0)
    if metric.shows in WATCHED or not seen.is_ours:
        return np.ones(len(values), dtype=np.bool_)
    return np.asarray(seen.get("running", ticks.start, ticks.stop)[:, seen.place] > 0.0)


def _find_normal(seen: Vantage, metric: Metric, compute: Callable[[slice], Floats], ticks: slice) -> float | None:
    values = compute(ticks)
    scraped = _find_scraped(seen, metric, values, ticks)
    return average(values[scraped]) if scraped.any() else None


def _sample(seen: Vantage, metric: Metric, compute: Callable[[slice], Floats], ticks: slice) -> list[float | None]:
    """The mean of each minute, or what a gauge stands at when it ends."""
    values = compute(ticks)
    scraped = _find_scraped(seen, metric, values, ticks).reshape(-1, _TICKS_OF_MINUTE)
    if np.count_nonzero(scraped) == len(values):
        return _sample_all(metric, values.reshape(-1, _TICKS_OF_MINUTE))
    columns = np.where(scraped, values.reshape(-1, _TICKS_OF_MINUTE), 0.0)
    if metric.shows in GAUGES:
        last, there = columns[:, -1], scraped[:, -1]
    else:
        total, count = np.zeros(len(columns)), np.zeros(len(columns))
        for place in range(_TICKS_OF_MINUTE):
            total, count = total + columns[:, place], count + scraped[:, place]
        # Of counters a part of a minute is a part of the sum; what is read is known of the rest of it only.
        parts = np.maximum(count, 1.0) if metric.shows in LATENCIES or metric.shows == "memory" else _TICKS_OF_MINUTE
        last, there = total / parts, count > 0.0
    return [value if known else None for value, known in zip(last.tolist(), there.tolist(), strict=True)]


def _sample_all(metric: Metric, columns: Floats) -> list[float | None]:
    """The same where there is a sample of each tick."""
    if metric.shows in GAUGES:
        return list(columns[:, -1].tolist())
    total = columns[:, 0] + 0.0
    for place in range(1, _TICKS_OF_MINUTE):
        total = total + columns[:, place]
    return list((total / _TICKS_OF_MINUTE).tolist())


def _expand(seen: Vantage, metric: Metric) -> Iterator[tuple[str, str, Callable[[slice], Floats]]]:
    """The series of a metric: one, or one for each route or callee, with what it is of and what computes it."""
    if metric.shows in OF_COMPONENT:
        yield _fill(seen, metric.name), "", partial(OF_COMPONENT[metric.shows], seen)
    elif metric.shows in OF_ROUTES:
        by_route = "{route}" in metric.name or "{path}" in metric.name
        for routes in [[route] for route in seen.routes] if by_route else [seen.routes]:
            name = _fill(seen, metric.name, route=routes[0] - seen.routes[0])
            subject = seen.layout.route_names[routes[0]] if len(routes) < len(seen.routes) else ""
            yield name, subject, partial(_compute_of_routes, seen, metric, routes)
    else:
        targets: dict[str, list[CallOfRun]] = {}
        for call in seen.outgoing:
            if not metric.to or seen.layout.components[call.target].software in metric.to:
                targets.setdefault(call.target_name if "{target}" in metric.name else "", []).append(call)
        for target, calls in targets.items():
            subject = target if len(calls) < len(seen.outgoing) else ""
            yield _fill(seen, metric.name, target=target), subject, partial(_compute_of_calls, seen, metric, calls)


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
