"""Caches: a warm one keeps calls from the store behind it, an empty one floods it until it is warm again."""

from __future__ import annotations

import pytest

from scenarios.world import Run, System
from tests.scenarios.world.small import build, measure_rate, measure_success


def build_catalogue(*changes: dict[str, object], slots: int = 96, demand: float = 200, persists: float = 0) -> System:
    """A catalogue that looks up in a cache, and in a store what is not there."""
    return build(
        [
            {"name": "catalogue", "software": "go-service", "routes": [{"name": "items", "work": 0.01}]},
            {
                "name": "cache",
                "software": "redis",
                "routes": [{"name": "get", "work": 0.0005}],
                "parameters": {"hit_ratio": 0.95, "fill_seconds": 120, "persists": persists},
            },
            {
                "name": "store",
                "software": "postgres",
                "routes": [{"name": "items", "work": 0.05}],
                "parameters": {"slots": slots, "queue": 50, "patience": 1},
            },
        ],
        [
            {"source": "catalogue/items", "target": "cache/get", "deadline": 0.2, "pool": 100, "optional": True},
            {"source": "catalogue/items", "target": "store/items", "deadline": 2, "pool": 400, "on_miss": "cache"},
        ],
        journeys=[{"name": "items", "entry": "catalogue/items", "demand": demand, "deadline": 3}],
        changes=changes,
    )


def test_store_gets_what_is_not_in_the_cache() -> None:
    run = Run(build_catalogue(), noise=False)
    run.advance(120)
    assert measure_rate(run, "store/items", 60, 120) == pytest.approx(10, rel=0.01)


def test_cache_that_is_restarted_floods_the_store_until_it_is_warm() -> None:
    run = Run(build_catalogue(), noise=False)
    run.advance(120)
    run.order("restart_service", "cache")
    run.advance(900)
    assert measure_rate(run, "store/items", 120, 150) > 150
    assert measure_rate(run, "store/items", 240, 270) < 100
    assert measure_rate(run, "store/items", 960, 1020) == pytest.approx(10, rel=0.1)
    assert run.record.ledger < 1e-9


def test_cache_that_persists_is_warm_after_a_restart() -> None:
    run = Run(build_catalogue(persists=1), noise=False)
    run.advance(120)
    run.order("restart_service", "cache")
    run.advance(120)
    assert measure_rate(run, "store/items", 180, 240) == pytest.approx(10, rel=0.01)


def test_empty_cache_fills_no_faster_than_its_store_answers() -> None:
    """A store too small for all look-ups: the cache behind which it hides fills slowly, and users feel it."""
    small, large = (Run(build_catalogue(slots=slots), noise=False) for slots in (4, 96))
    for run in (small, large):
        run.advance(120)
        run.order("restart_service", "cache")
        run.advance(900)
    assert measure_success(small, "catalogue/items", 60, 120) > 0.999
    assert measure_success(small, "catalogue/items", 150, 210) < 0.7
    assert measure_success(large, "catalogue/items", 150, 210) > 0.99
    assert measure_rate(small, "store/items", 240, 300) > 1.5 * measure_rate(large, "store/items", 240, 300)
    assert measure_success(small, "catalogue/items", 960, 1020) > 0.999


def test_cache_with_less_memory_finds_less() -> None:
    run = Run(build_catalogue({"at": 60, "what": "memory_limit", "target": "cache", "to": 0.25}), noise=False)
    run.advance(1200)
    assert measure_rate(run, "store/items", 1140, 1200) == pytest.approx(200 * (1 - 0.475), rel=0.02)


def test_what_is_done_to_a_cache_says_whether_it_did_anything() -> None:
    run = Run(build_catalogue(), noise=False)
    run.advance(120)
    run.order("warm_cache", "cache")
    run.advance(120)
    run.order("clear_cache", "cache")
    run.advance(15)
    run.order("warm_cache", "cache")
    run.advance(120)
    run.order("restart_service", "cache")
    run.order("clear_cache", "cache")
    run.advance(15)
    names = (event.what for event in run.state.events)
    done = [name for name in names if "cache" in name and not name.endswith("_begin")]
    assert done == ["warm_cache_unchanged", "clear_cache", "warm_cache", "clear_cache_empty"]
