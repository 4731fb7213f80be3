"""The responder's reading and deciding: what it makes of evidence, and how it fares on incidents nobody wrote."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.difficulty import format_table, play_scenario
from cloud_incident.evaluation.agents.responder.conditions import ALARMS, CONDITIONS, find_alarm, find_condition
from cloud_incident.evaluation.agents.responder.evidence import MetricReading, parse_call_paths, parse_metrics
from cloud_incident.evaluation.agents.responder.impact import judge_journeys, parse_journey_ranks
from scenarios.library import load_runbook_catalogue
from scenarios.vocabulary import SEVERITIES

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

RANKS = {"pay": "core", "search": "major", "hints": "minor", "office": "internal"}
HABITS = {"undo", "restart", "scale", "clear", "holders"}
AT_LEAST = {"AC": 0.85, "RCA": 0.6, "RP": 0.35}
"""Means over a few incidents of the lowest difficulty."""


@pytest.mark.parametrize(
    ("line", "trouble", "share", "beneath"),
    [
        ("store  failing · p99 915 ms, 65 % failed or given up", "slow", 65.0, False),
        ("store  degraded · 32 % answered 5xx", "errors", 32.0, False),
        ("vault  down · 95 % of sessions refused by the peer", "refused", 95.0, False),
        ("pay  down · 99 % of calls fail: instances come and go", "crash", 99.0, False),
        ("partner  degraded · 20 % turned away with 429", "throttled", 20.0, False),
        ("store  failing · 50 % of connections fail before they begin: name not resolved", "unresolved", 50.0, False),
        ("mailer  degraded · consumer group, oldest message 300 s", "late", 0.0, False),
        ("store  healthy · 3.21 req/s, p99 11.4 ms", "", 0.0, False),
        ("resolver  healthy", "", 0.0, True),
    ],
)
def test_a_call_path_tells_its_class_of_trouble(line: str, trouble: str, share: float, beneath: bool) -> None:
    (path,), callers = parse_call_paths(f"shop · dependencies\ncalls\n  {line}\ncalled by\n  (nothing)")
    assert (path.trouble, path.share, path.is_beneath) == (trouble, share, beneath)
    assert callers == []


def test_users_and_clients_outside_are_no_services() -> None:
    _, callers = parse_call_paths(
        "edge · dependencies\ncalls\n  (nothing)\ncalled by\n  users of menus   down · 6 requests/s from outside\n"
        "  client probe     healthy\n  gateway          failing · 65 % failed"
    )
    assert [(path.service, path.health) for path in callers] == [("gateway", "failing")]


def test_metrics_are_read_with_their_past() -> None:
    text = "shop · metrics\nmetric  unit  normal  now  recent\ndisk_used  %  50  99  50 51 50 80 99"
    assert parse_metrics(text) == [MetricReading("disk_used", "%", 50.0, 99.0, (50.0, 51.0, 50.0, 80.0, 99.0))]


@pytest.mark.parametrize(
    ("recent", "moved"),
    [
        ((50, 51, 50, 80, 99), True),
        ((99, 98, 99, 99, 99), False),
        ((50, 51, 50, 51, 50), False),
        ((50, 49, 51, 20, 5), True),
    ],
    ids=["rose", "always odd", "at its normal", "fell"],
)
def test_a_metric_has_moved_if_it_left_its_normal_value_in_sight(recent: tuple[float, ...], moved: bool) -> None:
    assert MetricReading("disk_used", "%", 50.0, recent[-1], recent).moved is moved


@given(st.floats(0, 1e6, allow_nan=False), st.floats(0, 1e6, allow_nan=False))
def test_a_metric_without_a_past_or_without_a_change_has_not_moved(normal: float, other: float) -> None:
    assert not MetricReading("x", "ms", normal, other).moved
    assert not MetricReading("x", "ms", normal, normal, (other,) * 4).moved


def test_a_condition_takes_two_signs_and_has_to_explain_what_callers_meet() -> None:
    text = "error: could not extend file: No space left on device\nwarn: disk full\n"
    found = find_condition(text, "errors")
    assert found is not None
    assert "disk" in found.description
    assert find_condition(text, "refused") is None
    assert find_condition("warn: disk full", "errors") is None
    assert find_condition("", "") is None


def test_an_alarm_without_an_incident_says_why() -> None:
    found = find_alarm("running (maintenance, standby serving)")
    assert found is not None
    assert "maintenance" in found.description
    assert find_alarm("serves: sign-in") is None


def test_everything_that_mends_is_in_the_catalogue_or_a_habit() -> None:
    known = HABITS | {step.name for step in load_runbook_catalogue().values() if not step.verify}
    for condition in (*CONDITIONS, *ALARMS):
        assert set(condition.mends) <= known, condition.description


def test_journeys_are_ranked_by_what_the_summary_says_of_them() -> None:
    told = (
        "You are on call. Journeys here, by what they mean to the business: core: pay; main functions: search; "
        "can wait: hints; for staff only: office."
    )
    assert parse_journey_ranks(told) == RANKS
    assert parse_journey_ranks("Checkout fails.") == {}


def _door(**failing: float) -> list[MetricReading]:
    return [MetricReading(f'failed{{journey="{name}"}}', "%", 0.2, now) for name, now in failing.items()]


@pytest.mark.parametrize(
    ("rows", "late", "severity"),
    [
        (_door(pay=90, search=90), False, "P1"),
        (_door(pay=20, search=0), False, "P2"),
        (_door(pay=0, search=40), False, "P2"),
        (_door(pay=0, search=0, hints=70), False, "P3"),
        (_door(pay=0, search=0, office=99), False, "P4"),
        (_door(pay=0, search=0), False, "P4"),
        (_door(pay=0, search=0), True, "P3"),
        ([*_door(pay=0.2), MetricReading("request_duration_p99", "ms", 100, 900)], False, "P2"),
    ],
)
def test_severity_follows_the_gravest_journey(rows: list[MetricReading], late: bool, severity: str) -> None:
    assert judge_journeys(rows, RANKS, late=late) == severity


@given(
    st.dictionaries(st.sampled_from(sorted(RANKS)), st.floats(0, 100), min_size=1),
    st.sampled_from(sorted(RANKS)),
    st.booleans(),
)
def test_what_fails_more_is_never_less_severe(failing: dict[str, float], worse: str, late: bool) -> None:
    before = judge_journeys(_door(**failing), RANKS, late=late)
    after = judge_journeys(_door(**(failing | {worse: 100.0})), RANKS, late=late)
    assert late or SEVERITIES.index(after) <= SEVERITIES.index(before)


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("task", AT_LEAST)
async def test_the_responder_is_competent_on_what_is_generated(task: str, catalogue: Catalogue) -> None:
    found = [await play_scenario(catalogue, f"GEN1-{task}-D1-{seed}") for seed in range(500, 530)]
    assert mean(one.score for one in found) >= AT_LEAST[task]
    assert task != "RCA" or mean(one.right for one in found) >= 5 * mean(one.chance for one in found)


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_search_costs_no_more_steps_than_there_are(catalogue: Catalogue) -> None:
    for seed in range(500, 510):
        assert (await play_scenario(catalogue, f"GEN1-RCA-D5-{seed}")).score > 0.0
        assert (await play_scenario(catalogue, f"GEN1-RP-D5-{seed}")).score >= 0.0


def test_the_table_pairs_neighbouring_levels() -> None:
    told = format_table("t", {1: [1.0, 1.0, 0.0], 2: [1.0, 0.0, 0.0]}, {1: "0.1", 2: "0.05"})
    assert "| 1 | 0.667 ± 0.333 |  | 0.1 |" in told
    assert "| 2 | 0.333 ± 0.333 | 0.333 ± 0.333 | 0.05 |" in told
