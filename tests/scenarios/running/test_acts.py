"""What an episode is told of what it does in an incident that runs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from env_core.briefing import describe_alert, write_timeline
from env_core.episode import Episode, advance, begin, withhold
from env_core.observation import observe
from env_core.reference import Reference, RewardMode
from scenarios.catalogue import Catalogue, Scenario
from scenarios.parsing import InvalidActionError, ListingError, parse_action
from scenarios.running.incident import RunningIncident
from scenarios.world import OPERATIONS

MERIT = re.compile(r"effective|premature|help|wrong|too early|changed nothing|took effect", re.IGNORECASE)
PLAN = (
    ("disable_feature_flag", {"flag": "full_history_export"}),
    ("restart_service", {"service": "analytics-service"}),
    ("restart_service", {"service": "postgres-db"}),
    ("restart_service", {"service": "auth-service"}),
    ("restart_service", {"service": "order-service"}),
)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Catalogue().get("LIVE-RP-001")


def play(scenario: Scenario, *actions: tuple[str, dict[str, Any]], mode: RewardMode = "terminal") -> Episode:
    """An episode after some actions."""
    episode = begin("id", Reference.to(scenario, mode), scenario)
    for action in actions:
        episode = advance(episode, parse_action(*action))
    return episode


def told(episode: Episode) -> str:
    """What the last step was told."""
    assert episode.last is not None
    return episode.last.feedback


def run_step(step: str, target: str | None = None) -> tuple[str, dict[str, Any]]:
    return "execute_runbook_step", {"runbook_action": step, **({} if target is None else {"target": target})}


@pytest.mark.parametrize("mode", ["dense", "terminal"])
def test_the_steps_of_the_plan_are_told_by_what_they_did(scenario: Scenario, mode: RewardMode) -> None:
    episode = play(scenario, *PLAN, mode=mode)
    flag, first, store, _, last = (step.feedback for step in episode.steps)
    assert "Switched off. It took 1 min; it is 14:16." in flag
    assert "could open no connection to postgres-db" in first
    assert "Recovery after a crash began" in store
    assert "postgres-db is now running, 1/1 instances ready" in store
    assert "5 of 5 instances replaced" in last
    assert "It took 3 min" in last
    assert not any(MERIT.search(step.feedback) for step in episode.steps)
    assert all(("Reward +0.06" in step.feedback) == (mode == "dense") for step in episode.steps)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (("rollback_deploy", {"service": "auth-service"}), "there is no release before 7.12.0 to go back to"),
        (run_step("fail_over", "postgres-db"), "there is no standby"),
        (("scale_service", {"service": "auth-service", "replicas": 9}), "there is room for 8 at most"),
        (("scale_service", {"service": "auth-service", "replicas": 4}), "there are 4 instances already"),
        (("clear_cache", {"service": "auth-service"}), "Nothing to delete"),
    ],
)
def test_what_cannot_be_done_says_why(scenario: Scenario, action: tuple[str, dict[str, Any]], reason: str) -> None:
    episode = play(scenario, action)
    assert reason in told(episode)
    assert not MERIT.search(told(episode))


def test_a_flag_that_is_off_is_not_switched_off_again_and_a_limit_ends(scenario: Scenario) -> None:
    assert "off already" in told(play(scenario, PLAN[0], PLAN[0]))
    raised = run_step("raise_memory", "redis-cache")
    assert "Memory limit at 1.5 times" in told(play(scenario, raised))
    assert "Not raised" in told(play(scenario, raised, raised, raised))


@pytest.mark.parametrize(("replicas", "ready"), [(2, "2/2"), (7, "7/7"), (8, "8/8")])
def test_a_service_has_as_many_instances_as_are_asked_for(scenario: Scenario, replicas: int, ready: str) -> None:
    episode = play(scenario, ("scale_service", {"service": "auth-service", "replicas": replicas}))
    assert f"Scaled from 4 to {replicas} instances." in told(episode)
    assert f"auth-service is now running, {ready} instances ready." in told(episode)


def test_a_rollout_that_takes_longer_says_how_far_it_has_come(scenario: Scenario) -> None:
    """One that is begun again goes from the first instance on, and the instances that run are counted."""
    actions = (PLAN[4], ("check_service_status", {"service": "order-service"}))
    episode = play(scenario, *actions)
    progress = re.search(r"(\d) of 5 instances replaced", episode.steps[0].feedback)
    assert progress is not None
    shown = episode.steps[1].evidence
    assert shown is not None
    assert re.search(rf"^pods ready +{progress[1]}/5$", shown.text, re.MULTILINE)


def test_the_alert_says_that_its_page_has_cleared(scenario: Scenario) -> None:
    before, after = play(scenario), play(scenario, *PLAN, run_step("watch"))
    assert observe(before)["alert"]["status"] == "firing"
    assert "firing since" in describe_alert(observe(before)["alert"])
    assert re.search(r"Page StorefrontCoreJourneysFailing, which fired at [\d:]+, cleared at", told(after))
    alert = observe(after)["alert"]
    assert alert["status"] == "resolved"
    assert f"resolved at {alert['resolved_at']}" in describe_alert(alert)
    assert {**alert, "status": "firing"}.items() >= observe(before)["alert"].items()


def test_watching_ends_with_how_the_page_stands(scenario: Scenario) -> None:
    page = "Page StorefrontCoreJourneysFailing"
    early = told(play(scenario, run_step("watch"), mode="terminal"))
    assert re.search(rf"{page} is still firing, since 14:\d\d(:\d\d)?: the share of failing requests ", early)
    assert re.search(r" is still above \d+ %\.$", early)
    looks = [("check_service_status", {"service": name}) for name in scenario.incident.services[:6]]
    late = told(play(scenario, *PLAN, *looks, run_step("watch"), mode="terminal"))
    assert "No page fired or cleared in that time." in late
    assert re.search(rf" {page}, which fired at 14:\d\d(:\d\d)?, cleared at 14:\d\d(:\d\d)?\.$", late)
    assert late.count(page) == 1


def test_watching_says_which_other_pages_fire_and_its_own_last() -> None:
    episode = play(Catalogue().get("GEN2-RP-D2-281474976710662"), run_step("watch"))
    alert = observe(episode)["alert"]
    firing = re.findall(r"Page (\w+) is still firing", told(episode))
    assert firing == [*(page["name"] for page in alert["other_pages"]), alert["name"]]


def test_watching_says_what_has_changed_and_is_no_remediation(scenario: Scenario) -> None:
    early = (PLAN[2], run_step("watch"))  # the run with the flag comes back
    episode = play(scenario, *early, mode="dense")
    assert "postgres-db: A process used more memory than it may and was killed" in told(episode)
    assert "it is 14:21" in told(episode)
    assert "Reward +0.00" in told(episode)
    assert episode.wrong == play(scenario, early[0]).wrong
    assert episode.attempted == play(scenario, early[0]).attempted
    root_cause = Catalogue().get("LIVE-RCA-001")
    assert play(root_cause, run_step("watch")).investigating


def test_a_silence_mutes_a_page_and_changes_nothing_else(scenario: Scenario) -> None:
    page = "StorefrontCoreJourneysFailing"
    before = play(scenario, PLAN[2])
    after = play(scenario, PLAN[2], run_step("silence_alert", page), mode="dense")
    assert f'Silence of alertname="{page}" created until 14:46.' in told(after)
    assert "Nothing was changed in any service. It took 1 min; it is 14:17." in told(after)
    assert "Reward +0.00" in told(after)
    assert not MERIT.search(told(after))
    assert (after.wrong, after.attempted, after.effective) == (before.wrong, before.attempted, before.effective)
    assert observe(after)["alert"].items() >= {"status": "firing", "silenced_until": "2026-03-03T14:46Z"}.items()
    assert "firing since 2026-03-03T14:06Z, silenced until 2026-03-03T14:46Z" in describe_alert(observe(after)["alert"])
    again = play(scenario, *[run_step("silence_alert", page.lower())] * 2)
    assert "extended from 14:45 to 14:46" in told(again)
    root_cause = Catalogue().get("LIVE-RCA-001")
    assert play(root_cause, run_step("silence_alert", page)).investigating


def test_who_has_silenced_a_page_is_shown_all_that_others_are(scenario: Scenario) -> None:
    look = ("query_logs", {"service": "auth-service"})
    passed, muted = (
        play(scenario, first, look).steps[-1].evidence
        for first in (look, run_step("silence_alert", "StorefrontCoreJourneysFailing"))
    )
    assert passed is not None
    assert muted is not None
    assert muted.text == passed.text
    between = (look, run_step("silence_alert", "StorefrontCoreJourneysFailing"), look)
    assert "nothing was done and no page has changed" in told(play(scenario, *between, mode="dense"))


def test_only_rules_that_have_paged_can_be_silenced() -> None:
    """Which rules there are beside would tell what is not the matter."""
    scenario = Catalogue().get("GEN2-RP-D2-281474976710662")
    episode = play(scenario, run_step("watch"))
    shown = observe(episode)["alert"]
    assert isinstance(scenario.incident, RunningIncident)
    rules = {rule.name for rule in scenario.incident.system.alerts}
    paged = {shown["name"], *(page["name"] for page in shown["other_pages"])}
    with pytest.raises(InvalidActionError) as refused:
        advance(episode, parse_action(*run_step("silence_alert")))
    assert {rule for rule in rules if rule in str(refused.value)} == paged
    muted = play(scenario, run_step("watch"), run_step("silence_alert", shown["other_pages"][0]["name"]))
    assert "silenced_until" in observe(muted)["alert"]["other_pages"][0]
    assert "silenced_until" not in observe(muted)["alert"]


def test_a_step_without_the_target_that_it_needs_costs_nothing_and_says_which_there_are(scenario: Scenario) -> None:
    episode = play(scenario)
    for step, target, valid in (
        ("fail_over", None, "postgres-db"),
        ("fail_over", "postgre-db", "Did you mean postgres-db?"),
        ("drain_zone", None, "zone-a"),
        ("block_client", "nobody", "checkout"),
        ("pause_job", None, "orders-feed"),
        ("purge_queue", None, "There is no topic here"),
        ("watch", "postgres-db", "takes no `target`"),
        ("silence_alert", None, "needs a `target`, a rule. Valid: StorefrontCoreJourneysFailing"),
        ("restore_bgp_routes", None, "There is no runbook step"),
    ):
        with pytest.raises(InvalidActionError, match=re.escape(valid)) as refused:
            advance(episode, parse_action(*run_step(step, target)))
        assert "Nothing was changed" in str(refused.value)


def test_every_operation_of_the_world_can_be_done_and_is_listed_with_what_it_needs(scenario: Scenario) -> None:
    course = play(scenario).course
    named = {step for step in course.runbook if step in OPERATIONS}
    remediations = {"restart_service", "rollback_deploy", "scale_service", "disable_feature_flag", "clear_cache"}
    assert named == set(OPERATIONS) - remediations
    with pytest.raises(ListingError) as listed:
        advance(play(scenario), parse_action(*run_step("list")))
    for step in named:
        assert f"- {step} (operation, target: a {OPERATIONS[step].target}): {OPERATIONS[step].does}" in str(
            listed.value
        )
        for target in (course.list_targets(step) or ())[:1]:
            told_of_it = told(play(scenario, run_step(step, target)))
            assert told_of_it.startswith(f"{step} {target}: ")
            assert "Nothing was changed in any service" not in told_of_it


def test_the_summary_says_which_steps_there_are(scenario: Scenario) -> None:
    summary = scenario.incident.summary
    assert "rule: silence_alert; " in summary
    assert "; zone: cordon_zone, uncordon_zone, drain_zone; " in summary
    assert " none: watch, verify_db_health" in summary
    assert "skip_message" not in summary  # there is no topic


def test_written_incidents_take_no_target_and_list_the_catalogue() -> None:
    written = Catalogue().get("RP-001")
    with pytest.raises(InvalidActionError, match="takes no `target`"):
        advance(play(written), parse_action(*run_step("verify_db_health", "postgres-db")))
    with pytest.raises(InvalidActionError, match="no runbook step"):
        advance(play(written), parse_action(*run_step("fail_over", "postgres-db")))
    assert told(play(written, run_step("verify_db_health"), mode="dense")).startswith("execute_runbook_step verify_db")


def test_the_timeline_tells_each_deed_once(scenario: Scenario) -> None:
    line = write_timeline(play(scenario, PLAN[2])).splitlines()[1]
    assert line.count("restart_service postgres-db") == 1
    assert write_timeline(withhold(play(scenario, PLAN[2])), rewards=False).splitlines()[1] == line


def test_nothing_that_does_not_exist_is_reported(scenario: Scenario) -> None:
    episode = play(scenario, ("restart_service", {"service": "nope"}))
    assert episode.last is not None
    assert episode.last.error_code == "unknown_target"
    assert told(episode) == "There is nothing of that name to act on."
