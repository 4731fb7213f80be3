"""Counters of what is rare count whole events, which come by chance, and are right on average."""

from __future__ import annotations

import pytest

from scenarios.telemetry import look
from scenarios.vocabulary.diagnostics import ScrapedMetrics
from scenarios.world import Change, Run
from tests.scenarios.world.small import build

_NAME = 'http_requests_total_rate{route="/v1/order",code="5xx"}'


def _play(errors: float, seconds: float, seeds: int = 1) -> Run:
    part = {"name": "shop", "software": "go-service", "routes": [{"name": "order", "work": 0.02, "cpu": 0.001}]}
    journeys = ({"name": "order", "entry": "shop/order", "demand": 10, "deadline": 5, "worth": 1.0},)
    system = build([part], (), journeys=journeys, changes=(Change(at=0, what="errors", target="shop", to=errors),))
    run = Run(*(system.model_copy(update={"seed": seed}) for seed in range(seeds)))
    run.advance(seconds)
    return run


def _read(run: Run, system: int = 0, *, as_of: float | None = None) -> tuple[float, ...]:
    shown = look(run, "check_metrics", "shop", system=system, as_of=as_of)
    assert isinstance(shown, ScrapedMetrics)
    return tuple(value or 0.0 for series in shown.series if series.name == _NAME for value in series.recent)


@pytest.mark.slow
@pytest.mark.parametrize("errors", [0.0005, 0.002, 0.01, 0.018])
def test_what_is_rare_is_counted_in_whole_events(errors: float) -> None:
    expected, counts = errors * 600.0, []
    run = _play(errors, 900, seeds=40)
    for system in range(40):
        for rate in _read(run, system):
            assert abs(rate * 60.0 - round(rate * 60.0)) <= 0.03
            counts.append(round(rate * 60.0))
    mean = sum(counts) / len(counts)
    assert mean == pytest.approx(expected, rel=0.1, abs=0.05)
    spread = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert 0.6 * expected < spread < 1.4 * expected


def test_what_is_often_is_told_as_it_was() -> None:
    run = _play(0.2, 900)
    assert len(set(_read(run))) > 3
    assert all(1.7 < rate < 2.3 for rate in _read(run))
    assert any(abs(rate * 60.0 - round(rate * 60.0)) > 0.05 for rate in _read(run))


def test_a_minute_is_told_the_same_whenever_it_is_asked_for() -> None:
    run = _play(0.005, 1200)
    assert _read(run, as_of=900)[3:] == _read(run, as_of=1080)[:7]
    assert len(set(_read(run))) > 2
