"""What agents earn that have learned who is guilty, and reason about nothing: `scripts/policies N FIRST learned`.

They are taught on incidents that are not listed. Each names the likeliest component, in the words of the likeliest
family there, and does what repaired that family in the train split. Two are given every diagnostic of every component
for nothing, which no agent sees, and do not look: one knows shapes (numbers of metrics, status, calls and changes), the
other words as well (of logs, names and changes). Two look at the metrics of the six components that are the likeliest
by their kind and by what the page says, or at their logs, and follow no call. Two more walk along failing calls, and
look at the metrics of the last two of them, or at their logs; of changes on the way they know more than that shows.
These investigate, and where they are right they have repaired it: so they are held against the honest searcher in both
tasks. Of N draws of each difficulty those outside the train split are played.
Ends with status 1 if one earns more than it may.
"""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.attackers.collecting import collect, see
from benchmarks.attackers.learning import make_learner
from benchmarks.attackers.matrix import build_matrix, list_rows
from benchmarks.attackers.reading import describe
from benchmarks.attackers.walking import add_places, walk
from benchmarks.policies.__main__ import choose_draws
from benchmarks.policies.case import Case, Policy, act, play
from benchmarks.policies.honest import READER, SEARCHER
from benchmarks.policies.sensible import carry_out_deed
from env_core.perfect import look_at
from scenarios.drawing import draw
from scenarios.faults import FAMILIES
from scenarios.generator.library import families
from scenarios.generator.naming import region_of
from scenarios.running import list_proved_for
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import (
    CHECK_DEPENDENCIES,
    CHECK_METRICS,
    QUERY_LOGS,
    REMEDIATION_PLANNING,
    ROOT_CAUSE_ANALYSIS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.attackers.collecting import Sighting
    from benchmarks.attackers.matrix import Matrix
    from benchmarks.attackers.reading import Groups
    from scenarios.incident import Item
    from scenarios.proofs.operating import Deed
    from scenarios.vocabulary import Action, TaskId

_TAUGHT, _FIRST_TAUGHT = 300, 170_000
"""Incidents that are learned from, from a seed on that no split has."""
_LONGEST_WALK, _LOOKED_INTO = 4, 2
"""Components that are walked along, and of how many of them, the last ones, more is looked at."""
_LIKELIEST = _LONGEST_WALK + _LOOKED_INTO
"""Components that are looked at by who follows no call."""
_FOLDS = 5
_TRAIN = "train"
_SHAPES = ("kind", "status", "metrics", "own calls", "change times", "places")
_SETS = {"shapes": _SHAPES, "words": (*_SHAPES, "names", "logs", "change kinds")}
_ON_THE_PAGE = ("kind", "names")
_ON_THE_WALK = ("own calls", "places")
_LOOKS_INTO = {"shapes": (CHECK_METRICS, ("metrics",)), "words": (QUERY_LOGS, ("names", "logs"))}
_OF_HONEST = 0.5
"""In the mean who looks may earn this share of what the searcher earns who takes logs first."""
_MOST = {ROOT_CAUSE_ANALYSIS.id: 0.30, REMEDIATION_PLANNING.id: 0.20}
"""What who has not looked may earn, and in remediation_planning who follows no call."""
_UNSEEN, _LIKELY, _WALKS = "has not looked", "looks at the likeliest", "walks along calls"


class Guess(NamedTuple):
    """What was learned of an incident: the likeliest component and family, what repairs that, and the looks for it."""

    component: str
    family: str
    repair: Deed | None
    looks: tuple[Item, ...]


def guess(draws: Sequence[tuple[int, int]]) -> dict[str, dict[tuple[int, int], Guess]]:
    """The guesses for some draws, by what was learned from."""
    taught = [seen for seen in collect(_TAUGHT, _FIRST_TAUGHT) if seen.alert]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tested = list(pool.map(_see, draws))
    seen = [*taught, *tested]
    told = [_describe(each) for each in seen]
    repairs = _learn_repairs()
    found = {}
    paths = [walk(each)[:_LONGEST_WALK] for each in seen]
    likeliest = _rank_likeliest(build_matrix(seen, told).pick(_ON_THE_PAGE), seen, len(taught))
    ways = {
        _LIKELY: [_Way((), tuple(names)) for names in likeliest],
        _WALKS: [_Way(tuple(path), tuple(path[-_LOOKED_INTO:])) for path in paths],
    }
    for title, groups in _SETS.items():
        look, known = _LOOKS_INTO[title]
        base = ("kind",) if title == "shapes" else _ON_THE_PAGE
        played = {_UNSEEN: (build_matrix(seen, told).pick(groups), [_Way((), ())] * len(seen))}
        for name, taken in ways.items():
            kept = [way.leave(of, base, known) for way, of in zip(taken, told, strict=True)]
            played[name] = build_matrix(seen, kept), taken
        for name, (matrix, taken) in played.items():
            guesses = _guess_each(matrix, seen, len(taught))
            found[f"learned {title}, {name}"] = {
                drawn: Guess(component, family, _aim(repairs.get(family), component), way.list_looks(look.name))
                for drawn, way, (component, family) in zip(draws, taken[len(taught) :], guesses, strict=True)
            }
    return found


class _Way(NamedTuple):
    """The components whose calls somebody has walked along, and those that were looked into."""

    walked: tuple[str, ...]
    looked_into: tuple[str, ...]

    def leave(self, told: dict[str, Groups], base: tuple[str, ...], known: tuple[str, ...]) -> dict[str, Groups]:
        """What is known of components after these looks."""
        kept = {name: (*base, *(_ON_THE_WALK if name in self.walked else ())) for name in told}
        kept |= {name: (*kept[name], *known) for name in self.looked_into}
        return {name: {group: groups[group] for group in dict.fromkeys(kept[name])} for name, groups in told.items()}

    def list_looks(self, look: str) -> tuple[Item, ...]:
        walked = ((CHECK_DEPENDENCIES.name, name) for name in self.walked)
        return (*walked, *((look, name) for name in self.looked_into))


def _rank_likeliest(matrix: Matrix, seen: Sequence[Sighting], taught: int) -> list[list[str]]:
    """The components of each incident that are the likeliest by little, by models that were not taught the incident."""
    known = matrix.incident < taught
    model = make_learner("boosting", len(matrix.names))
    chances = cross_val_predict(
        model,
        matrix.values[known],
        matrix.is_root[known],
        groups=matrix.incident[known],
        cv=GroupKFold(_FOLDS),
        method="predict_proba",
    )
    others = model.fit(matrix.values[known], matrix.is_root[known]).predict_proba(matrix.values[~known])
    chance = [*chances[:, 1].tolist(), *others[:, 1].tolist()]
    ranked = []
    for rows, each in zip(list_rows(matrix.incident), seen, strict=True):
        of = dict(zip(each.looks, chance[rows], strict=True))
        ranked.append(sorted(of, key=lambda name: -of[name])[:_LIKELIEST])
    return ranked


def _see(drawn: tuple[int, int]) -> Sighting:
    return see(draw(*drawn))


def _describe(seen: Sighting) -> dict[str, Groups]:
    told = describe(seen)
    add_places(seen, told)
    return told


def _guess_each(matrix: Matrix, seen: Sequence[Sighting], taught: int) -> list[tuple[str, str]]:
    """The likeliest root of each incident that is tested, and the likeliest family."""
    known = matrix.incident < taught
    model = make_learner("boosting", len(matrix.names)).fit(matrix.values[known], matrix.is_root[known])
    roots = known & (matrix.is_root == 1)
    kinds = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500))
    kinds.fit(matrix.values[roots], [each.family for each in seen[:taught]])
    found = []
    for rows, each in list(zip(list_rows(matrix.incident), seen, strict=True))[taught:]:
        values = matrix.values[rows]
        chances = dict(zip(each.looks, model.predict_proba(values)[:, 1].tolist(), strict=True))
        component = max(chances, key=lambda name: chances[name])
        family = kinds.predict(values[list(each.looks).index(component)][None, :])[0]
        found.append((component, str(family)))
    return found


