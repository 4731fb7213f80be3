"""What experienced readers look for: tails that differ, jitter, back-off, users who try again, stray errors, waves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from scenarios.telemetry import look
from scenarios.world import Run, System, load_system
from tests.scenarios.world.small import build, measure_rate, measure_success


def build_shop(*changes: dict[str, Any], seed: int = 0, retries: float = 0.0, **parameters: float) -> System:
    """A shop that sells."""
    shop = {"name": "shop", "software": "go-service", "parameters": parameters}
    return build(
        [{**shop, "routes": [{"name": "buy", "work": 0.02}]}],
        [],
        journeys=[{"name": "buy", "entry": "shop/buy", "demand": 100, "deadline": 3, "retries": retries}],
        changes=changes,
        seed=seed,
    )


def list_times(run: Run, what: str) -> list[float]:
    """The seconds at which something happened."""
    return [event.at for event in run.state.events if event.what == what]


def test_routes_have_tails_of_their_own_that_grow_from_knot_to_knot() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(300)
    p50, p90, p99 = (run.record.get(name)[-1] for name in ("p50", "p90", "p99"))
    assert (p50 <= p90).all()
    assert (p90 <= p99).all()
    ratios = {round(float(ratio), 1) for ratio in p99 / p50}
    assert len(ratios) >= 6
    assert (np.diff(run.layout.route_spread, axis=0) > 0.0).all()


def test_a_tail_can_be_said() -> None:
    ratios = []
    for tail in ("short", "long"):
        route = {"name": "buy", "work": 0.02, "tail": tail}
        run = Run(build([{"name": "shop", "software": "go-service", "routes": [route]}], []))
        ratios.append(float(run.state.flows.latency[3, 0] / run.state.flows.latency[1, 0]))
    assert ratios == pytest.approx([2.8, 8.1])


def test_a_supervisor_waits_longer_after_each_crash_and_never_by_the_clock() -> None:
    run = Run(build_shop({"at": 10, "what": "leak", "target": "shop", "to": 60}), noise=False)
    run.advance(1500)
    pauses = [start - death for death, start in zip(list_times(run, "oom"), list_times(run, "start"), strict=False)]
    assert all(least <= pause <= 1.3 * least for pause, least in zip(pauses, (10, 20, 40, 80, 160, 300), strict=False))
    assert pauses[:3] != [10, 20, 40]


def test_crashes_of_another_seed_come_at_other_times() -> None:
    runs = [
        Run(build_shop({"at": 10, "what": "leak", "target": "shop", "to": 60}, seed=seed), noise=False)
        for seed in range(4)
    ]
    for run in runs:
        run.advance(900)
    assert len({tuple(list_times(run, "ready")) for run in runs}) > 1


def test_systemd_waits_as_long_each_time() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(1500)
    deaths = list_times(run, "oom")
    starts = [event.at for event in run.state.events if event.what == "start" and event.details["again"]]
    assert [start - death for death, start in zip(deaths, starts, strict=False)] == [5, 5]
    gaps = [after - before for before, after in pairwise(deaths)]
    assert len(set(gaps)) == len(gaps)


def test_users_whose_request_failed_try_again_within_a_minute_and_are_all_counted() -> None:
    broken = {"at": 120, "what": "errors", "target": "shop", "to": 1}
    healed = {"at": 420, "what": "errors", "target": "shop", "to": 0}
    run = Run(build_shop(broken, healed, retries=0.5), noise=False)
    run.advance(900)
    assert measure_rate(run, "shop/buy", 60, 120) == pytest.approx(100)
    assert measure_rate(run, "shop/buy", 120, 135) < 130
    assert measure_rate(run, "shop/buy", 360, 420) == pytest.approx(200, rel=0.01)
    assert measure_rate(run, "shop/buy", 840, 900) == pytest.approx(100, rel=1e-3)
    assert measure_success(run, "shop/buy", 840, 900) == pytest.approx(1.0)
    ended = run.record.get("users_good").sum() + run.record.get("users_failed").sum() + run.state.flows.users.sum()
    failed = run.record.get("users_failed").sum()
    came_back = 0.5 * failed - run.state.again.sum()
    assert ended == pytest.approx(100 * 900 + came_back, rel=1e-9)
    assert run.record.ledger < 1e-9


def test_now_and_then_something_fails_when_all_is_well() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(900)
    good, failed = run.record.get("users_good").sum(axis=0), run.record.get("users_failed").sum(axis=0)
    entries = run.layout.journey_entry
    shares = failed[entries] / (good + failed)[entries]
    assert (shares > 1e-5).all()
    assert (shares < 5e-3).all()
    assert run.record.ledger < 1e-9


def test_memory_is_not_flat_and_follows_load() -> None:
    flood = {"at": 600, "what": "demand", "target": "buy", "to": 2}
    run = Run(build_shop(flood, slots=4), noise=False)
    run.advance(1200)
    memory = run.record.get("memory")[:, 0]
    assert memory[-4:].min() > memory[20:40].max()
    noisy = Run(load_system("analytics-export"))
    noisy.advance(900)
    levels = noisy.record.get("memory")[8:]
    swings = levels.max(axis=0) - levels.min(axis=0)
    assert (swings[levels[0] > 0] > 0).all()
    assert (swings < 0.1 * levels.max(axis=0)).all()


def test_a_fresh_process_that_finds_its_store_down_is_refused_and_an_old_one_has_dead_connections() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(1500)
    assert "conn closed" in look(run, "check_dependencies", "auth-service").text
    run.order("restart_service", "auth-service")
    run.advance(240)
    text = look(run, "check_dependencies", "auth-service").text
    assert "connect: connection refused" in text
    assert "conn closed" not in text
    assert run.record.ledger < 1e-9


def test_a_store_that_was_killed_says_what_ran() -> None:
    run = Run(load_system("analytics-export"))
    run.advance(1500)
    lines = look(run, "query_logs", "postgres-db").text.splitlines()
    killed = [n for n, line in enumerate(lines) if "was terminated by signal 9" in line]
    assert killed
    assert all("DETAIL:  Failed process was running: COPY" in lines[n + 1] for n in killed)
