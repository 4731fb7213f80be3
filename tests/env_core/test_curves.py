"""The curves of a review: three lanes on the same noise, told at the end only, and made only for who draws them."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from env_core.briefing import describe_step, write_debrief
from env_core.episode import withhold
from env_core.frames import draw_frames
from env_core.observation import debrief, observe, read_state
from env_core.perfect import look_at, play_perfectly
from env_core.review import is_traced, report_curves
from env_core.service import EpisodeService
from scenarios.catalogue import Catalogue
from scenarios.parsing import parse_action
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import DIAGNOSTICS
from tests.proved import ONE_STEP, WATCH, name_repair, play

if TYPE_CHECKING:
    from env_core.episode import Episode
    from scenarios.catalogue import Scenario

LONGEST = max((proof.lasts, key) for key, (_, proof) in list_proofs().items())[1]
LANES = ("as_left", "with_nothing_done", "with_the_best_repair")
SECRETS = ("curves", *LANES, "minutes_lost", "best_repair", "fault_at", "first_look_at")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(scope="module")
def repair(catalogue: Catalogue) -> Scenario:
    return catalogue.get(name_repair(ONE_STEP))


def read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def trace(episode: Episode) -> dict[str, Any]:
    told = debrief(episode)
    assert told is not None
    return dict(told["review"]["curves"])


def test_a_repair_parts_the_curve_from_that_of_doing_nothing(repair: Scenario) -> None:
    harm = parse_action("restart_service", {"service": "no-such-service"})
    *before, answer = play_perfectly(repair.incident, repair.task)
    episode = play(repair, [harm, *before, answer])
    told = trace(episode)
    actual, nothing, best = (told[lane] for lane in LANES)
    assert len(actual) == len(nothing) == len(best) > 30
    assert all(0 <= share <= 1 and share == round(share, 3) for lane in LANES for share in told[lane])
    assert told["minutes_each"] == 1
    since, first_look = read(told["since"]), read(told["first_look_at"])
    looked = int((first_look - since).total_seconds()) // 60
    assert actual[:looked] == nothing[:looked] == best[:looked]
    repaired = next(mark for mark in told["remediations"] if mark["verdict"] == "effective")
    minute = int((read(repaired["at"]) - since).total_seconds()) // 60
    assert actual[:minute] == nothing[:minute] != best[:minute]
    assert actual[-1] < nothing[-1]
    lost = told["minutes_lost"]
    assert lost["with_the_best_repair"] < lost["as_left"] < lost["with_nothing_done"]
    for lane in LANES:
        assert sum(told[lane]) == pytest.approx(lost[lane], abs=0.1)


def test_its_marks_are_in_time_and_say_what_the_steps_say(repair: Scenario) -> None:
    harm = parse_action("restart_service", {"service": "no-such-service"})
    *before, answer = play_perfectly(repair.incident, repair.task)
    episode = play(repair, [harm, WATCH, *before, answer])
    told = trace(episode)
    marks = told["remediations"]
    moments = [
        told["since"],
        told["fault_at"],
        told["page_at"],
        told["first_look_at"],
        marks[-1]["at"],
        told["ended_at"],
    ]
    assert all(before < after for before, after in pairwise(map(read, (moments[0], *moments[2:]))))
    assert read(told["fault_at"]) < read(told["page_at"])
    assert read(told["page_at"]) == read(repair.incident.alert["fired_at"])
    assert (read(told["page_at"]) - read(told["since"])).total_seconds() in range(300, 360)
    assert told["answered"]
    review = debrief(episode)["review"]  # type: ignore[index] # it is over
    verdicts = {each["step"]: each["verdict"] for each in review["steps"]}
    assert marks[0] == {
        "step": 1,
        "at": told["first_look_at"],
        "operation": "restart_service",
        "target": "no-such-service",
        "verdict": "wrong",
    }
    assert {mark["verdict"] for mark in marks} == {"wrong", "effective"}
    assert all(mark["verdict"] == verdicts[mark["step"]] for mark in marks)
    minutes = told["minutes_each"] * len(told["as_left"])
    judged = (read(told["ended_at"]) - read(told["since"])).total_seconds() / 60 + review["losses"]["minutes"]
    assert minutes == judged


def test_who_runs_out_of_steps_is_shown_it_too(repair: Scenario) -> None:
    restart = parse_action("restart_service", {"service": repair.incident.services[0]})
    looks = [look_at((name, repair.incident.truth.service)) for name in DIAGNOSTICS] * repair.task.max_steps
    told = trace(play(repair, [restart, *looks][: repair.task.max_steps]))
    assert not told["answered"]
    assert len(told["remediations"]) == 1


def test_it_is_small_however_long_it_is_and_however_much_was_done(catalogue: Catalogue) -> None:
    scenario = catalogue.get(name_repair(LONGEST))
    *_, answer = play_perfectly(scenario.incident, scenario.task)
    longest = max((len(name), name) for name in scenario.incident.system.zones)[1]  # type: ignore[attr-defined] # runs
    deed = parse_action("execute_runbook_step", {"runbook_action": "uncordon_zone", "target": longest})
    deeds = [WATCH] * 7 + [deed] * (scenario.task.max_steps - 8)
    told = trace(play(scenario, [*deeds, answer], reward_mode="terminal"))
    assert len(told["remediations"]) == len(deeds) - 7
    assert told["minutes_each"] > 1
    assert len(told["as_left"]) <= 100
    assert len(json.dumps(told, separators=(",", ":"))) <= 4096


def test_nothing_of_it_is_told_before_the_end_or_to_whom_the_debrief_is_kept_from(repair: Scenario) -> None:
    *before, answer = play_perfectly(repair.incident, repair.task)
    for count in range(len(before) + 1):
        episode = play(repair, before[:count])
        assert report_curves(episode) is None
        shown = f"{observe(episode)}{read_state(episode)}{draw_frames(episode)}"
        assert not [secret for secret in SECRETS if secret in shown]
    kept = withhold(play(repair, [*before, answer], debrief="harness"))
    assert report_curves(kept) is None
    assert not [secret for secret in SECRETS if secret in f"{observe(kept)}{read_state(kept)}{draw_frames(kept)}"]
    *earlier, last = draw_frames(play(repair, [*before, answer]))
    assert not [secret for secret in SECRETS if secret in f"{earlier}"]
    assert "curves" in last["debrief"]["review"]


@pytest.mark.anyio
async def test_a_score_and_a_text_make_none_of_it(repair: Scenario) -> None:
    *before, answer = play_perfectly(repair.incident, repair.task)
    episode = play(repair, [WATCH, WATCH, WATCH, *before, answer])
    assert "Step by step" in describe_step(episode)
    assert "Step by step" in write_debrief(episode)
    service = EpisodeService(Catalogue())
    await service.recount(episode, curves=False)
    assert not is_traced(episode)
    await service.recount(episode)
    assert is_traced(episode)
    assert trace(episode)["answered"]


def test_there_is_none_where_a_plan_judges_or_nothing_is_repaired(catalogue: Catalogue, repair: Scenario) -> None:
    written = catalogue.get("LIVE-RP-001")
    told = debrief(play(written, play_perfectly(written.incident, written.task)))
    assert told is not None
    assert "review" not in told
    cause = catalogue.get(repair.id.replace("-RP-", "-RCA-"))
    ended = play(cause, play_perfectly(cause.incident, cause.task))
    assert is_traced(ended)
    told = debrief(ended)
    assert told is not None
    assert "curves" not in told["review"]
