"""Operations: each takes its time, acts on whatever it is applied to, and leaves an entry."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenarios.telemetry import look
from scenarios.vocabulary.diagnostics import Deploys
from scenarios.world import OPERATIONS, OperationError, Run, System
from tests.scenarios.world.small import build, measure_success
from tests.slow import mark_slow_after

EXPORT = System.load(Path(str(files("scenarios.world"))) / "systems" / "analytics-export.yaml")
ZONES = ("zone-a", "zone-b")


def build_shop(
    *changes: dict[str, Any], store: dict[str, Any] | None = None, shop: dict[str, Any] | None = None, **others: Any
) -> System:
    """A shop of four instances in two zones, with a store."""
    return build(
        [
            {
                "name": "shop",
                "software": "go-service",
                "instances": 4,
                "routes": [{"name": "buy", "work": 0.02, "cpu": 0.005}],
                **(shop or {}),
            },
            {"name": "store", "software": "postgres", "routes": [{"name": "read", "work": 0.005}], **(store or {})},
        ],
        [{"source": "shop/buy", "target": "store/read", "deadline": 1, "pool": 25}],
        **{
            "journeys": [{"name": "buy", "entry": "shop/buy", "demand": 100, "deadline": 3}],
            "zones": ZONES,
            "changes": changes,
            **others,
        },
    )


def count_running(run: Run, component: int) -> int:
    """The instances of a component that run now."""
    return int(np.count_nonzero(run.state.phase[run.layout.instance_component == component] == 2))


def list_events(run: Run) -> list[str]:
    """What happened, by name."""
    return [event.what for event in run.state.events]


@pytest.mark.parametrize(
    ("operation", "target"), [("restart_servce", "shop"), *((name, "nope") for name in OPERATIONS)]
)
def test_operation_on_what_does_not_exist_does_nothing(operation: str, target: str) -> None:
    run = Run(build_shop(), noise=False)
    with pytest.raises(OperationError):
        run.order(operation, target)
    assert not run.state.events
    assert not run.state.tasks


@pytest.fixture(scope="module")
def struck() -> Run:
    """The export, with what has befallen it by then."""
    run = Run(EXPORT)
    run.advance(1080)
    return run


@pytest.mark.parametrize(
    "name", mark_slow_after(3, [name for name in OPERATIONS if OPERATIONS[name].target != "topic"])
)
def test_each_operation_acts_on_each_target_in_any_state_and_leaves_an_entry(struck: Run, name: str) -> None:
    kind = OPERATIONS[name].target
    targets = {
        "service": [component.name for component in EXPORT.components],
        "flag": ["full_history_export"],
        "zone": ["zone-a"],
        "client": [journey.name for journey in EXPORT.journeys],
        "job": ["orders-feed"],
    }[kind]
    run = struck.fork()
    for target in targets:
        run.advance(120)
        before = list_events(run)
        run.order(name, target)
        run.advance(OPERATIONS[name].seconds + 5)
        assert len(list_events(run)) > len(before) or name == "disable_feature_flag"
    assert run.record.ledger < 1e-9
    assert all(np.isfinite(run.record.get(count)).all() for count in ("users_good", "users_failed", "p99"))


def test_scaling_starts_spares_that_get_ready_up_to_a_maximum() -> None:
    run = Run(build_shop(), noise=False)
    counts = []
    for _ in range(4):
        run.order("scale_service", "shop")
        counts.append(count_running(run, 0))
        run.advance(60)
    assert [*counts, count_running(run, 0)] == [4, 6, 8, 8, 8]
    assert list_events(run).count("scale_service_refused") == 2


def test_scaling_ends_what_too_few_processors_began() -> None:
    flood = {"at": 60, "what": "demand", "target": "buy", "to": 20}
    run = Run(build_shop(flood), noise=False)
    run.advance(240)
    assert measure_success(run, "shop/buy", 120, 240) < 0.9
    run.order("scale_service", "shop")
    run.order("scale_service", "shop")
    run.advance(240)
    assert measure_success(run, "shop/buy", 360, 480) > 0.999


def test_standby_takes_over_from_a_store_that_gave_up() -> None:
    leak = {"at": 30, "what": "leak", "target": "store", "to": 900}
    dry = {"at": 240, "what": "leak", "target": "store", "to": 0}
    alone, paired = (Run(build_shop(leak, dry, store={"spare": spare}), noise=False) for spare in (0, 1))
    for run in (alone, paired):
        run.advance(300)
        assert "gave_up" in list_events(run)
        run.order("fail_over", "store")
        run.advance(300)
    assert measure_success(paired, "shop/buy", 360, 600) > 0.999
    assert measure_success(alone, "shop/buy", 360, 600) == 0
    assert "fail_over_refused" in list_events(alone)


def test_zone_is_drained_one_by_one_and_its_instances_start_elsewhere() -> None:
    run = Run(build_shop(store={"zones": ["zone-a"]}), noise=False)
    run.advance(60)
    run.order("drain_zone", "zone-b")
    for _ in range(24):
        run.advance(5)
        assert count_running(run, 0) >= 4  # a spare serves before an instance is taken out
    own = run.layout.instance_component == 0
    running = own & (run.state.phase == 2)
    assert int(np.count_nonzero(running)) == 4
    assert not running[run.state.paths.instance_zone == 1].any()
    assert measure_success(run, "shop/buy", 60, 180) > 0.999


def test_what_finds_no_other_place_stays_in_a_zone_that_is_drained() -> None:
    run = Run(build_shop(store={"zones": ["zone-b"]}), noise=False)
    run.order("drain_zone", "zone-b")
    run.advance(120)
    assert "evicted_pending" in list_events(run)
    assert measure_success(run, "shop/buy", 60, 120) > 0.999


def test_a_drain_goes_no_further_once_the_zone_is_open_again() -> None:
    run = Run(build_shop(store={"zones": ["zone-a"]}), noise=False)
    run.order("drain_zone", "zone-b")
    run.advance(20)
    run.order("uncordon_zone", "zone-b")
    run.advance(180)
    assert list_events(run).count("evicted") == 1
    assert count_running(run, 0) == 4


def test_cordoned_zone_gets_no_new_instances() -> None:
    run = Run(build_shop(), noise=False)
    run.order("cordon_zone", "zone-b")
    run.order("scale_service", "shop")
    run.advance(60)
    zones = run.state.paths.instance_zone[(run.layout.instance_component == 0) & (run.state.phase == 2)]
    assert zones.tolist().count(0) == 4
    assert zones.tolist().count(1) == 2


def build_routed() -> System:
    """A zone is cut off because the router in between has withdrawn its routes; the store is behind it."""
    cut = {"at": 60, "what": "link_loss", "target": "zone-a zone-b", "to": 1}
    return build(
        [
            {"name": "shop", "software": "go-service", "zones": ["zone-a"], "routes": [{"name": "buy", "work": 0.02}]},
            {"name": "store", "software": "postgres", "zones": ["zone-b"], "routes": [{"name": "read", "work": 0.005}]},
            {"name": "router", "software": "router", "zones": ["zone-a"], "routes": []},
        ],
        [{"source": "shop/buy", "target": "store/read", "deadline": 1, "pool": 25}],
        journeys=[{"name": "buy", "entry": "shop/buy", "demand": 20, "deadline": 3}],
        zones=ZONES,
        links=[{"between": ZONES, "latency": 0.001, "router": "router"}],
        changes=[cut],
    )


def test_routes_that_were_withdrawn_come_back_by_restoring_them_and_by_nothing_else() -> None:
    run = Run(build_routed(), noise=False)
    run.advance(120)
    for target in ("shop", "store"):
        run.order("restart_service", target)
        run.order("restore_routes", target)
    run.advance(120)
    assert measure_success(run, "shop/buy", 180, 240) == 0
    run.order("restore_routes", "router")
    run.advance(120)
    assert measure_success(run, "shop/buy", 300, 360) > 0.999
    assert run.record.ledger < 1e-9


def test_router_that_is_restarted_cuts_its_links_meanwhile() -> None:
    run = Run(build_routed().model_copy(update={"changes": ()}), noise=False)
    run.advance(60)
    run.order("restart_service", "router")
    run.advance(300)
    assert measure_success(run, "shop/buy", 60, 90) < 0.5
    assert measure_success(run, "shop/buy", 240, 360) > 0.999


def test_more_connections_let_those_in_that_were_turned_away() -> None:
    run = Run(build_shop(store={"parameters": {"connections": 70}}), noise=False)
    run.advance(60)
    assert measure_success(run, "shop/buy", 30, 60) == pytest.approx(0.7, abs=0.01)
    run.order("raise_connections", "store")
    run.advance(240)
    assert measure_success(run, "shop/buy", 240, 300) > 0.999


def test_more_memory_keeps_a_leak_from_killing_until_it_has_filled_that_too() -> None:
    leak = {"at": 0, "what": "leak", "target": "store", "to": 20}
    plain, raised = (Run(build_shop(leak), noise=False) for _ in range(2))
    raised.order("raise_memory", "store")
    for run in (plain, raised):
        run.advance(900)
    assert "oom" in list_events(plain)
    assert "oom" not in list_events(raised)
    raised.advance(600)
    assert "oom" in list_events(raised)


def test_blocking_the_client_that_floods_helps_the_others() -> None:
    flood = {"at": 60, "what": "demand", "target": "crawl", "to": 4000}
    journeys = [
        {"name": "buy", "entry": "shop/buy", "demand": 100, "deadline": 3},
        {"name": "crawl", "entry": "shop/crawl", "demand": 1, "deadline": 3},
    ]
    routes = [{"name": "buy", "work": 0.02, "cpu": 0.005}, {"name": "crawl", "work": 0.02, "cpu": 0.005}]
    run = Run(build_shop(flood, shop={"routes": routes}, journeys=journeys), noise=False)
    run.advance(180)
    assert measure_success(run, "shop/buy", 120, 180) < 0.6
    run.order("block_client", "crawl")
    run.advance(120)
    assert measure_success(run, "shop/buy", 240, 300) > 0.999
    assert measure_success(run, "shop/crawl", 240, 300) == 0


def test_shedding_load_fails_its_share_at_once_and_is_taken_back() -> None:
    run = Run(build_shop(), noise=False)
    run.order("shed_load", "shop")
    run.advance(60)
    run.order("stop_shedding", "shop")
    run.advance(60)
    assert measure_success(run, "shop/buy", 15, 60) == pytest.approx(0.7)
    assert measure_success(run, "shop/buy", 75, 120) > 0.999


@pytest.mark.parametrize(("orders", "dies"), [(("cancel_sessions",), True), (("pause_job", "cancel_sessions"), False)])
def test_sessions_that_are_cancelled_come_back_unless_the_job_is_paused(orders: tuple[str, ...], *, dies: bool) -> None:
    run = Run(EXPORT)
    run.advance(1100)
    assert run.state.jobs[0].held > 0
    for name in orders:
        run.order(name, "postgres-db" if name == "cancel_sessions" else "orders-feed")
    run.advance(1200)
    assert ("oom" in list_events(run)) == dies


def test_clearing_a_cache_that_is_none_only_leaves_an_entry() -> None:
    run, other = (Run(build_shop(), noise=False) for _ in range(2))
    run.order("clear_cache", "store")
    run.advance(120)
    other.advance(120)
    assert "clear_cache_empty" in list_events(run)
    assert (run.record.get("users_good") == other.record.get("users_good")).all()


@pytest.mark.parametrize(
    ("operation", "target", "first"),
    [
        ("cordon_zone", "zone-a", "cordon_zone"),
        ("uncordon_zone", "zone-a", "uncordon_zone_refused"),
        ("block_client", "buy", "block_client"),
        ("unblock_client", "buy", "unblock_client_refused"),
        ("shed_load", "shop", "shed_load"),
        ("stop_shedding", "shop", "stop_shedding_refused"),
        ("publish_secret", "store", "publish_secret_refused"),
    ],
)
def test_an_operation_that_changes_nothing_says_so(operation: str, target: str, first: str) -> None:
    run = Run(build_shop(), noise=False)
    for _ in range(2):
        run.order(operation, target)
        run.advance(15)
    told = [event.what for event in run.state.events if event.component == 0 or operation == "publish_secret"]
    assert [what for what in told if not what.endswith("_begin")] == [first, f"{operation}_refused"]


def test_jobs_and_sessions_that_are_not_there_are_told() -> None:
    run = Run(EXPORT)
    for order in (("resume_job", "orders-feed"), ("pause_job", "orders-feed"), ("pause_job", "orders-feed")):
        run.order(*order)
    run.order("cancel_sessions", "postgres-db")
    run.advance(15)
    told = [event.what for event in run.state.events if "job" in event.what]
    assert told == ["resume_job_refused", "pause_job", "pause_job_refused"]
    (ended,) = [event.details["ended"] for event in run.state.events if event.what == "cancel_sessions"]
    assert ended == 0


def test_a_flag_that_was_off_already_is_told_as_that() -> None:
    run = Run(EXPORT)
    run.advance(180)
    for _ in range(2):
        run.order("disable_feature_flag", "full_history_export")
        run.advance(60)
    shown = look(run, "check_recent_deploys", "analytics-service")
    assert isinstance(shown, Deploys)
    notes = [entry.note for entry in shown.history[:2]]
    assert notes == ["Not switched: it was off already.", "Switched off."]


def test_who_restarts_what_has_no_instance_is_told_so() -> None:
    run = Run(build_shop(), noise=False)
    run.advance(60)
    run.state.wanted[run.layout.instance_component == run.layout.component_names.index("store")] = False
    run.order("restart_service", "store")
    run.advance(15)
    assert "restart_refused" in list_events(run)
    assert "restart" not in list_events(run)
