"""Two agents, or two runs, on the same problems: paired episodes, their difference and how easily chance makes it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import compress
from math import fsum
from typing import TYPE_CHECKING

from cloud_incident.evaluation.grouping import by_agent, grouped, ordered, task_order
from cloud_incident.evaluation.intervals import RESAMPLES, Estimate, estimates, mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloud_incident.evaluation.trajectory import Trajectory

    Pair = tuple[Trajectory, Trajectory]
    Problem = tuple[str, str, int, int]

FLIPS = 10_000
EXACT_PAIRS = 14
"""Up to so many pairs that differ, every one of the 2^n ways to flip them is counted."""

_TOLERANCE = 1e-9
_BITS = bytes.maketrans(b"01", b"\0\1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioDifference:
    """Mean scores on one scenario, and the second's less the first's."""

    task_id: str
    scenario_id: str
    first: float
    second: float
    difference: float
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The second's scores less the first's over pairs of episodes on the same task, scenario, seed and repeat.

    `wins`, `ties` and `losses` are the second's. `p_value` is that of a sign-flip permutation test: how often a mean
    difference at least as great comes about when in every pair chance decides which is which; `exact` if all ways were
    counted. `scenarios` differ most first. `only_first` and `only_second` name episodes without a partner, `changed`
    scenarios whose content or rules were not the same in both, so that their scores are not of the same thing.
    """

    first: str
    second: str
    pairs: int
    first_mean: float
    second_mean: float
    difference: Estimate
    tasks: dict[str, Estimate]
    p_value: float
    exact: bool
    wins: int
    ties: int
    losses: int
    scenarios: tuple[ScenarioDifference, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Two runs, agent by agent; `only_first` and `only_second` are agents that only one of them has."""

    comparisons: tuple[Comparison, ...]
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()


def compare(
    first: Iterable[Trajectory],
    second: Iterable[Trajectory],
    *,
    names: tuple[str, str] = ("first", "second"),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare the episodes of one agent with those of another, or of the same one in another run.

    Raises:
        ValueError: if no two episodes are of the same problem, or two on one side are.
    """
    ours, theirs = _by_problem(first, names[0]), _by_problem(second, names[1])
    shared = [problem for problem in ours if problem in theirs]
    if not shared:
        raise ValueError(f"{names[0]} and {names[1]} have no episode of the same task, scenario, seed and repeat.")
    pairs = [(ours[problem], theirs[problem]) for problem in shared]
    scenarios = {task_id: grouped(ones, _scenario) for task_id, ones in _by_task(pairs).items()}
    differences = {
        task_id: {name: [_difference(pair) for pair in ones] for name, ones in of_task.items()}
        for task_id, of_task in scenarios.items()
    }
    found = estimates(differences, seed, resamples)
    every = [one for of_task in differences.values() for one in of_task.values()]
    p_value, exact = sign_flip([value / len(ones) / len(every) for ones in every for value in ones], seed)
    by_scenario = [_on_scenario(ones) for of_task in scenarios.values() for ones in of_task.values()]
    return Comparison(
        first=names[0],
        second=names[1],
        pairs=len(pairs),
        first_mean=mean([one.first for one in by_scenario]),
        second_mean=mean([one.second for one in by_scenario]),
        difference=found.overall,
        tasks=found.tasks,
        p_value=p_value,
        exact=exact,
        wins=sum(_difference(pair) > 0 for pair in pairs),
        ties=sum(_difference(pair) == 0 for pair in pairs),
        losses=sum(_difference(pair) < 0 for pair in pairs),
        scenarios=tuple(sorted(by_scenario, key=lambda one: (-abs(one.difference), one.task_id, one.scenario_id))),
        only_first=tuple(_name(problem) for problem in ours if problem not in theirs),
        only_second=tuple(_name(problem) for problem in theirs if problem not in ours),
        changed=tuple(dict.fromkeys(pair[0]["scenario_id"] for pair in pairs if _changed(pair))),
    )


def compare_agents(
    trajectories: Iterable[Trajectory], first: str, second: str, *, seed: int = 0, resamples: int = RESAMPLES
) -> Comparison:
    """Compare two agents of one run.

    Raises:
        ValueError: if one is not in the run, or they share no problem.
    """
    agents = by_agent(trajectories)
    for name in (first, second):
        if name not in agents:
            raise ValueError(f"There is no agent {name!r}; there are {', '.join(agents)}.")
    return compare(agents[first], agents[second], names=(first, second), seed=seed, resamples=resamples)


def compare_runs(
    first: Iterable[Trajectory],
    second: Iterable[Trajectory],
    *,
    names: tuple[str, str] = ("first run", "second run"),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> RunComparison:
    """Compare two runs agent by agent; runs of one agent each are compared whatever the agents are called.

    Raises:
        ValueError: if they have no agent in common, or share no problem.
    """
    ours, theirs = by_agent(first), by_agent(second)
    if len(ours) == len(theirs) == 1:
        ((our_agent, our_ones),) = ours.items()
        ((their_agent, their_ones),) = theirs.items()
        named = (f"{our_agent} ({names[0]})", f"{their_agent} ({names[1]})")
        return RunComparison(comparisons=(compare(our_ones, their_ones, names=named, seed=seed, resamples=resamples),))
    common = [agent for agent in ours if agent in theirs]
    if not common:
        raise ValueError(f"No agent is in both runs: {', '.join(ours)}; {', '.join(theirs)}.")
    return RunComparison(
        comparisons=tuple(
            compare(
                ours[agent],
                theirs[agent],
                names=(f"{agent} ({names[0]})", f"{agent} ({names[1]})"),
                seed=seed,
                resamples=resamples,
            )
            for agent in common
        ),
        only_first=tuple(agent for agent in ours if agent not in theirs),
        only_second=tuple(agent for agent in theirs if agent not in ours),
    )


def sign_flip(differences: Sequence[float], seed: int = 0) -> tuple[float, bool]:
    """The two-sided p-value of a sum of differences under random signs, and whether it is exact.

    Greater than 0.0 and at most 1.0; 1.0 if nothing differs.
    """
    telling = [one for one in differences if one != 0]
    observed = abs(fsum(telling)) - _TOLERANCE
    if len(telling) <= EXACT_PAIRS:
        sums = [0.0]
        for one in telling:
            sums = [total + signed for total in sums for signed in (one, -one)]
        return sum(abs(total) >= observed for total in sums) / len(sums), True
    chance = random.Random(f"{seed}")  # noqa: S311 - the same seed gives the same p-value
    width, whole = len(telling), fsum(telling)
    doubled = [2 * one for one in telling]
    hits = 0
    for _ in range(FLIPS):
        # The binary digits of one random number say which differences change sign; that is many times faster than
        # drawing them one by one.
        flipped = f"{chance.getrandbits(width):0{width}b}".encode().translate(_BITS)
        hits += abs(whole - sum(compress(doubled, flipped))) >= observed
    return (hits + 1) / (FLIPS + 1), False


def _by_problem(trajectories: Iterable[Trajectory], name: str) -> dict[Problem, Trajectory]:
    problems: dict[Problem, Trajectory] = {}
    for one in sorted(ordered(trajectories), key=_problem_order):
        problem = (one["task_id"], one["scenario_id"], one["seed"], one["repeat"])
        if problem in problems:
            raise ValueError(f"{name} has more than one episode of {_name(problem)}; compare one agent at a time.")
        problems[problem] = one
    return problems


def _problem_order(one: Trajectory) -> tuple[tuple[int, str], str, int, int]:
    return (task_order(one["task_id"]), one["scenario_id"], one["seed"], one["repeat"])


def _by_task(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    return grouped(pairs, lambda pair: pair[0]["task_id"])


def _scenario(pair: Pair) -> str:
    return pair[0]["scenario_id"]


def _difference(pair: Pair) -> float:
    return pair[1]["score"] - pair[0]["score"]


def _on_scenario(pairs: Sequence[Pair]) -> ScenarioDifference:
    return ScenarioDifference(
        task_id=pairs[0][0]["task_id"],
        scenario_id=pairs[0][0]["scenario_id"],
        first=mean([pair[0]["score"] for pair in pairs]),
        second=mean([pair[1]["score"] for pair in pairs]),
        difference=mean([_difference(pair) for pair in pairs]),
        pairs=len(pairs),
    )


def _changed(pair: Pair) -> bool:
    ours, theirs = pair[0]["reference"], pair[1]["reference"]
    return (ours["digest"], ours["rules"]) != (theirs["digest"], theirs["rules"])


def _name(problem: Problem) -> str:
    _, scenario_id, seed, repeat = problem
    return f"{scenario_id} seed {seed} repeat {repeat}"
