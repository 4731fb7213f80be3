"""Secrets: who holds an old one is denied until it starts again, and who is inside stays until it has to come in."""

from __future__ import annotations

from typing import Any

import pytest

from scenarios.world import Run, System
from tests.scenarios.world.small import build, measure_success


def build_login(*changes: dict[str, Any], software: str = "postgres") -> System:
    """Two services that sign in to the same one."""
    return build(
        [
            {"name": "login", "software": "go-service", "instances": 3, "routes": [{"name": "login", "work": 0.02}]},
            {"name": "mail", "software": "jvm-service", "instances": 2, "routes": [{"name": "send", "work": 0.02}]},
            {"name": "users", "software": software, "routes": [{"name": "read", "work": 0.005}]},
        ],
        [
            {"source": "login/login", "target": "users/read", "deadline": 1, "pool": 10},
            {"source": "mail/send", "target": "users/read", "deadline": 1, "pool": 10},
        ],
        journeys=[
            {"name": "login", "entry": "login/login", "demand": 30, "deadline": 3},
            {"name": "mail", "entry": "mail/send", "demand": 10, "deadline": 3},
        ],
        changes=changes,
    )


WRONG = {"at": 60, "what": "secret_issued", "target": "users", "to": 0}


def test_holder_of_a_good_secret_is_healthy_until_it_starts_again_and_gets_the_wrong_one() -> None:
    run = Run(build_login(WRONG), noise=False)
    run.advance(120)
    run.order("restart_service", "login")
    run.advance(120)
    assert measure_success(run, "login/login", 60, 120) > 0.999
    assert measure_success(run, "login/login", 180, 240) == 0
    assert measure_success(run, "mail/send", 60, 240) > 0.999
    run.order("restart_service", "mail")
    run.advance(180)
    assert measure_success(run, "mail/send", 360, 420) == 0


def test_right_secret_that_is_handed_out_helps_those_that_start_again() -> None:
    run = Run(build_login(WRONG), noise=False)
    run.advance(60)
    run.order("restart_service", "login")
    run.advance(120)
    run.order("publish_secret", "users")
    run.advance(120)
    assert measure_success(run, "login/login", 240, 300) == 0
    run.order("restart_service", "login")
    run.advance(120)
    assert measure_success(run, "login/login", 360, 420) > 0.999
    assert run.record.ledger < 1e-9


def test_rotation_denies_who_holds_the_old_secret_without_a_connection() -> None:
    run = Run(build_login(software="go-service"), noise=False)
    run.advance(60)
    run.order("rotate_secret", "users")
    run.advance(120)
    assert measure_success(run, "login/login", 90, 180) == 0
    run.order("restart_service", "login")
    run.advance(90)
    assert measure_success(run, "login/login", 240, 270) > 0.999
    assert measure_success(run, "mail/send", 240, 270) == 0


def test_rotation_at_a_store_denies_when_connections_are_opened_again() -> None:
    run = Run(build_login(), noise=False)
    run.advance(60)
    run.order("rotate_secret", "users")
    run.advance(120)
    assert measure_success(run, "login/login", 60, 180) > 0.999
    run.order("restart_service", "users")
    run.advance(180)
    assert measure_success(run, "login/login", 300, 360) == 0


def test_rolling_restart_helps_instance_by_instance() -> None:
    run = Run(build_login(software="go-service"), noise=False)
    run.order("rotate_secret", "users")
    run.advance(60)
    run.order("restart_service", "login")
    shares = []
    for _ in range(6):
        run.advance(15)
        shares.append(measure_success(run, "login/login", run.time - 15, run.time))
    assert shares == sorted(shares)
    assert any(0.1 < share < 0.9 for share in shares)
    assert shares[-1] == pytest.approx(1.0)


def test_policy_that_is_taken_back_lets_in_whom_it_denied() -> None:
    policy = {"at": 30, "what": "denied", "target": "login/login users/read", "to": 1}
    run = Run(build_login(policy), noise=False)
    run.advance(90)
    run.order("revert_policy", "users")
    run.advance(90)
    assert measure_success(run, "login/login", 45, 90) == 0
    assert measure_success(run, "mail/send", 45, 90) > 0.999
    assert measure_success(run, "login/login", 120, 180) > 0.999
