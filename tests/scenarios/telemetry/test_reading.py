"""Metrics, dependencies, changes and status say what the run has lived through."""

from __future__ import annotations

import pytest

from scenarios.telemetry import Clock, look
from scenarios.vocabulary.diagnostics import Dependencies, Deploys, ScrapedMetrics, Status
from scenarios.world import SOFTWARE, Run
from scenarios.world.reasons import Reason
from scenarios.world.software import QUANTITIES
from tests.scenarios.telemetry.test_looking import NAMES, SYSTEM


@pytest.fixture(scope="module")
def run() -> Run:
    run = Run(SYSTEM)
    run.advance(1920)
    return run


def read_metrics(run: Run, name: str) -> dict[str, tuple[float | None, tuple[float | None, ...]]]:
    metrics = look(run, "check_metrics", name)
    assert isinstance(metrics, ScrapedMetrics)
    return {series.name: (series.normal, series.recent) for series in metrics.series}


def read_status(run: Run, name: str) -> Status:
    status = look(run, "check_service_status", name)
    assert isinstance(status, Status)
    return status


def read_history(run: Run, name: str) -> list[tuple[str, str, str, str]]:
    deploys = look(run, "check_recent_deploys", name)
    assert isinstance(deploys, Deploys)
    return [(entry.at, entry.kind, entry.version, entry.by) for entry in deploys.history]


def test_the_clock_writes_seconds_as_moments() -> None:
    clock = Clock(SYSTEM)
    assert [clock.get_moment(second) for second in (0, 1920, 1935)] == [
        "2026-03-03T13:46Z",
        "2026-03-03T14:18Z",
        "2026-03-03T14:18:15Z",
    ]
    assert clock.get_time_of_day(86400) == "Mar 4 13:46"


def test_a_sample_is_what_was_counted_in_its_minute(run: Run) -> None:
    normal, recent = read_metrics(run, "redis-cache")["redis_commands_processed_total_rate"]
    route = run.layout.route_names.index("redis-cache/get")
    for minute, sample in zip(range(22, 32), recent, strict=True):
        counted = [float(run.record.ticks["good"][4 * minute + tick][route]) for tick in range(4)]
        total = counted[0] + counted[1] + counted[2] + counted[3]
        assert sample == round(total / 60)
    assert 0.98 < (normal or 0.0) / 1074 < 1.02


def list_times(run: Run, name: str, what: str) -> list[float]:
    place = run.layout.component_names.index(name)
    return [event.at for event in run.state.events if event.component == place and event.what == what]