def _learn_repairs() -> dict[str, str]:
    """The operation that most often repairs each family at its component, in the train split."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for drawn in filter(_is_taught, list_proved_for(ROOT_CAUSE_ANALYSIS.id)):
        fault = draw(*drawn).fault
        for repair in list_proofs()[drawn].proof.repairs:
            counted[fault.family].update(deed[0] for deed in repair if deed[1:] == (fault.component,))
    return {family: operations.most_common(1)[0][0] for family, operations in counted.items() if operations}


def _is_taught(drawn: tuple[int, int]) -> bool:
    return region_of(drawn[0]) == _TRAIN


def _aim(operation: str | None, component: str) -> Deed | None:
    return None if operation is None else (operation, component)


def _look(case: Case, guessed: Guess) -> Iterator[Action]:
    yield from map(look_at, guessed.looks)
    if case.scenario.task.asks_repair and guessed.repair is not None:
        yield carry_out_deed(case, guessed.repair)


def _answer(case: Case, guessed: Guess) -> Action:
    said = FAMILIES[guessed.family].answer or families()[guessed.family].words.answer
    if case.scenario.task.asks_repair:
        summary = f"The incident started in {guessed.component}: {said} It was repaired there, and users are served."
        return act("submit_resolution", summary=summary)
    return act("submit_root_cause", service=guessed.component, failure_mode=said)


def _play(entry: tuple[Case, dict[str, Guess]]) -> dict[str, float]:
    """The scores of the searchers and of those who have learned."""
    case, guesses = entry
    policies = [READER, SEARCHER]
    for name, guessed in guesses.items():
        moves, answer = partial(_look, guessed=guessed), partial(_answer, guessed=guessed)
        policies.append(Policy(name, (case.task_id,), moves, answer))
    scores = {}
    for policy in policies:
        scores[policy.name] = play(case, policy).grade.score
    return scores


def _find_most(name: str, task: TaskId, honest: float) -> float:
    """What somebody may earn in the mean, where the honest searcher earns so much."""
    if name in (READER.name, SEARCHER.name):
        return 1.0
    follows = name.endswith(_WALKS) or (name.endswith(_LIKELY) and task == ROOT_CAUSE_ANALYSIS.id)
    return _OF_HONEST * honest if follows else _MOST[task]


def main(count: int = 20, first: int = 0) -> int:
    """Teach, play, print, and return how many earn more than they may."""
    draws = [drawn for drawn in choose_draws(count, first) if not _is_taught(drawn)]
    guesses = guess(draws)
    wrong = 0
    for title, guessed in guesses.items():
        known = [(each, draw(*drawn).fault) for drawn, each in guessed.items()]
        roots = fmean(each.component == fault.component for each, fault in known)
        kinds = fmean(each.family == fault.family for each, fault in known)
        print(f"{title}: the root in {roots:.0%} of {len(draws)} draws, the family in {kinds:.0%}")
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for task in _MOST:
            entries = [(Case(task, *drawn), {name: of[drawn] for name, of in guesses.items()}) for drawn in draws]
            scores = list(pool.map(_play, entries))
            honest = fmean(each[READER.name] for each in scores)
            print(f"\n{task:34} {'n':>4} {'mean':>6} {'max':>6} {'may':>6}")
            for name in scores[0]:
                mine = [each[name] for each in scores]
                may = _find_most(name, task, honest)
                is_over = fmean(mine) > may
                wrong += is_over
                told = f"{name:34} {len(mine):4} {fmean(mine):6.3f} {max(mine):6.3f} {may:6.3f}"
                print(told + ("  TOO MUCH" if is_over else ""))
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:3])) else 0)
