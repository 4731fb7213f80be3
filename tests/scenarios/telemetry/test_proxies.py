"""A proxy has a line and a counter for each request that comes to it, also for those that nobody else ever sees."""

from __future__ import annotations

import re

import pytest

from scenarios.telemetry import SampledLogs, look
from scenarios.telemetry.metrics import SampledMetrics
from scenarios.world import Change, Run
from tests.scenarios.world.small import build

_PROXIES = ("envoy", "nginx")
_COUNTERS = {
    "envoy": ("downstream_rq_total", 'downstream_rq_xx_rate{envoy_response_code_class="5"', "downstream_rq_rx_reset"),
    "nginx": ("nginx_http_requests_total", 'responses_total_rate{code="5xx"', 'responses_total_rate{code="499"'),
}


def _play(proxy: str, *changes: Change, patience: float = 2.0, user: float = 9.0, deadline: float = 3.0) -> Run:
    parts = (
        {"name": "edge", "software": proxy, "instances": 1, "routes": [{"name": "order", "work": 0.002}]}
        | {"parameters": {"slots": 100, "queue": 100, "patience": patience}},
        {"name": "shop", "software": "go-service", "instances": 2, "routes": [{"name": "order", "work": 0.02}]},
    )
    call = {"source": "edge/order", "target": "shop/order", "deadline": deadline, "pool": 1000}
    journeys = ({"name": "order", "entry": "edge/order", "demand": 200, "deadline": user, "worth": 1.0},)
    run = Run(build(parts, [call], journeys=journeys, changes=changes))
    run.advance(900)
    return run


def _find(run: Run, text: str) -> SampledLogs:
    logs = look(run, "query_logs", "edge", contains=text)
    assert isinstance(logs, SampledLogs)
    return logs


def _read(run: Run, text: str) -> float:
    metrics = look(run, "check_metrics", "edge")
    assert isinstance(metrics, SampledMetrics)
    return next(each.recent[-1] for each in metrics.series if text in each.name) or 0.0


_SLOW = Change(at=300, what="work", target="shop", to=120.0)


@pytest.mark.parametrize("proxy", _PROXIES)
@pytest.mark.parametrize(("patience", "which"), [(20.0, 0), (0.02, 1)])
def test_what_waits_at_a_proxy_or_is_not_taken_is_in_its_log(proxy: str, patience: float, which: int) -> None:
    run = _play(proxy, _SLOW, patience=patience)
    said = {"envoy": (" 503 UO ", " 0 DC "), "nginx": (" 503 ", " 499 ")}[proxy][which]
    assert _find(run, said).matched > 100
    logs, metrics = _find(run, ""), _COUNTERS[proxy]
    came, bad, left = (_read(run, name) for name in metrics)
    answered = run.record.ticks["good"][-1][0] / 15.0
    assert came == pytest.approx(bad + left + answered, rel=0.1)
    assert logs.logged == pytest.approx(200 * 900, rel=0.1)


@pytest.mark.parametrize("proxy", _PROXIES)
def test_users_that_are_gone_are_told(proxy: str) -> None:
    run = _play(proxy, Change(at=300, what="work", target="shop", to=20.0), user=0.3)
    said = {"envoy": r" 0 DC \d+ 0 300 ", "nginx": " 499 0 upstream=shop rt=300ms"}[proxy]
    lines = _find(run, {"envoy": " 0 DC ", "nginx": '" 499 '}[proxy]).lines
    assert len(lines) == 40
    assert all(re.search(said, line) for line in lines)
    place = run.layout.route_names.index("edge/order")
    failed = run.record.ticks["users_failed"][-1][place] / 15.0
    assert _read(run, _COUNTERS[proxy][2]) == pytest.approx(failed, rel=0.1)
    assert not _find(_play(proxy), {"envoy": " 0 DC ", "nginx": '" 499 '}[proxy]).lines


@pytest.mark.parametrize("proxy", _PROXIES)
def test_no_answer_is_well_that_came_after_the_deadline_of_the_proxy(proxy: str) -> None:
    run = _play(proxy, Change(at=300, what="work", target="shop", to=30.0), deadline=1.2)
    logs = _find(run, " 200 ")
    taken = [int(re.findall(r"(?:rt=|200 - \d+ \d+ )(\d+)", line)[0]) for line in logs.lines]
    assert max(taken) > 400
    assert max(taken) <= 1200
    if proxy == "envoy":
        assert set(re.findall(r" 504 UT \d+ 24 (\d+) ", _find(run, " 504 UT ").text)) == {"1200"}
