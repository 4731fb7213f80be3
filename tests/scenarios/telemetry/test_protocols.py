"""A failing call is told in the words of the callee's protocol and of the caller's language; the store tells too."""

from __future__ import annotations

import re

import pytest

from scenarios.telemetry import SampledLogs, look
from scenarios.world import SOFTWARE, Change, Run
from scenarios.world.reasons import Reason
from tests.scenarios.world.small import build

_CALLERS = ("go-service", "jvm-service", "node-service", "python-service")
_OTHERS = ("postgres", "mysql", "redis", "kafka", "rabbitmq")
_OF_HTTP = re.compile(
    r"https?://|[Ss]tatus|\b[45]0[013] [A-Z][a-z]|Axios|web\.client|requests\.exceptions|HTTPConnection"
)


@pytest.mark.parametrize("caller", _CALLERS)
@pytest.mark.parametrize("callee", _OTHERS)
@pytest.mark.parametrize("reason", list(Reason))
def test_nobody_speaks_of_http_who_calls_something_else(caller: str, callee: str, reason: Reason) -> None:
    name = reason.name.lower()
    lines = [line for line in SOFTWARE[caller].lines if line.when == f"call.{name}" and callee in line.to]
    assert len(lines) == 1
    assert not _OF_HTTP.search(lines[0].text.partition(" rid=")[2] or lines[0].text)
    failures = SOFTWARE[caller].failures
    assert not _OF_HTTP.search(failures.get(f"{name}.{callee}") or failures[name])


def _run(caller: str, store: str, *changes: Change, demand: float = 200.0) -> Run:
    parts = (
        {"name": "shop", "software": caller, "instances": 2, "routes": [{"name": "order", "work": 0.02}]},
        {
            "name": "shop-db",
            "software": store,
            "routes": [{"name": "orders", "work": 0.004, "writes": 1.0}],
            "parameters": {"disk": 10000.0, "disk_data": 5000.0},
        },
    )
    call = {"source": "shop/order", "target": "shop-db/orders", "deadline": 0.5, "pool": 100}
    journeys = ({"name": "order", "entry": "shop/order", "demand": demand, "deadline": 5, "worth": 1.0},)
    run = Run(build(parts, [call], journeys=journeys, changes=changes))
    run.advance(600)
    return run


def _count(run: Run, name: str, text: str) -> int:
    logs = look(run, "query_logs", name, contains=text)
    assert isinstance(logs, SampledLogs)
    return logs.matched


_SLOW = Change(at=300, what="work", target="shop-db", to=200.0)
_FULL = Change(at=300, what="disk_data", target="shop-db", to=1.0)
_SECRET = Change(at=300, what="secret_accepted", target="shop-db", to=5.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("caller", "store", "change", "said"),
    [
        ("python-service", "postgres", _SLOW, "canceling statement due to statement timeout"),
        ("go-service", "postgres", _SLOW, "canceling statement due to user request"),
        ("node-service", "postgres", _SLOW, "canceling statement due to user request"),
        ("jvm-service", "postgres", _SLOW, "connection to client lost"),
        ("jvm-service", "mysql", _SLOW, "Aborted connection"),
    ],
)
def test_a_store_tells_of_statements_that_nobody_waits_for(caller: str, store: str, change: Change, said: str) -> None:
    assert _count(_run(caller, store, change), "shop-db", said) > 50
    assert not _count(_run(caller, store), "shop-db", said)


@pytest.mark.parametrize("caller", _CALLERS)
def test_each_statement_that_is_cancelled_is_named_and_rolled_back(caller: str) -> None:
    run = _run(caller, "postgres", _SLOW)
    logs = look(run, "query_logs", "shop-db")
    assert isinstance(logs, SampledLogs)
    ended = [line for line in logs.lines if re.search("canceling|client lost", line)]
    named = [line for line in logs.lines if "STATEMENT:  UPDATE orders SET updated_at = now() WHERE id = " in line]
    assert abs(len(ended) - len(named)) <= 1 < 15 < len(ended), "the first on a page may be half of a pair"
    who = [{line.partition("]")[0] for line in lines} for lines in (ended[1:-1], named[1:-1])]
    assert len(who[0] & who[1]) >= len(ended) - 3
    place = run.layout.call_names.index(("shop/order", "shop-db/orders"))
    cancelled = 0.0
    for tick in range(36, 40):
        rows = run.record.ticks["failed"][tick]
        cancelled += rows[Reason.LATE][place] + rows[Reason.EXPIRED][place]
    metrics = look(run, "check_metrics", "shop-db").text
    back, kept = (
        float(next(line for line in metrics.splitlines() if f"xact_{name}_rate" in line).split()[-1])
        for name in ("rollback", "commit")
    )
    assert back == pytest.approx(cancelled / 60.0, rel=0.02)
    assert kept < 0.2 * back


