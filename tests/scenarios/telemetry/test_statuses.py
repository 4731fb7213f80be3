"""Who answers and who is answered tell of the same status, in lines, in counters and in words about a path."""

from __future__ import annotations

import re

import pytest

from scenarios.telemetry import SampledLogs, look
from scenarios.telemetry.metrics import SampledMetrics
from scenarios.world import Change, Run
from tests.scenarios.world.small import build

_SERVICES = ("go-service", "jvm-service", "node-service", "python-service")
_CALLERS = (*_SERVICES, "envoy", "nginx")
_SHED = Change(at=300, what="shed", target="stock", to=0.5)
_FULL = Change(at=300, what="slots", target="stock", to=0.002)
_WRONG = Change(at=300, what="errors", target="stock", to=0.5)


def _play(caller: str, callee: str, change: Change) -> Run:
    parts = (
        {"name": "shop", "software": caller, "instances": 2, "routes": [{"name": "order", "work": 0.002}]},
        {"name": "stock", "software": callee, "instances": 2, "routes": [{"name": "items", "work": 0.02}]}
        | {"parameters": {"slots": 100, "queue": 2, "patience": 20}},
    )
    call = {"source": "shop/order", "target": "stock/items", "deadline": 3, "pool": 1000}
    journeys = ({"name": "order", "entry": "shop/order", "demand": 100, "deadline": 9, "worth": 1.0},)
    run = Run(build(parts, [call], journeys=journeys, changes=(change,)))
    run.advance(900)
    return run


def _count(run: Run, name: str, text: str) -> int:
    logs = look(run, "query_logs", name, contains=text)
    assert isinstance(logs, SampledLogs)
    return logs.matched


def _read(run: Run, name: str, *texts: str) -> float:
    metrics = look(run, "check_metrics", name)
    assert isinstance(metrics, SampledMetrics)
    found = [each.recent[-1] for each in metrics.series if all(text in each.name for text in texts)]
    assert len(found) == 1
    return found[0] or 0.0


_CLASSES = {
    "go-service": 'code="{}"',
    "jvm-service": "{}",
    "node-service": 'status_code="{}"',
    "python-service": 'status="{}"',
}
_OF_PROXIES = {
    "envoy": {each: f'downstream_rq_xx_rate{{envoy_response_code_class="{each[0]}"' for each in ("4xx", "5xx")},
    "nginx": {"4xx": 'http_responses_total_rate{code="429"', "5xx": 'http_responses_total_rate{code="5xx"'},
}
_NAMES = {"4xx": "CLIENT_ERROR", "5xx": "SERVER_ERROR"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "status", "other", "more", "less"),
    [(_SHED, "429", "503", "4xx", "5xx"), (_FULL, "503", "429", "5xx", "4xx")],
)
@pytest.mark.parametrize(("caller", "callee"), [*zip(_CALLERS, (*_SERVICES, "go-service", "jvm-service"), strict=True)])
def test_who_takes_no_more_tells_callers_the_status_that_it_logs(
    caller: str, callee: str, change: Change, status: str, other: str, more: str, less: str
) -> None:
    run = _play(caller, callee, change)
    for name in ("shop", "stock"):
        assert _count(run, name, status) > 100
        lines = look(run, "query_logs", name, contains=other)
        assert not [
            line
            for line in lines.text.splitlines()[1:]
            if re.search(rf"(?<![.\d]){other} [A-Z-]|status.?[=:]{other}", line)
        ]
    assert status in look(run, "check_dependencies", "shop").text
    counted, none = (
        _CLASSES[callee].format(_NAMES[each] if callee == "jvm-service" else each) for each in (more, less)
    )
    assert _read(run, "stock", counted) > 20.0
    assert _read(run, "stock", none) < 1.0
    if caller in ("envoy", "nginx"):
        classes = _OF_PROXIES[caller]
        assert _read(run, "shop", classes[more]) > 20.0
        assert _read(run, "shop", classes[less]) < 1.0


@pytest.mark.slow
@pytest.mark.parametrize(("change", "status"), [(_SHED, "429"), (_FULL, "429"), (_WRONG, "500")])
@pytest.mark.parametrize("caller", _SERVICES)
def test_a_third_party_answers_what_its_callers_tell(caller: str, change: Change, status: str) -> None:
    run = _play(caller, "third-party", change)
    assert _count(run, "stock", f" HTTP/1.1 {status} ") > 100
    assert _count(run, "shop", status) > 100
    assert not _count(run, "stock", " HTTP/1.1 503 ")
    assert _read(run, "stock", 'code="429"' if status == "429" else 'code="5xx"') > 20.0
    assert _read(run, "stock", 'code="5xx"' if status == "429" else 'code="429"') < 1.0
