"""The review of an episode: one rule for when a look counts, every step in it, and what was left open by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from env_core.briefing import describe_step, write_debrief
from env_core.observation import debrief, observe, read_state
from env_core.perfect import look_at, play_perfectly
from scenarios.catalogue import Catalogue
from scenarios.faults import FAMILIES
from scenarios.parsing import parse_action
from scenarios.proofs.knowledge import find_knowledge
from scenarios.running.incident import RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import DIAGNOSTICS
from tests.proved import ONE_STEP, WATCH, name_cause, name_repair, play

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.catalogue import Scenario

MANY = max(
    (find_knowledge(proof, (each := proof.certificates[0])[:1]).left, key)
    for key, (_, proof) in list_proofs().items()
    if key[1] == 3 and len(proof.certificates[0]) > 1
)[1]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="module")
def repair(catalogue: Catalogue) -> Scenario:
    return catalogue.get(name_repair(ONE_STEP))


@pytest.fixture(scope="module")
def cause(catalogue: Catalogue) -> Scenario:
    return catalogue.get(name_cause(MANY))


def review(episode: Episode) -> dict[str, Any]:
    told = debrief(episode)
    assert told is not None
    return dict(told["review"])


def test_evidence_counts_until_the_cause_is_acted_on_whether_it_was_seen_before_or_not(repair: Scenario) -> None:
    perfect = play_perfectly(repair.incident, repair.task)
    looks = [action for action in perfect if action.name in DIAGNOSTICS][:2]
    (deed,) = [action for action in perfect[:-1] if action.name not in DIAGNOSTICS and action != WATCH]
    other = look_at(("check_recent_deploys", looks[0].target))
    ended = play(repair, [looks[0], looks[0], deed, other, looks[0], WATCH, perfect[-1]])
    told = review(ended)
    assert told["decided_at"] == 3
    verdicts = [each["verdict"] for each in told["steps"]]
    assert verdicts[1] == "confirmed"
    assert verdicts[2] == "effective"
    assert set(verdicts[3:5]) <= {"late", "recovery"}
    assert verdicts[5] == "waited"
    assert [each["step"] for each in told["steps"]] == [1, 2, 3, 4, 5, 6]
    assert "execute_runbook_step watch: let some minutes pass" in write_debrief(ended)
    left = re.search(rf" 1\. {looks[0].step}: leaves (\d+) of", write_debrief(ended))
    assert left is not None
    assert f" 2. {looks[0].step}: rules out none of the {left[1]} explanations that were left\n" in write_debrief(ended)


def test_who_harms_and_repairs_nothing_is_told_so_and_of_no_repairs_to_tell(repair: Scenario) -> None:
    *_, answer = play_perfectly(repair.incident, repair.task)
    assert isinstance(repair.incident, RunningIncident)
    served = max(repair.incident.system.journeys, key=lambda journey: journey.worth).name
    wrong = parse_action("execute_runbook_step", {"runbook_action": "block_client", "target": served})
    text = describe_step(play(repair, [wrong, answer]))
    assert f" 1. execute_runbook_step block_client {served}: cost users, lost messages" in text
    assert "1 remediation cost users, lost messages, or disturbed what had no trouble." in text
    assert "0 % of what users would still have lost was saved, and for good" in text
    assert "no repair took effect that could be told" in text
    assert " 0 repairs" not in text


def test_the_recovery_is_told_where_it_is_seen(repair: Scenario) -> None:
    told = review(play(repair, play_perfectly(repair.incident, repair.task)))
    assert told["steps"][-1]["verdict"] == "recovery"


def test_what_was_left_is_named_with_a_look_that_excludes_it(cause: Scenario) -> None:
    first, *_, answer = play_perfectly(cause.incident, cause.task)
    ended = play(cause, [first, answer])
    proof = list_proofs()[MANY].proof
    told = review(ended)
    left = find_knowledge(proof, {(first.name, first.target)}).left
    assert len(told["explanations"]) == left - 1 > 0
    for each in told["explanations"]:
        look = each["ruled_out_by"]
        assert (look["action"], look["service"]) != (first.name, first.target)
        mask = int(proof.masks[f"{look['action']} {look['service']}"], 16)
        suspects = {component for number, (component, _) in enumerate(proof.suspects) if mask >> number & 1}
        assert each["service"] in suspects
        assert each["failure"]
    text = write_debrief(ended)
    assert "Also possible by what was seen\n" in text
    assert text.count("would have ruled it out)") == min(5, left - 1)
    assert ("more" in text.split("would have ruled it out)")[-1].partition("\n")[2].partition("\n")[0]) == (left > 6)


def test_who_has_seen_all_has_nothing_left(cause: Scenario) -> None:
    told = review(play(cause, play_perfectly(cause.incident, cause.task)))
    assert told["explanations"] == []


def test_what_was_wrong_beside_it_and_what_was_changed_is_told_at_the_end_only(cause: Scenario) -> None:
    perfect = play_perfectly(cause.incident, cause.task)
    account = cause.incident.account
    assert account.beside
    changed = account.changes[0]
    looks = [*perfect[:-1], look_at(("check_metrics", changed.service))]
    before = play(cause, looks)
    assert debrief(before) is None
    shown = f"{observe(before)}{read_state(before)}{describe_step(before)}"
    for secret in (*(each.text for each in account.beside), "Beside it", "ruled_out_by", "decided_at"):
        assert secret not in shown
    ended = play(cause, [*looks, perfect[-1]])
    told = debrief(ended)
    assert told is not None
    assert [each["service"] for each in told["beside"]] == [each.service for each in account.beside]
    looked_at = {action.target for action in looks}
    assert {each["service"] for each in told["changes"]} == looked_at & {each.service for each in account.changes}
    text = write_debrief(ended)
    assert "Beside it, and not part of it\n" in text
    assert f"{changed.service}: {changed.text}" in text
    assert "Users did not feel it" in text


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.title])
def test_a_title_of_its_own_is_short(name: str) -> None:
    assert 10 <= len(FAMILIES[name].title) <= 70
    assert not FAMILIES[name].title.endswith(".")
