"""Readings: a client measures more than the server, and nothing that is at its limit stands still."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.telemetry import look
from scenarios.vocabulary.diagnostics import ScrapedMetrics
from scenarios.world import Change, Run, System
from tests.scenarios.world.small import build

_FAR = {"zones": ("zone-a", "zone-b"), "links": ({"between": ("zone-a", "zone-b"), "latency": 0.02},)}


def _build(software: str, cores: float, *changes: Change, **others: Any) -> System:
    parts = (
        {
            "name": "shop",
            "software": software,
            "instances": 2,
            "routes": [{"name": "order", "work": 0.02, "cpu": 0.005}],
            "parameters": {"cores": cores, "memory": 600.0, "base_memory": 300.0},
        },
        {"name": "cache", "software": "redis", "routes": [{"name": "get", "work": 0.001}]},
    )
    calls = ({"source": "shop/order", "target": "cache/get", "deadline": 1, "pool": 20},)
    journeys = ({"name": "order", "entry": "shop/order", "demand": 100, "deadline": 5, "worth": 1.0},)
    return build(parts, calls, journeys=journeys, changes=changes, **others)


def _read(run: Run, name: str, metric: str) -> list[float]:
    shown = look(run, "check_metrics", name)
    assert isinstance(shown, ScrapedMetrics)
    found = next(series.recent for series in shown.series if series.name.startswith(metric))
    return [0.0 if value is None else value for value in found]


@pytest.mark.parametrize(("others", "least"), [({}, 1e-4), (_FAR, 9e-3)])
def test_a_client_measures_the_way_too_and_is_faster_than_who_waits_for_it(others: Any, least: float) -> None:
    run = Run(_build("jvm-service", 4.0, **others))
    run.advance(900)
    server = _read(run, "cache", "redis_latency_percentiles_usec")
    client = _read(run, "shop", "lettuce_command_completion_seconds")
    whole = _read(run, "shop", 'http_server_requests_seconds{uri="/v1/order",quantile="0.99"')
    for theirs, mine, waiting in zip(server, client, whole, strict=True):
        assert theirs / 1e6 + least < mine < waiting
    assert len(set(client)) > 2


def test_processors_at_their_limit_do_not_stand_still() -> None:
    run = Run(_build("go-service", 0.2))
    run.advance(900)
    busy = _read(run, "shop", "process_cpu_seconds_total_rate")
    assert len(set(busy)) >= 6
    assert all(0.96 * 0.4 <= value <= 0.4 for value in busy)


@pytest.mark.parametrize(("software", "collects"), [("go-service", True), ("python-service", False)])
def test_who_collects_garbage_computes_more_when_its_memory_is_nearly_full(software: str, *, collects: bool) -> None:
    """With 1 MB a second an instance of 600 MB, half of them its own, is nearly full for a while before it dies."""
    run = Run(_build(software, 1.0, Change(at=300, what="leak", target="shop", to=1.0)))
    run.advance(600)
    busy = _read(run, "shop", "process_cpu_seconds_total_rate")
    assert (max(busy[-3:]) > 1.3 * busy[1]) == collects
    assert max(busy) <= 2.0


def test_quantiles_waver_and_stay_in_order() -> None:
    run = Run(_build("jvm-service", 4.0, Change(at=60, what="work", target="cache", to=3000.0)))
    run.advance(900)
    p50, p99 = (
        _read(run, "shop", f'http_server_requests_seconds{{uri="/v1/order",quantile="{q}"') for q in (0.5, 0.99)
    )
    assert all(1.0 < low <= high for low, high in zip(p50, p99, strict=True))
    assert len(set(p99)) > 2
