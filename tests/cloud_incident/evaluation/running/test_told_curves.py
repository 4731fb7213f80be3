"""The curves of a trajectory can be drawn, whoever wrote them; others are refused when the line is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_incident.evaluation.reporting import render_report
from cloud_incident.evaluation.running import parse_trajectory
from tests.cloud_incident.evaluation.trajectories import made_up

CURVES: dict[str, Any] = {
    "since": "2026-05-19T21:51Z",
    "minutes_each": 1,
    "as_left": [0.0, 0.5, 0.25],
    "with_nothing_done": [0.0, 0.5, 0.5],
    "with_the_best_repair": [0.0, 0.5, 0.0],
    "minutes_lost": {"as_left": 0.8, "with_nothing_done": 1.0, "with_the_best_repair": 0.5},
    "best_repair": ["restart_service a"],
    "fault_at": "2026-05-19T21:40:08Z",
    "page_at": "2026-05-19T21:52Z",
    "first_look_at": "2026-05-19T21:53Z",
    "ended_at": "2026-05-19T21:54Z",
    "answered": True,
    "remediations": [],
}


def write(curves: dict[str, Any]) -> bytes:
    return json.dumps(made_up(1.0, curves=curves)).encode()


def test_those_that_can_be_drawn_are_read() -> None:
    read = parse_trajectory(write(CURVES))
    assert read["curves"] == CURVES
    assert "What users lost" in render_report([read])
    flat = {lane: [0.0] for lane in ("as_left", "with_nothing_done", "with_the_best_repair")}
    assert "What users lost" in render_report([parse_trajectory(write(CURVES | flat))])


@pytest.mark.parametrize(
    "wrong",
    [
        {"as_left": [0.0]},
        {"as_left": [], "with_nothing_done": [], "with_the_best_repair": []},
        {"as_left": [0.0, 0.5, 1.5]},
        {"as_left": [0.0, 0.5, float("nan")]},
        {"minutes_each": 0},
        {"since": "yesterday"},
        {"since": "2026-05-19T21:51"},
        {"since": "9999-12-31T23:59Z"},
        {"page_at": "2027-05-19T21:52Z"},
        {"minutes_lost": {"as_left": 1}},
        {"more": 1},
    ],
)
def test_others_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="curves"):
        parse_trajectory(write(CURVES | wrong))
