"""Draws that are played side by side: each is, byte for byte, what it is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from env_core.batch import Batch
from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.selection import Selection
from env_core.transition import Transition, step
from scenarios.catalogue import MOST_DRAWN_KEPT, Catalogue
from scenarios.drawing import draw
from scenarios.running import list_proved_for
from scenarios.running.abreast import BLOCK, Wanted, play_abreast
from scenarios.running.listed import list_proofs
from scenarios.running.shared import Ordered, SharedRuns
from scenarios.vocabulary import DIAGNOSTICS, ROOT_CAUSE_ANALYSIS
from scenarios.world.record import COUNTS, LEVELS
from tests.slow import EXAMPLES, WIDE

if TYPE_CHECKING:
    from scenarios.world import Run

LISTED = sorted(list_proved_for(ROOT_CAUSE_ANALYSIS.id), key=lambda key: (key[1], key[0]))
"""All listed draws by difficulty."""
ALONE = next(key for key in LISTED if not draw(*key).system.links)
"""One of the few that stand in one place."""
SOME = LISTED if EXAMPLES >= WIDE else [*(key for key in LISTED[:: len(LISTED) // 3] if key != ALONE), ALONE]
WATCH = {"action_type": "execute_runbook_step", "parameters": {"runbook_action": "watch"}}


def find_all(run: Run, until: int) -> dict[str, object]:
    """What a run of one system has shown up to a second."""
    parts: dict[str, object] = {
        name: np.ascontiguousarray(run.record.get(name, 0, until // 15)).tobytes() for name in (*COUNTS, *LEVELS)
    }
    return parts | {"events": [event for event in run.state.events if event.at < until]}


def list_wanted(looks: int) -> list[Wanted]:
    return [Wanted(*key, list_proofs()[key].proof, looks) for key in SOME]


def test_runs_and_what_is_ordered_in_them_are_those_of_each_alone() -> None:
    wanted = list_wanted(10)
    for place, (drawn, runs) in play_abreast(wanted):
        each = wanted[place]
        assert drawn == draw(each.seed, each.difficulty)
        alone = SharedRuns(drawn.system)
        first, further = each.proof.first_look, each.until + 120
        assert find_all(runs.get((), each.until), each.until) == find_all(alone.get((), each.until), each.until)
        service = drawn.system.components[place % 3].name
        for at in (first, first + 285, further):
            orders = (Ordered(at, "restart_service", service), Ordered(at + 60, "restart_service", service))
            for count in range(3):
                one, other = (some.get(orders[:count], at + 180) for some in (runs, alone))
                assert find_all(one, at + 180) == find_all(other, at + 180)
            one, other = (some.fork((), at) for some in (runs, alone))
            assert one.time == other.time == at
            one.advance(60)
            other.advance(60)
            assert find_all(one, at + 60) == find_all(other, at + 60)


def test_systems_with_a_network_and_without_are_among_those() -> None:
    assert {bool(draw(*key).system.links) for key in SOME} == {False, True}


def test_a_run_is_asked_for_before_its_first_look() -> None:
    (place, (drawn, runs)), *_ = play_abreast(list_wanted(0)[:2])
    at = list_wanted(0)[place].proof.first_look - 90
    assert find_all(runs.fork((), at), at) == find_all(SharedRuns(drawn.system).fork((), at), at)


def test_every_draw_is_given_once_however_many_there_are() -> None:
    wanted = [Wanted(*key, list_proofs()[key].proof, 0) for key in LISTED[: BLOCK + 1]]
    hasty = [replace_first_look(each) for each in wanted]
    found = {place: ahead.drawn for place, ahead in play_abreast(hasty)}
    assert {place: (drawn.seed, drawn.difficulty) for place, drawn in found.items()} == dict(
        enumerate(LISTED[: BLOCK + 1])
    )


def replace_first_look(wanted: Wanted) -> Wanted:
    """One that is played for as short as can be."""
    return wanted._replace(proof=wanted.proof.model_copy(update={"first_look": 0}))


def list_actions(catalogue: Catalogue, name: str) -> list[dict[str, Any]]:
    """Looks, then what repairs it with its answer; and a repair that is none before, and some minutes that pass."""
    scenario = catalogue.get(name)
    services = scenario.incident.services
    looks = [
        {"action_type": diagnostic, "parameters": {"service": services[number % len(services)]}}
        for number, diagnostic in enumerate(DIAGNOSTICS)
    ]
    *perfect, answer = [action.dump() for action in play_perfectly(scenario.incident, scenario.task)]
    if not scenario.task.asks_repair:
        return [*looks[: scenario.task.max_steps - 1], answer]
    restart = {"action_type": "restart_service", "parameters": {"service": services[0]}}
    return [*looks[:3], restart, WATCH, *perfect[-3:], looks[0], answer]


def play_alone(catalogue: Catalogue, name: str, actions: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    scenario = catalogue.get(name)
    transition = Transition(begin("", Reference.to(scenario), scenario))
    shown = [show(transition)]
    for action in actions:
        if not transition.done:
            transition = step(transition.episode, action)
            shown.append(show(transition))
    return shown


def show(transition: Transition) -> tuple[object, ...]:
    return transition.observation(), transition.reward, transition.info(), transition.episode.reference.digest


@pytest.mark.parametrize("code", ["AC", "RCA", "RP"])
def test_an_agent_sees_and_earns_the_same_in_a_batch(code: str) -> None:
    names = [f"GEN2-{code}-D{difficulty}-{seed}" for seed, difficulty in SOME[:: 3 if code == "RP" else 1]]
    others = ["RCA-001", f"GEN2-{code if code == 'AC' else 'RCA'}-D1-2"]
    together, alone = Catalogue(), Catalogue()
    selections = [Selection(scenario_id=name) for name in (*names, *others, names[0])]
    batch = Batch(together)
    first = batch.reset(selections)
    plays = [list_actions(alone, name) for name in names]
    expected = [play_alone(alone, name, actions) for name, actions in zip(names, plays, strict=True)]
    shown = [[result] for result in first[: len(names)]]
    for number in range(max(map(len, plays))):
        due = [
            actions[number] if number < len(actions) and not episode.done else None
            for actions, episode in zip(plays, batch.episodes, strict=False)
        ]
        results = batch.step([*due, *[None] * (len(others) + 1)])
        for place, action in enumerate(due):
            if action is not None:
                shown[place].append(results[place])
    for place, (seen, known) in enumerate(zip(shown, expected, strict=True)):
        assert len(seen) == len(known)
        for result, (observation, reward, info, digest) in zip(seen, known, strict=True):
            assert {**result.observation, "episode_id": ""} == observation
            assert (result.reward, result.info, result.refused) == (reward, info, None)
            assert batch.episodes[place].reference.digest == digest
    assert all(episode.grade is not None for episode in batch.episodes[: len(names)])


def test_incidents_that_a_batch_plays_are_not_made_again() -> None:
    names = [f"GEN2-AC-D{difficulty}-{seed}" for seed, difficulty in LISTED[: MOST_DRAWN_KEPT + 1]]
    catalogue = Catalogue()
    batch = Batch(catalogue)
    selections = [Selection(scenario_id=name) for name in names]
    batch.reset(selections)
    before = [episode.incident for episode in batch.episodes]
    assert all(catalogue.is_at_hand(name) for name in names)
    batch.reset(selections)
    assert all(one is other.incident for one, other in zip(before, batch.episodes, strict=True))