def test_gauges_tell_deaths_and_starts(run: Run) -> None:
    metrics, minutes = read_metrics(run, "postgres-db"), range(22, 32)
    place = run.layout.component_names.index("postgres-db")
    up = [float(run.record.ticks["running"][4 * minute + 3][place]) for minute in minutes]
    assert list(metrics["pg_up"][1]) == up
    assert (metrics["pg_stat_activity_count"][0] or 0.0) > 200
    assert 0.0 in up
    for count, alive in zip(metrics["pg_stat_activity_count"][1], up, strict=True):
        assert (count is None) == (alive == 0.0)
    deaths = [int(at // 60) for at in list_times(run, "postgres-db", "oom")]
    assert len(deaths) > 1
    assert list(metrics["node_vmstat_oom_kill_rate"][1]) == [deaths.count(minute) for minute in minutes]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_whole_finite_and_never_less_than_nothing(run: Run, name: str) -> None:
    evidence = look(run, "check_metrics", name)
    assert isinstance(evidence, ScrapedMetrics)
    for series in evidence.series:
        numbers = [value for value in (series.normal, *series.recent) if value is not None]
        assert all(0.0 <= value < 1e9 for value in numbers), series
        assert numbers
    assert ("· - no sample" in evidence.heading) == (" - " in f"{evidence.body()} ".replace("\n", " "))
    assert "-0" not in evidence.body().replace("order-0", "")
    assert "{" not in "".join(series.name.partition("{")[0] for series in evidence.series)


def test_a_normal_value_is_from_before_the_first_change(run: Run) -> None:
    later = Run(SYSTEM.model_copy(update={"changes": (SYSTEM.changes[1].model_copy(update={"at": 300}),)}))
    later.advance(1920)
    for part in ("order-service", "payment-service"):
        normals = {name: normal for name, (normal, _) in read_metrics(later, part).items()}
        assert normals == {
            name: pytest.approx(normal, rel=0.05, abs=1e-3) for name, (normal, _) in read_metrics(run, part).items()
        }


@pytest.mark.parametrize("software", list(SOFTWARE))
def test_software_names_what_it_shows(software: str) -> None:
    kind = SOFTWARE[software]
    assert {metric.shows for metric in kind.metrics} <= set(QUANTITIES)
    names = [metric.name for metric in kind.metrics]
    assert len(names) == len(set(names))
    reasons = {*(reason.name.lower() for reason in Reason), "too_many"}
    assert {name.partition(".")[0] for name in kind.failures} <= reasons
    assert {name.partition(".")[2] for name in kind.failures} <= {"", *SOFTWARE}
    assert {reason for metric in kind.metrics for reason in metric.reasons} <= reasons


def test_failures_are_told_in_the_words_of_the_caller(run: Run) -> None:
    seen = {name: look(run, "check_dependencies", name) for name in NAMES}
    for evidence in seen.values():
        assert isinstance(evidence, Dependencies)
    of_order = seen["order-service"]
    assert isinstance(of_order, Dependencies)
    calls = {path.service: (path.health, path.detail) for path in of_order.calls}
    assert calls["postgres-db"][0] == "down"
    assert calls["postgres-db"][1].endswith("all fail: This connection has been closed, failing since 14:05")
    assert calls["payment-service"][0] == "unknown", "nothing is paid while no order can be written"
    of_catalog = seen["catalog-service"]
    assert isinstance(of_catalog, Dependencies)
    assert "none fail" in of_catalog.calls[0].detail
    of_store = seen["postgres-db"]
    assert isinstance(of_store, Dependencies)
    assert of_store.calls == ()
    callers = {path.service: path.detail for path in of_store.called_by}
    assert callers["order-service"] == calls["postgres-db"][1]
    assert callers["auth-service"].endswith("conn closed, failing since 14:05")
    assert callers["analytics-service"].endswith("Connection refused, failing since 14:08")


def test_callers_that_are_not_let_in_have_no_latency() -> None:
    change = SYSTEM.changes[0].model_copy(
        update={"at": 300, "what": "denied", "target": "auth-service/sign-in postgres-db/users", "to": 1}
    )
    run = Run(SYSTEM.model_copy(update={"changes": (change,)}))
    run.advance(600)
    evidence = look(run, "check_dependencies", "auth-service")
    assert isinstance(evidence, Dependencies)
    assert evidence.calls[0].health == "down"
    assert evidence.calls[0].detail.endswith("all fail: ERROR: permission denied, failing since 13:51")
    run.advance(2400)
    evidence = look(run, "check_dependencies", "auth-service")
    assert isinstance(evidence, Dependencies)
    assert evidence.calls[0].detail.endswith(", failing for more than 30 min")


def test_changes_stand_in_the_log_with_those_from_before(run: Run) -> None:
    assert read_history(run, "order-service") == [
        ("2026-03-03T13:54Z", "deploy", "8.42.0", "orders"),
        ("2026-02-26T14:30Z", "deploy", "8.41.2", "orders"),
    ]
    assert read_history(run, "analytics-service")[0] == (
        "2026-03-03T13:46Z",
        "flag",
        "full_history_export=on",
        "data-platform",
    )
    assert read_history(run, "search-service") == []


def test_a_rollout_shows_both_versions_and_then_one() -> None:
    run = Run(SYSTEM)
    run.advance(540)
    status = read_status(run, "order-service")
    assert (status.state, status.replicas) == ("4 running, 1 starting", "4/5")
    assert status.version == "8.42.0 (3 of 5), 8.41.2 (2 of 5)"
    assert status.uptime == "under 1 min to 4 d 23 h"
    run.advance(120)
    status = read_status(run, "order-service")
    assert (status.state, status.replicas, status.version) == ("running", "5/5", "8.42.0")
    run.order("rollback_deploy", "order-service")
    run.advance(60)
    assert read_status(run, "order-service").version == "8.41.2 (3 of 5), 8.42.0 (2 of 5)"
    assert read_history(run, "order-service")[0] == ("2026-03-03T13:57Z", "rollback", "8.41.2", "on-call")


def test_a_store_that_died_too_often_is_known_to_have_failed(run: Run) -> None:
    status, clock = read_status(run, "postgres-db"), Clock(SYSTEM)
    assert status.state.startswith("failed")
    starts = [clock.get_time_of_day(at) for at in list_times(run, "postgres-db", "start")]
    assert status.replicas == "0/1"
    assert status.restarts == f"{len(starts)} automatic since {starts[0]}, last at {starts[-1]}"
    assert read_status(run, "redis-cache").state == "running"


def test_a_flag_is_known_with_the_time_of_its_change() -> None:
    run = Run(SYSTEM)
    run.advance(600)
    assert read_status(run, "analytics-service").flags == (("full_history_export", "on (since 13:46)"),)
    run.order("disable_feature_flag", "full_history_export")
    run.advance(15)
    assert read_status(run, "analytics-service").flags == (("full_history_export", "off (since 13:56)"),)
    assert read_history(run, "analytics-service")[0][1:] == ("flag", "full_history_export=off", "on-call")
