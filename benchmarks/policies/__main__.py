"""What policies earn on listed draws: `scripts/policies [N [FIRST [KIND [DIFFICULTIES [TASK]]]]]`.

N draws of each difficulty, or of those given (`135`), from the FIRST on (0), for each task or one; KIND is `cheats`,
`sensible` or `ladder`, the first two if not given, or a part of the names of cheats and detours, which then are played
on what they fit alone.
Ends with status 1 if a policy earns more than it may.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.constant_text import search_text
from benchmarks.listing import MOST_CALM
from benchmarks.policies.calm import CALM, CLAIMS, IDLE
from benchmarks.policies.case import Case, play
from benchmarks.policies.cheating import CHEATS
from benchmarks.policies.honest import HONEST, PERFECT, READER, SEARCHER
from benchmarks.policies.ladder import LADDER
from benchmarks.policies.sensible import BASE, SENSIBLE
from scenarios.generator.naming import DIFFICULTIES
from scenarios.running import list_proved_for
from scenarios.running.listed import list_calm
from scenarios.vocabulary import REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Collection

    from benchmarks.policies.case import Policy
    from graders.score import Grade
    from scenarios.incident import Truth
    from scenarios.vocabulary import TaskId

KINDS = {"cheats": CHEATS, "sensible": SENSIBLE, "ladder": LADDER}
_TASKS = (ROOT_CAUSE_ANALYSIS.id, REMEDIATION_PLANNING.id)


class Played(NamedTuple):
    """The scores of a case by policy, and what each lost by its steps, in so many seconds of a core."""

    case: Case
    scores: dict[str, float]
    by_steps: dict[str, float]
    seconds: float


def choose_draws(count: int, first: int, difficulties: Collection[int] = DIFFICULTIES) -> list[tuple[int, int]]:
    """So many listed draws of each of some difficulties, from a place on; something is to be repaired in all."""
    listed: dict[int, list[int]] = defaultdict(list)
    for seed, difficulty in set(list_proved_for(ROOT_CAUSE_ANALYSIS.id)) - list_calm():
        listed[difficulty].append(seed)
    chance = random.Random(0)  # noqa: S311 - the same order in every run, from all splits
    draws = []
    for difficulty in DIFFICULTIES:
        seeds = sorted(listed[difficulty])
        chance.shuffle(seeds)
        if difficulty in difficulties:
            draws += [(seed, difficulty) for seed in seeds[first : first + count]]
    return draws


def find_constant(draws: list[tuple[int, int]]) -> tuple[float, str]:
    """The text that says the failure modes of most draws, found with the lists open, and its share of the points."""
    truths: Counter[Truth] = Counter()
    for draw in draws:
        truths[Case(ROOT_CAUSE_ANALYSIS.id, *draw).incident.truth] += 1
    found = search_text(truths, random.Random("constant"))  # noqa: S311 - a seeded search
    return found.share, found.text


def choose_policies(kind: str) -> tuple[Policy, ...]:
    """Honest play, and the policies of a kind, or of both if it is empty; or those with a word in their name."""
    if kind and kind not in KINDS:
        named = [policy for policy in (*CHEATS, *SENSIBLE) if kind in policy.name and policy is not BASE]
        if not named:
            raise SystemExit(f"no policy is called {kind!r}; kinds are {', '.join(KINDS)}")
        return SEARCHER, BASE, *named
    return (*HONEST, *(KINDS[kind] if kind else (*CHEATS, *SENSIBLE)))


def play_case(case: Case, kind: str) -> Played:
    """Play all policies of a kind and of its task that fit a case."""
    began = time.process_time()
    scores, by_steps = {}, {}
    policies = choose_policies(kind)
    if case.is_calm:
        policies = CALM if set(policies) & {*CHEATS, *SENSIBLE} else (*HONEST, *policies)
    fitting = [policy for policy in policies if case.task_id in policy.tasks and policy.fits(case)]
    for policy in fitting if set(fitting) - {SEARCHER, BASE} else ():
        steps, grade = play(case, policy)
        scores[policy.name] = grade.score
        by_steps[policy.name] = _lose_by_steps(case, steps, grade)
    # What was opened of the case stays in this process.
    return Played(Case(case.task_id, case.seed, case.difficulty), scores, by_steps, time.process_time() - began)


def _lose_by_steps(case: Case, steps: int, grade: Grade) -> float:
    """The points that somebody would have had besides who had done the same in few steps."""
    pace = case.incident.pace(case.scenario.task)
    share = max(0.0, 1 - max(0, steps - pace.free) / pace.decay)
    points = float(sum(point.points for point in grade.breakdown if point.name == "efficiency"))
    return points / share - points if share else 0.0


def main(
    count: int = 8,
    first: int = 0,
    kind: str = "",
    difficulties: Collection[int] = DIFFICULTIES,
    tasks: Collection[TaskId] = _TASKS,
) -> int:
    """Play, print tables, and return how many policies earned more or less than they should."""
    policies = choose_policies(kind)
    draws = choose_draws(count, first, difficulties)
    share, text = find_constant(draws) if set(policies) & {*CHEATS} else (0.0, "")
    print(f"{len(draws)} listed draws")
    if text:
        print(f"The best constant text earns {share:.0%} of the failure mode: {text!r}")
    played = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        cases = [Case(task, *draw, text) for draw in draws for task in tasks]
        if REMEDIATION_PLANNING.id in tasks:
            cases += [Case(REMEDIATION_PLANNING.id, *draw, text) for draw in sorted(list_calm())]
        for pending in as_completed([pool.submit(play_case, case, kind) for case in cases]):
            played.append(pending.result())
            told = played[-1]
            print(f"  {told.case.task_id} D{told.case.difficulty} {told.case.seed}: {told.seconds:.0f} s", flush=True)
    wrong = 0
    for task in tasks:
        mine = [each for each in played if each.case.task_id == task and not each.case.is_calm]
        wrong += _print_table(task, mine, policies)
        if kind == "ladder":
            wrong += _print_rungs(mine)
    return wrong + _print_calm(played, policies)


def _print_table(task: TaskId, played: list[Played], policies: tuple[Policy, ...]) -> int:
    wrong = 0
    print(
        f"\n{task:34} {'n':>4} {'mean':>6} {'max':>6} {'may':>6}  " + "  ".join(f"D{each}   " for each in DIFFICULTIES)
    )
    played = [each for each in played if each.scores]
    honest = fmean(each.scores[SEARCHER.name] for each in played) if played else 0.0
    for policy in policies:
        mine = [each for each in played if policy.name in each.scores]
        if not mine:
            continue
        scores = [each.scores[policy.name] for each in mine]
        most = policy.most if policy.of_honest is None else policy.of_honest * honest
        by_difficulty = [
            [each.scores[policy.name] for each in mine if each.case.difficulty == difficulty]
            for difficulty in DIFFICULTIES
        ]
        told = "  ".join(f"{fmean(some):.3f}" if some else "  –  " for some in by_difficulty)
        is_over = fmean(scores) > most
        print(
            f"{policy.name:34} {len(scores):4} {fmean(scores):6.3f} {max(scores):6.3f} {most:6.3f}  {told}"
            + ("  TOO MUCH" if is_over else "")
        )
        wrong += is_over
        if policy in SENSIBLE and policy is not BASE:
            wrong += _print_losses(policy, mine)
    return wrong


def _print_calm(played: list[Played], policies: tuple[Policy, ...]) -> int:
    """Print apart what is earned where nothing is to be repaired, and what it gains to say so always."""
    calm = [each for each in played if each.case.is_calm]
    if not calm:
        return 0
    shown = CALM if set(policies) & {*CHEATS, *SENSIBLE} else policies
    wrong = _print_table(f"{REMEDIATION_PLANNING.id}, calm", calm, shown)
    names = (CLAIMS.name, IDLE.name)
    usual = [each for each in played if each.case.task_id == REMEDIATION_PLANNING.id and not each.case.is_calm]
    if usual and all(name in each.scores for each in (*usual, *calm) for name in names):
        means = [[fmean(each.scores[name] for each in some) for name in names] for some in (usual, calm)]
        claimed, idle = ((1 - MOST_CALM) * often + MOST_CALM * seldom for often, seldom in zip(*means, strict=True))
        print(f"    where {MOST_CALM:.0%} are calm, who always claims it has {claimed:.4f}, who boasts {idle:.4f}")
    return wrong


def _print_rungs(played: list[Played]) -> int:
    """Print at which difficulties somebody earns as much as who stands higher, and what the first loses by steps."""
    wrong = 0
    rungs = [policy.name for policy in (PERFECT, READER, *LADDER)]
    for difficulty in DIFFICULTIES:
        mine = [each for each in played if each.case.difficulty == difficulty]
        if not mine:
            continue
        means = [fmean(each.scores[name] for each in mine) for name in rungs]
        for upper, lower in pairwise(range(len(rungs))):
            if means[upper] <= means[lower] < 1.0:
                print(f"    difficulty {difficulty}: {rungs[lower]} earns as much as {rungs[upper]}")
                wrong += 1
        first = LADDER[0].name
        lost = fmean(1 - each.scores[first] for each in mine)
        share = fmean(each.by_steps[first] for each in mine) / lost if lost else 0.0
        print(f"    difficulty {difficulty}: steps are {share:.0%} of what the {first} loses")
    return wrong


def _print_losses(policy: Policy, played: list[Played]) -> int:
    """Print the cases in which a sensible detour earns less than a look that is taken twice."""
    worse = [each for each in played if each.scores[policy.name] < each.scores[BASE.name] - 1e-9]
    for each in worse:
        mine, base = each.scores[policy.name], each.scores[BASE.name]
        print(f"    seed {each.case.seed}, difficulty {each.case.difficulty}: {mine:.3f} for {base:.3f}")
    return bool(worse)


if __name__ == "__main__":
    given = [*sys.argv[1:], *("8", "0", "", "12345")[len(sys.argv) - 1 :]]
    asked = [task for task in _TASKS if task in given[4:]] or _TASKS
    if unknown := set(given[4:]) - set(_TASKS):
        raise SystemExit(f"no such task: {', '.join(unknown)}; there are {', '.join(_TASKS)}")
    sys.exit(1 if main(int(given[0]), int(given[1]), given[2], {*map(int, given[3])}, asked) else 0)
