"""Instances have one name wherever they are seen, and their ends are told as their orchestrator tells them."""

from __future__ import annotations

import re

import pytest

from scenarios.telemetry import look
from scenarios.world import Change, Run
from tests.scenarios.world.small import build

_POD = r"shop-[a-z0-9]{9}-[a-z0-9]{5}"


def _play(software: str, *changes: Change, seconds: int = 900, **parts: object) -> Run:
    component = {
        "name": "shop",
        "software": software,
        "routes": [{"name": "order", "work": 0.02, "cpu": 0.01}],
        **parts,
    }
    journeys = ({"name": "order", "entry": "shop/order", "demand": 30, "deadline": 5, "worth": 1.0},)
    run = Run(build([component], (), journeys=journeys, changes=changes))
    run.advance(seconds)
    return run


def _read(run: Run, contains: str = "") -> str:
    return "\n".join(look(run, "query_logs", "shop", contains=contains).text.splitlines()[1:])


def _list_states(run: Run) -> dict[str, str]:
    text = look(run, "check_service_status", "shop").text
    return dict(re.findall(r"^instance +(\S+)  (\w+)  [\d.]+$", text, re.MULTILINE))


def test_logs_name_the_instances_that_status_names() -> None:
    run = _play("go-service", instances=3)
    states = _list_states(run)
    assert list(states.values()) == ["running"] * 3
    assert set(re.findall(_POD, _read(run))) <= set(states)
    assert re.search(r"^pods ready +3/3$", look(run, "check_service_status", "shop").text, re.MULTILINE)


def test_what_does_not_run_prints_nothing_and_spares_have_no_name() -> None:
    run = _play("go-service", Change(at=300, what="stopped", target="shop", to=0.67), instances=3)
    states = _list_states(run)
    up = [name for name, state in states.items() if state == "running"]
    assert len(up) == 1
    assert set(re.findall(_POD, _read(run, contains="msg=request "))) == set(up)
    run = _play("go-service", Change(at=300, what="stopped", target="shop", to=1.0), instances=3)
    assert _list_states(run) == dict.fromkeys(states, "failed")
    assert _read(run, contains="13:5") == "(no log lines in this window)"


def test_a_rollout_makes_new_pods_and_a_crash_keeps_them() -> None:
    run = _play("go-service", instances=2)
    before = set(_list_states(run))
    run.order("restart_service", "shop")
    run.advance(60)
    after = set(_list_states(run))
    assert len(after) == 2
    assert before.isdisjoint(after)
    templates = {name.split("-")[1] for name in after}
    assert len(templates) == 1
    for name in before:
        assert f"kind=Pod name={name} " in _read(run, contains="reason=Killing")
    for name in after:
        assert f"kind=Pod name={name} " in _read(run, contains="reason=Started")


@pytest.mark.slow
@pytest.mark.parametrize("software", ["go-service", "jvm-service", "node-service", "python-service", "redis"])
def test_a_container_that_is_killed_is_told_by_the_kernel_the_kubelet_and_status(software: str) -> None:
    leak = Change(at=300, what="leak", target="shop", to=60.0)
    run = _play(software, leak, parameters={"memory": 1200.0, "base_memory": 400.0})
    name = next(iter(_list_states(run)))
    status = look(run, "check_service_status", "shop").text
    assert re.search(
        rf"^last termination +OOMKilled, exit code 137, at 09:\d\d(:\d\d)? \({name}\)$", status, re.MULTILINE
    )
    assert re.search(r"^memory limit +1200 MiB of the container$", status, re.MULTILINE)
    assert re.search(r"^restarts +[1-9]", status, re.MULTILINE)
    assert "kernel: Memory cgroup out of memory: Killed process " in _read(run, contains="kernel")
    assert f'Back-off restarting failed container shop in pod {name}"' in _read(run, contains="reason=BackOff")
    killed, waits = (_read(run, contains=text).count(text) for text in ("Memory cgroup out", "reason=BackOff"))
    assert killed == waits + len(_list_states(run)), "the first time it is started again at once"


def test_a_unit_of_a_host_is_told_by_systemd() -> None:
    run = _play("mysql", Change(at=300, what="leak", target="shop", to=200.0), seconds=480)
    status = look(run, "check_service_status", "shop").text
    assert "code=killed, status=9/KILL (out of memory), at 09:" in status
    assert "MiB of the host" in status
    assert "units active" in status
    assert "mysql.service: Scheduled restart job, restart counter is at 1." in _read(run, contains="systemd")


def test_of_a_third_party_nobody_knows_the_processes_and_a_router_is_a_device() -> None:
    text = look(_play("third-party"), "check_service_status", "shop").text
    assert "run by a third party" in text
    assert not re.search("ready|uptime|restarts|version|memory|instance", text)
    text = look(_play("router"), "check_service_status", "shop").text
    assert re.search(r"^devices up +1/1$", text, re.MULTILINE)
    assert "pod" not in text
