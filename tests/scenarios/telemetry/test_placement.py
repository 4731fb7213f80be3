"""Where instances are reached, how many there are, and which jobs ran: told alike by status and logs."""

from __future__ import annotations

import re

import pytest

from scenarios.telemetry import SampledLogs, look
from scenarios.world import Change, Run, load_system
from tests.scenarios.world.small import build


def _play(*changes: Change, pool: float = 100.0) -> Run:
    parts = (
        {
            "name": "edge",
            "software": "nginx",
            "routes": [{"name": "all", "work": 0.001}, {"name": "pay", "work": 0.001}],
        },
        {
            "name": "shop",
            "software": "go-service",
            "instances": 5,
            "routes": [{"name": "order", "work": 0.02}, {"name": "check", "work": 0.02}],
        },
    )
    calls = (
        {"source": "edge/all", "target": "shop/order", "deadline": 1, "pool": pool},
        {"source": "edge/pay", "target": "shop/check", "deadline": 1, "pool": 100},
    )
    journeys = tuple(
        {"name": name, "entry": f"edge/{name}", "demand": 100, "deadline": 5, "worth": 0.5} for name in ("all", "pay")
    )
    run = Run(build(parts, calls, journeys=journeys, changes=changes))
    run.advance(900)
    return run


def _find(run: Run, name: str, contains: str) -> tuple[str, ...]:
    logs = look(run, "query_logs", name, contains=contains)
    assert isinstance(logs, SampledLogs)
    return logs.lines


def test_a_proxy_names_the_instances_that_status_lists() -> None:
    run = _play(Change(at=300, what="work", target="shop", to=100.0))
    listed = set(re.findall(r"^instance .*  ([\d.]+)$", look(run, "check_service_status", "shop").text, re.MULTILINE))
    named = {
        re.findall(r'upstream: "http://([\d.]+):8080/', line)[0] for line in _find(run, "edge", "upstream timed out")
    }
    assert len(listed) == 5
    assert named == listed


def test_who_has_no_connection_for_one_route_does_not_say_that_nobody_lives() -> None:
    run = _play(pool=1.0)
    lines = _find(run, "edge", "[error]")
    assert lines
    assert all('limiting connections by zone "shop-order"' in line for line in lines)
    assert _find(run, "edge", '/v1/pay HTTP/1.1" 200 ')


@pytest.mark.parametrize(("over", "reason", "other"), [(0, "SuccessfulRescale", "Evicted"), (60, "Evicted", "Rescale")])
def test_fewer_instances_are_told_by_who_takes_them_away(over: float, reason: str, other: str) -> None:
    run = _play(Change(at=300, what="removed", target="shop", to=0.6, over=over))
    status = look(run, "check_service_status", "shop").text
    assert re.search(r"^pods ready +2/2$", status, re.MULTILINE)
    assert reason in status
    assert other not in status
    told = _find(run, "shop", f"reason={reason} ")
    assert len(told) == (1 if over == 0 else 3)
    assert over or "New size: 2;" in told[0]
    run.order("scale_service", "shop", number=4)
    run.advance(60)
    assert "ScalingReplicaSet: new size 4, it was 2" in look(run, "check_service_status", "shop").text
    assert _find(run, "shop", "reason=ScalingReplicaSet ")


def test_runs_of_jobs_are_told_with_their_times() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(1500)
    text = look(run, "check_service_status", "analytics-service").text
    started = re.findall(r"^event +([\d:]+)  job \S+ started, reading from postgres-db", text, re.MULTILINE)
    assert started
    assert "failed: connection to postgres-db lost" in text


def test_who_connects_from_an_instance_has_its_address() -> None:
    change = Change(at=300, what="work", target="cache", to=2000.0)
    parts = (
        {"name": "shop", "software": "go-service", "instances": 3, "routes": [{"name": "order", "work": 0.02}]},
        {"name": "cache", "software": "redis", "routes": [{"name": "get", "work": 0.001}]},
    )
    calls = ({"source": "shop/order", "target": "cache/get", "deadline": 0.1, "pool": 20},)
    journeys = ({"name": "order", "entry": "shop/order", "demand": 30, "deadline": 5, "worth": 1.0},)
    run = Run(build(parts, calls, journeys=journeys, changes=(change,)))
    run.advance(600)
    status = look(run, "check_service_status", "shop").text
    listed = dict(re.findall(r"^instance +(\S+) .*  ([\d.]+)$", status, re.MULTILINE))
    lines = _find(run, "shop", "i/o timeout")
    assert len(lines) == 40
    for line in lines:
        pod, address = re.findall(r"pod=(\S+) .*read tcp ([\d.]+):", line)[0]
        assert listed[pod] == address
    assert len(set(listed.values())) == 3
