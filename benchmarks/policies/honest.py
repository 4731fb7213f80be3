"""Honest play: the searcher of the proofs, who knows only what it has seen, and takes its time."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from benchmarks.policies.case import Policy, act
from env_core.perfect import answer_perfectly, look_at
from scenarios.drawing import draw
from scenarios.faults import FAMILIES
from scenarios.generator.library import families
from scenarios.proofs.certifying import find_left
from scenarios.proofs.rivals import NOTHING, find_unwell
from scenarios.proofs.searching import HASHED, LOGS_FIRST, Plan, Search, search_once
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS, TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.policies.case import Case
    from scenarios.incident import Item
    from scenarios.proofs.rivals import Suspect
    from scenarios.vocabulary import Action

BOTH = (ROOT_CAUSE_ANALYSIS.id, REMEDIATION_PLANNING.id)
_CLOSING_STEPS = 2
"""A look at the recovery, and the answer."""


def search_case(case: Case, plan: Plan) -> tuple[tuple[Item, ...], Suspect | None]:
    """The looks that a searcher has steps for, and whom it names: None is the truth.

    Where more than one suspect is left it names any of them, as its seed has it.
    """
    repair = case.proof.longest + _CLOSING_STEPS if TASKS[case.task_id].asks_repair else 1
    return _search(case.seed, case.difficulty, case.steps - repair, plan)


@lru_cache(maxsize=8)
def _search(seed: int, difficulty: int, most: int, plan: Plan) -> tuple[tuple[Item, ...], Suspect | None]:
    drawn, proof = draw(seed, difficulty), list_proofs()[seed, difficulty].proof
    background = drawn.background
    masks: dict[Item, int] = {}
    for item, mask in proof.masks.items():
        look, _, component = item.partition(" ")
        masks[look, component] = int(mask, 16)
    rule = next(each for each in background.alerts if each.name == proof.page)
    search = Search(
        background,
        rule,
        proof.suspects,
        masks,
        find_unwell(background, drawn.fault, proof.first_look),
        find_left(masks, len(proof.suspects)),
    )
    looks, left = search_once(search, seed, most, plan)
    others = [suspect for number, suspect in enumerate(proof.suspects) if left >> number & 1]
    return looks, [None, *others][seed % (len(others) + 1)]


def _look_and_repair(case: Case, plan: Plan) -> Iterator[Action]:
    looks, named = search_case(case, plan)
    for item in looks:
        yield look_at(item)
    if case.scenario.task.asks_repair and named is None:
        yield from case.rest


def _answer(case: Case, plan: Plan) -> Action:
    named = search_case(case, plan)[1]
    if named is None:
        return answer_perfectly(case.incident, case.scenario.task)
    component, family = named
    if named == NOTHING:
        component, said = case.alerted[0], "nothing is wrong, the rule misfires"
    else:
        said = FAMILIES[family].answer or families()[family].words.answer
    if case.scenario.task.asks_repair:
        return act("submit_resolution", summary=f"The incident started in {component}: {said}. Nothing was repaired.")
    return act("submit_root_cause", service=component, failure_mode=f"{component}: {said}")


def _play_perfectly(case: Case) -> Iterator[Action]:
    yield from case.perfect[:-1]


def answer_rightly(case: Case) -> Action:
    """The answer that a grader gives every point."""
    return case.perfect[-1]


PERFECT = Policy("perfect play", BOTH, _play_perfectly, answer_rightly)
READER, SEARCHER = (
    Policy(name, BOTH, partial(_look_and_repair, plan=plan), partial(_answer, plan=plan))
    for name, plan in (("searcher, logs first", LOGS_FIRST), ("honest searcher", HASHED))
)
HONEST = (PERFECT, READER, SEARCHER)
