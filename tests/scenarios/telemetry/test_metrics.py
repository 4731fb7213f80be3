"""Metrics have a gap where a scrape has none, and latencies are those of requests that were answered."""

from __future__ import annotations

import pytest

from scenarios.drawing import draw
from scenarios.faults import FAMILIES, Fault, list_targets, strike
from scenarios.telemetry import look
from scenarios.vocabulary.diagnostics import ScrapedMetrics
from scenarios.world import SOFTWARE, Change, Run
from tests.scenarios.world.small import build

_PARTS = (
    {
        "name": "shop",
        "software": "go-service",
        "instances": 3,
        "routes": [{"name": "order", "work": 0.02, "cpu": 0.01}],
    },
    {"name": "shop-db", "software": "postgres", "routes": [{"name": "orders", "work": 0.004}]},
    {"name": "bank", "software": "third-party", "routes": [{"name": "pay", "work": 0.05}]},
)
_CALLS = tuple(
    {"source": "shop/order", "target": target, "deadline": 1, "pool": 20} for target in ("shop-db/orders", "bank/pay")
)


def _look(name: str, *changes: Change) -> ScrapedMetrics:
    journeys = ({"name": "order", "entry": "shop/order", "demand": 30, "deadline": 5, "worth": 1.0},)
    run = Run(build(_PARTS, _CALLS, journeys=journeys, changes=changes))
    run.advance(900)
    shown = look(run, "check_metrics", name)
    assert isinstance(shown, ScrapedMetrics)
    return shown


def _find(shown: ScrapedMetrics, name: str) -> tuple[float | None, ...]:
    return next(series.recent for series in shown.series if series.name.startswith(name))


def test_a_process_that_answers_takes_a_little_of_a_processor() -> None:
    """Also one whose requests compute nothing that is worth telling."""
    busy = _find(_look("shop-db"), "namedprocess_namegroup_cpu")
    assert all(value is not None and 0.003 < value < 0.02 for value in busy)


def test_a_process_that_does_not_run_tells_nothing() -> None:
    shown = _look("shop-db", Change(at=600, what="stopped", target="shop-db", to=1.0))
    assert _find(shown, "pg_up") == (1, 1, 1, 1, 1, 0, 0, 0, 0, 0)
    assert _find(shown, "node_vmstat_oom_kill_rate") == (0,) * 10
    for series in shown.series[1:-1]:
        assert all(value is not None for value in series.recent[:5])
        assert series.recent[6:] == (None,) * 4, series.name
    assert shown.heading.endswith(" · - no sample")
    assert " 1 1 1 1 1 0 0 0 0 0" in shown.body()
    assert any(line.split()[-4:] == ["-"] * 4 and line.split()[3] == "-" for line in shown.body().splitlines())


def test_what_runs_is_averaged_over_what_runs() -> None:
    calm, hurt = (
        _look("shop", *changes) for changes in ((), (Change(at=600, what="stopped", target="shop", to=0.34),))
    )
    for usual, now in zip(*(_find(shown, "process_resident_memory") for shown in (calm, hurt)), strict=True):
        assert usual is not None
        assert now is not None
        assert 0.9 < now / usual < 1.3
    assert "no sample" not in hurt.heading


@pytest.mark.slow
@pytest.mark.parametrize("name", ["shop", "bank"])
@pytest.mark.parametrize("shed", [0.9, 1.0])
def test_who_turns_requests_away_looks_neither_slow_nor_fast_by_that(name: str, shed: float) -> None:
    calm, hurt = (_look(name, *changes) for changes in ((), (Change(at=600, what="shed", target=name, to=shed),)))
    quantiles = [series.name for series in calm.series if "quantile" in series.name]
    assert len(quantiles) == 2
    for quantile in quantiles:
        usual, now = _find(calm, quantile)[-1], _find(hurt, quantile)[-1]
        assert usual is not None
        assert (now is None) == (shed == 1.0)
        assert now is None or 0.7 < now / usual < 1.1
    assert " · latencies are of answered requests, refusals left out" in hurt.heading
    assert hurt.series[0].recent[-1] is not None


@pytest.mark.parametrize("software", list(SOFTWARE))
def test_only_what_runs_as_a_deployment_is_counted_in_pods(software: str) -> None:
    parts = {"name": "part", "software": software, "routes": [{"name": "ask", "work": 0.02}]}
    journeys = ({"name": "ask", "entry": "part/ask", "demand": 30, "deadline": 5, "worth": 1.0},)
    run = Run(build([parts], (), journeys=journeys))
    run.advance(300)
    shown = look(run, "check_metrics", "part")
    assert ("kube_deployment" in shown.text) <= (SOFTWARE[software].runs_on == "kubernetes")
    assert shown.heading.count(" · latencies are of answered requests") <= 1


@pytest.mark.parametrize(("shed", "said"), [(0.0, ", none fail, p99 "), (0.5, ", p99 of the others ")])
def test_a_caller_is_told_that_refusals_are_left_out(shed: float, said: str) -> None:
    journeys = ({"name": "order", "entry": "shop/order", "demand": 30, "deadline": 5, "worth": 1.0},)
    change = Change(at=300, what="shed", target="bank", to=shed)
    run = Run(build(_PARTS, _CALLS, journeys=journeys, changes=(change,)))
    run.advance(900)
    line = next(line for line in look(run, "check_dependencies", "shop").text.splitlines() if "bank" in line)
    assert said in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "metric", "least"),
    [("packet-loss", "icmp_loss", 10.0), ("zone-delay", "icmp_rtt", 500.0), ("dns-failure", "servfail", 30.0)],
)
def test_what_stands_beside_all_calls_has_evidence_of_its_own(family: str, metric: str, least: float) -> None:
    system = draw(7004, 5).background.model_copy(update={"changes": ()})
    target = list_targets(FAMILIES[family], system)[0]
    run = Run(strike(system, Fault(family=family, component=target, at=600)))
    run.advance(1200)
    line = next(line for line in look(run, "check_metrics", target).text.splitlines() if metric in line)
    normal, now = map(float, line.split()[2:4])
    assert normal < 5.0
    assert now > least
