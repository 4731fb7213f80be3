"""Disks: they fill at the rate that something explains, refuse writes when full, and take them again with room."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.world import Run, System
from tests.scenarios.world.small import build, measure_success

DISK = {"disk": 3000, "disk_data": 1000, "disk_waste": 500, "disk_rate": 0.1, "write_disk": 0.02}


def build_writer(*changes: dict[str, Any], **parameters: float) -> System:
    """A store of which half of the requests write."""
    return build(
        [
            {"name": "shop", "software": "go-service", "routes": [{"name": "buy", "work": 0.02}]},
            {
                "name": "store",
                "software": "postgres",
                "routes": [{"name": "save", "work": 0.005, "writes": 0.5}, {"name": "read", "work": 0.005}],
                "parameters": {**DISK, **parameters},
            },
        ],
        [{"source": "shop/buy", "target": "store/save", "deadline": 1, "pool": 50}],
        journeys=[
            {"name": "buy", "entry": "shop/buy", "demand": 40, "deadline": 3},
            {"name": "read", "entry": "store/read", "demand": 10, "deadline": 3},
        ],
        changes=changes,
    )


def test_disk_fills_by_what_is_written() -> None:
    run = Run(build_writer(), noise=False)
    run.advance(600)
    rate = 0.1 + 40 * 0.5 * 0.02
    assert float(run.state.disks.used[-1]) == pytest.approx(1500 + 600 * rate, rel=0.01)


def test_full_disk_refuses_writes_alone_and_never_holds_more_than_it_can() -> None:
    run = Run(build_writer({"at": 60, "what": "disk_rate", "target": "store", "to": 10}), noise=False)
    run.advance(420)
    assert measure_success(run, "shop/buy", 30, 90) > 0.999
    assert measure_success(run, "shop/buy", 300, 420) == pytest.approx(0.5, abs=0.01)
    assert measure_success(run, "store/read", 300, 420) > 0.999
    assert float(run.record.get("disk").max()) == 1.0
    assert [event.what for event in run.state.events] == ["disk_full"]


def test_cleaning_gives_room_until_whatever_writes_has_filled_it_again() -> None:
    logs = {"at": 60, "what": "disk_rate", "target": "store", "to": 10}
    run = Run(build_writer(logs), noise=False)
    run.advance(300)
    run.order("clean_disk", "store")
    run.advance(90)
    assert measure_success(run, "shop/buy", 345, 390) > 0.999
    run.advance(300)
    assert measure_success(run, "shop/buy", 660, 690) == pytest.approx(0.5, abs=0.01)


def test_volume_is_expanded_up_to_what_there_is() -> None:
    run = Run(build_writer(), noise=False)
    sizes = []
    for _ in range(5):
        run.order("expand_volume", "store")
        run.advance(60)
        run.advance(5)
        sizes.append(float(run.state.disks.capacity[-1]))
    assert sizes == [4500, 6750, 10125, 12000, 12000]
    assert [event.what for event in run.state.events].count("expand_volume_refused") == 1


def test_software_that_stops_on_a_full_disk_stops_again_after_each_start() -> None:
    run = Run(build_writer({"at": 0, "what": "disk_rate", "target": "store", "to": 20}, stops_when_full=1), noise=False)
    run.advance(600)
    events = [event.what for event in run.state.events]
    assert events.count("disk_stop") == 3
    assert events.count("gave_up") == 1