@pytest.mark.parametrize(("slow", "deadline", "told"), [(1000.0, 2.0, True), (1000.0, 0.5, False), (20.0, 2.0, False)])
def test_a_database_tells_of_statements_that_wait_for_the_lock_of_a_job(
    slow: float, deadline: float, told: bool
) -> None:
    job = {"name": "table-rewrite", "store": "shop-db", "flag": "rewrite", "every": 9000, "first": 300}
    parts = (
        {"name": "shop", "software": "python-service", "routes": [{"name": "order", "work": 0.02}]}
        | {"flags": ["rewrite"], "jobs": [job | {"lasts": 600, "slow": slow}]},
        {"name": "shop-db", "software": "postgres", "routes": [{"name": "orders", "work": 0.05}]},
    )
    call = {"source": "shop/order", "target": "shop-db/orders", "deadline": deadline, "pool": 100}
    journeys = ({"name": "order", "entry": "shop/order", "demand": 20.0, "deadline": 5, "worth": 1.0},)
    run = Run(build(parts, [call], journeys=journeys))
    run.advance(600)
    said = re.compile(r"\[(\d+)\] LOG:  process \1 still waiting for AccessShareLock on relation 16400 of database ")
    assert bool(said.search(look(run, "query_logs", "shop-db", contains="still waiting").text)) == told
    run.advance(600)
    late = look(run, "query_logs", "shop-db", contains="still waiting")
    assert isinstance(late, SampledLogs)
    assert not any(re.search(r" 09:1[6-9]", line) for line in late.lines), "the job is done"
    assert bool(late.lines) == told


def test_nobody_cancels_what_the_network_loses() -> None:
    run = _run("python-service", "postgres", Change(at=300, what="loss", target="shop/order shop-db/orders", to=0.5))
    assert _count(run, "shop", "could not receive data from server: Connection timed out") > 50
    assert not _count(run, "shop", "cancel")
    assert not _count(run, "shop-db", "cancel")


@pytest.mark.slow
@pytest.mark.parametrize(("store", "said"), [("postgres", "No space left on device"), ("mysql", "'orders' is full")])
@pytest.mark.parametrize("caller", _CALLERS)
def test_a_caller_is_told_that_the_disk_is_full(caller: str, store: str, said: str) -> None:
    run = _run(caller, store, _FULL)
    assert _count(run, "shop", said) > 50
    assert not _count(run, "shop", "uplicate")
    assert not _count(_run(caller, store), "shop", said)


@pytest.mark.parametrize("store", ["postgres", "mysql"])
def test_a_full_pool_says_for_how_long_it_was_waited(store: str) -> None:
    run = _run("python-service", store, _SLOW, demand=400.0)
    text = look(run, "query_logs", "shop", contains="QueuePool").text
    assert set(re.findall(r"timeout (\S+)$", text, re.MULTILINE)) == {"0.50"}


def test_numbers_of_a_checkpoint_agree_with_each_other() -> None:
    run = _run("go-service", "postgres")
    run.advance(1800)
    logs = look(run, "query_logs", "shop-db", contains="checkpoint complete")
    assert isinstance(logs, SampledLogs)
    assert len(logs.lines) >= 5
    number = re.compile(r"(?<=[ =(])\d+(?:\.\d+)?(?=[ %;,])")
    for line in logs.lines:
        found = [float(each) for each in number.findall(line.partition("wrote")[2])]
        buffers, percent, added, removed, recycled, write, sync, total, files, longest, average, distance, ahead = found
        assert abs(percent - buffers / 5242.88) <= 0.051
        assert (added, removed, recycled) == (0, 0, distance // 16384)
        assert write + sync <= total < 300.0
        assert average <= longest <= sync
        assert abs(average - sync / files) < 0.001
        assert distance <= ahead
    assert len(set(logs.lines)) == len(logs.lines)
