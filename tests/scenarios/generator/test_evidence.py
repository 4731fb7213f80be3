"""Generated evidence: the five diagnostics tell of one and the same state, and it follows what is done."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.root_cause import match_failure_mode
from scenarios.document import DIAGNOSTIC_FIELDS
from scenarios.generator.library import families
from scenarios.generator.render.metrics import journey_failing
from scenarios.generator.simulate import DOORS
from scenarios.generator.texts import filled
from scenarios.progress import UNTOUCHED, Progress
from scenarios.vocabulary import Dependencies, Deploys, Logs, Metrics, Status
from tests.scenarios.generator.drawn import SAMPLE, drawn
from tests.slow import count_examples, mark_slow_after

if TYPE_CHECKING:
    from scenarios.generator.incident import GeneratedIncident

sample = pytest.mark.parametrize(("seed", "difficulty"), mark_slow_after(5, SAMPLE[: count_examples(len(SAMPLE))]))
DIAGNOSTICS = tuple(DIAGNOSTIC_FIELDS.values())
UNWELL = {"degraded", "failing", "down"}


def _progresses(incident: GeneratedIncident) -> list[Progress]:
    """Progress after each step of the plan in turn, and after each harm."""
    found: list[Progress] = [UNTOUCHED]
    for step in incident.plan.steps:
        found.append(found[-1] | {step.step})
    return found + [frozenset({harm.name}) for harm in incident.plan.harms]


def _texts(incident: GeneratedIncident, progress: Progress) -> dict[tuple[str, str], str]:
    return {
        (diagnostic, service): incident.evidence(diagnostic, service, progress).text
        for service in incident.services
        for diagnostic in DIAGNOSTICS
    }


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)


@pytest.mark.slow
@sample
def test_every_placeholder_is_filled(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    unfilled = re.compile(
        r"\{(?:n:|harm:|pick:|root|focal|victim|callee|flag|onset|before|request|ms|callee_ms|version|share|p99|lag)"
    )
    for progress in _progresses(incident):
        for item, text in _texts(incident, progress).items():
            assert not unfilled.search(text), item
    assert not unfilled.search(f"{incident.alert}{incident.summary}{incident.account.chain}")


@sample
def test_paths_logs_and_metrics_agree(seed: int, difficulty: int) -> None:
    """A callee in trouble is unwell in the call paths, named in the logs, and felt in the metrics of its caller."""
    incident = drawn(seed, difficulty)
    world, background = incident.scene.world, incident.scene.background
    for node in world.nodes:
        paths = incident.evidence("check_dependencies", node.name, UNTOUCHED)
        shown = incident.evidence("check_metrics", node.name, UNTOUCHED)
        logs = incident.evidence("query_logs", node.name, UNTOUCHED)
        assert isinstance(paths, Dependencies)
        assert isinstance(shown, Metrics)
        assert isinstance(logs, Logs)
        ill = {path.service for path in paths.calls if path.health in UNWELL}
        assert {path.service for path in paths.calls} >= {
            world.nodes[call.callee].name for call in world.calls[node.index]
        }
        if node.index not in background.silent:
            assert all(any(name in line for line in logs.lines) for name in ill)
        hard = {world.nodes[call.callee].name for call in world.calls[node.index] if call.hard and call.weight > 0.3}
        down = {path.service for path in paths.calls if path.health in {"failing", "down"}} & hard
        failing = next((one for one in shown.series if one.name.endswith(("_failed_ratio", "_refused_ratio"))), None)
        if down and failing is not None and node.kind not in {"worker", "cron"}:
            assert failing.recent[-1] > 5 * failing.normal


@sample
def test_status_deploys_and_metrics_agree(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    for progress in _progresses(incident):
        for service in incident.services:
            status = incident.evidence("check_service_status", service, progress)
            deploys = incident.evidence("check_recent_deploys", service, progress)
            assert isinstance(status, Status)
            assert isinstance(deploys, Deploys)
            releases = [one.version for one in deploys.history if one.version.startswith("v")]
            assert not releases or releases[0] == status.version
            times = [one.at for one in deploys.history]
            assert times == sorted(times, reverse=True)
            assert all(at <= max(deploys.as_of, status.as_of) for at in times)
            ready, _, desired = status.replicas.partition("/")
            assert 0 <= int(ready) <= int(desired)


@pytest.mark.slow
@sample
def test_every_repair_shows_and_in_the_end_all_is_well(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    progress: Progress = UNTOUCHED
    before = _texts(incident, progress)
    for step in incident.plan.steps:
        progress |= {step.step}
        after = _texts(incident, progress)
        assert step.verify or after != before, step
        before = after
    for service in incident.services:
        paths = incident.evidence("check_dependencies", service, progress)
        assert isinstance(paths, Dependencies)
        late = [path for path in paths.calls if "oldest message" in path.detail]
        assert not [path for path in paths.calls if path.health in UNWELL and path not in late]
    paged = incident.alert["labels"]["service"]
    changed = [item for item in before if before[item] != _texts(incident, UNTOUCHED)[item]]
    assert any(service == paged for _, service in changed) or incident.scene.fault.family.spread == "alert"


@sample
def test_harms_show_and_nothing_else_moves(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    before = _texts(incident, UNTOUCHED)
    bystanders = {node.name for node in incident.scene.world.nodes if node.index not in incident.scene.moved}
    for harm in incident.plan.harms:
        after = _texts(incident, frozenset({harm.name}))
        assert after != before, harm.name
        assert all(after[item] == before[item] for item in before if item[1] in bystanders)


@settings(max_examples=count_examples(60))
@given(st.sampled_from(SAMPLE), st.data())
def test_any_progress_is_answered_the_same_each_time(case: tuple[int, int], data: st.DataObject) -> None:
    incident = drawn(*case)
    tokens = [step.step for step in incident.plan.steps] + [harm.name for harm in incident.plan.harms]
    progress = frozenset(data.draw(st.sets(st.sampled_from(tokens))))
    service = data.draw(st.sampled_from(incident.services))
    diagnostic = data.draw(st.sampled_from(DIAGNOSTICS))
    shown = incident.evidence(diagnostic, service, progress)
    assert _moment(shown.as_of) >= _moment(incident.evidence(diagnostic, service, UNTOUCHED).as_of)
    assert type(shown).model_validate(shown.model_dump()) == shown


@sample
def test_the_alert_follows_the_onset_and_gives_nothing_away(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    scene, truth = incident.scene, incident.truth
    fired = _moment(incident.alert["fired_at"])
    assert scene.onset < fired < _moment(scene.moment(scene.fault.now))
    told = f"{incident.summary} {incident.alert}"
    assert match_failure_mode(told, truth, incident.services)[0] <= 1 / 2
    assert truth.service not in incident.alert["labels"].values()
    assert truth.service not in incident.summary
    every = "\n".join(_texts(incident, UNTOUCHED).values())
    assert not [name for name in families() if len(name) > 12 and name in every]


@sample
def test_victims_do_not_name_what_they_do_not_call(seed: int, difficulty: int) -> None:
    incident = drawn(seed, difficulty)
    scene = incident.scene
    root = scene.world.nodes[scene.fault.root]
    named = re.compile(rf"(?<![\w-]){re.escape(root.name)}(?![\w-])")
    for index in scene.first.simulation.minute(scene.fault.now):
        node = scene.world.nodes[index]
        if index != root.index and all(call.callee != root.index for call in scene.world.calls[index]):
            for diagnostic in DIAGNOSTICS:
                if diagnostic not in {"check_dependencies", "check_metrics"}:
                    assert not named.search(incident.evidence(diagnostic, node.name, UNTOUCHED).text)


@pytest.mark.parametrize("seed", range(12))
def test_a_door_complains_of_no_journey_that_is_well(seed: int) -> None:
    one = drawn(seed, 1 + seed % 5)
    scene = one.scene
    for node in scene.world.nodes:
        if node.kind not in DOORS:
            continue
        journeys = [journey for journey in scene.world.journeys if node.index in scene.world.doors_of(journey)]
        well = {
            journey.request
            for journey in journeys
            if all(journey_failing(scene, scene.first, journey, minute) == (0, 1) for minute in range(scene.fault.now))
        }
        ill = {journey.request for journey in journeys} - well
        if not ill:
            continue
        told = one.evidence("query_logs", node.name, UNTOUCHED).text.splitlines()
        complaints = [line for line in told if "failed: " in line or "gave up" in line or "no attempt left" in line]
        assert not [line for line in complaints for request in well - ill if f"{request} " in line]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_counted_is_whole_and_no_node_was_up_before_its_last_deploy(seed: int) -> None:
    one = drawn(seed, 1 + seed % 5)
    for service in one.services:
        metrics = one.evidence("check_metrics", service, UNTOUCHED)
        assert isinstance(metrics, Metrics)
        for series in metrics.series:
            if series.unit in {"pods", "messages", "sessions", "runs", "connections"}:
                assert all(value == int(value) for value in (series.normal, *series.recent))
        status = one.evidence("check_service_status", service, UNTOUCHED)
        history = one.evidence("check_recent_deploys", service, UNTOUCHED)
        assert isinstance(status, Status)
        assert isinstance(history, Deploys)
        if any(change.kind == "deploy" for change in history.history):
            assert not status.uptime.endswith(" d") or int(status.uptime.split()[0]) <= 14


def test_what_lasts_is_told_the_same_in_every_line() -> None:
    names = {"lasting": 7}
    told = {filled("partition {=n:3-60} of {=pick:a|b|c}, {=id}", names, key) for key in range(20)}
    assert len(told) == 1
    assert len({filled("partition {n:3-60}", names, key) for key in range(20)}) > 1
