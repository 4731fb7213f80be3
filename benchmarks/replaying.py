"""Plays proved draws as episodes: perfect play in both tasks, and every other accepted repair. Each is to score 1.00.

`scripts/prove replay [N]` plays the listed draws, or N of them.
`scripts/prove fresh N [FIRST_SEED [DIFFICULTY [FILE]]]` proves draws from a seed on, until N are proved, and plays each
at once without listing it; with difficulty 0, or without one, they take turns. Proofs are appended to the file as they
come (`fresh.jsonl`), what is rejected to `FILE.rejected`, and scores to `FILE.played`: what stands there is not done
again. This is one process; others may take ranges and files of their own. Ends with status 1 if a play scores less.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.policies.case import Case
from benchmarks.proving import append_line, dump_outcome, prove_draw, read_known
from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.drawing import draw
from scenarios.generator.naming import DIFFICULTIES, count_causes
from scenarios.proofs import Rejection
from scenarios.running.listed import know_beside, list_proofs, read_line
from scenarios.running.planning import plan_deed
from scenarios.vocabulary import REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenarios.proofs.repairs import Deeds

_NEVER_PROVED = frozenset(
    {
        "database-connections-taken",
        "disk-full",
        "packet-loss",
        "producer-flood",
        "revoked-grant",
        "route-withdrawal",
        "synthetic-check-failure",
        "third-party-outage",
        "third-party-rate-limit",
        "zone-delay",
    }
)
"""Families of which no draw was proved in many tries, each of which costs some 10 s: fresh ones are not tried."""
Scores = dict[str, float]
"""The score of each play by what it is."""


def play_case(seed: int, difficulty: int) -> Scores:
    """Play a draw whose proof is known in every way that is to score everything."""
    case = Case(REMEDIATION_PLANNING.id, seed, difficulty)
    scores = {"perfect, repair": _play(case)}
    if count_causes(seed, difficulty) == 1:
        scores = {"perfect, root cause": _play(Case(ROOT_CAUSE_ANALYSIS.id, seed, difficulty)), **scores}
    for repair in case.proof.repairs[1:]:
        scores[", ".join(" ".join(deed) for deed in repair)] = _play(case, repair)
    return scores


def _play(case: Case, repair: Deeds = ()) -> float:
    scenario = case.scenario
    episode = begin("replay", Reference.to(scenario), scenario)
    steps = [plan_deed(case.incident.system, deed) for deed in repair]
    for action in play_perfectly(scenario.incident, scenario.task, steps):
        episode = step(episode, action).episode
        if episode.done:
            break
    return 0.0 if episode.grade is None else episode.grade.score


def replay(most: int | None = None) -> Iterator[Scores]:
    """Play the listed draws, or as many of them."""
    for seed, difficulty in list(list_proofs())[:most]:
        yield _tell(seed, difficulty, "listed")


def play_fresh(wanted: int, first: int, difficulty: int, path: Path) -> Iterator[Scores]:
    """Prove draws until as many as are wanted are proved, those of the file among them, and play them."""
    rejected, played = (Path(f"{path}.{name}") for name in ("rejected", "played"))
    tried = read_known(rejected) | read_known(path)
    scored = _read_scores(played)
    lines = dict(map(read_line, path.read_text("utf-8").splitlines())) if path.exists() else {}
    draws = ((first + n, difficulty or DIFFICULTIES[n % len(DIFFICULTIES)]) for n in count())
    for key, listed in lines.items():
        if key in scored:
            yield scored[key]
            continue
        with know_beside({key: listed}):
            yield _keep(played, key, _tell(*key, "proved before"))
    proved = len(lines)
    while proved < wanted:
        key = next(draws)
        if key in tried or key in list_proofs() or not _NEVER_PROVED.isdisjoint(_list_families(*key)):
            continue
        outcome = prove_draw(*key)
        line, told = dump_outcome(outcome), f"{outcome.family}, {outcome.seconds:.0f} s"
        if isinstance(outcome.found, Rejection):
            append_line(rejected, line)
            print(f"{key[0]} D{key[1]} {told}: {outcome.found.reason}", flush=True)
            continue
        append_line(path, line)
        proved += 1
        with know_beside(dict([read_line(json.dumps(line))])):
            yield _keep(played, key, _tell(*key, told))


def _list_families(seed: int, difficulty: int) -> list[str]:
    return [fault.family for fault in draw(seed, difficulty).faults]


def _read_scores(path: Path) -> dict[tuple[int, int], Scores]:
    read_known(path)  # which cuts off a last line that is not whole
    lines = map(json.loads, path.read_text("utf-8").splitlines() if path.exists() else ())
    return {(line["seed"], line["difficulty"]): line["scores"] for line in lines}


def _keep(path: Path, key: tuple[int, int], scores: Scores) -> Scores:
    append_line(path, {"seed": key[0], "difficulty": key[1], "scores": scores})
    return scores


def _tell(seed: int, difficulty: int, told: str) -> Scores:
    began = time.process_time()
    scores = play_case(seed, difficulty)
    less = "; ".join(f"{name} scores {score}" for name, score in scores.items() if score != 1.0)
    seconds = time.process_time() - began
    print(f"{seed} D{difficulty} {told}: {len(scores)} plays, {seconds:.0f} s{less and f'; BELOW: {less}'}", flush=True)
    return scores


def main(given: Sequence[str]) -> int:
    """Play, say how many plays scored everything, and return how many did not."""
    what, *rest = given
    if what == "replay":
        played = replay(int(rest[0]) if rest else None)
    else:
        wanted, first, difficulty, file = [*rest, *("0", "0", "0", "fresh.jsonl")[len(rest) :]]
        played = play_fresh(int(wanted), int(first), int(difficulty), Path(file))
    scores = [score for each in played for score in each.values()]
    full = sum(score == 1.0 for score in scores)
    print(f"{full} of {len(scores)} plays scored 1.00")
    return len(scores) - full


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
