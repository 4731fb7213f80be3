"""Whether drawn incidents keep the laws of systems that run, under honest, random and hostile play.

`python -m benchmarks.lawful [N [FIRST_SEED]]`, which `scripts/laws-check` does. Without a seed they are listed ones,
from all splits in turn; with one they are fresh, and difficulties take turns. That the bytes are the same everywhere is
checked by `cloud-incident audit`.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import zip_longest
from typing import NamedTuple

from scenarios.catalogue import Catalogue
from scenarios.generator.naming import DIFFICULTIES, RUNNING_VERSION, region_of
from scenarios.laws import LAWS, Subject, find_breaches
from scenarios.running import list_proved
from scenarios.running.incident import RunningIncident
from scenarios.vocabulary import ROOT_CAUSE_ANALYSIS

CHECKED = tuple(law for law in LAWS if law not in ("bytes", "return"))


class Judged(NamedTuple):
    """What was found of an incident, law by law, in so many seconds of a core."""

    name: str
    found: dict[str, list[str]]
    seconds: float


def judge(seed: int, difficulty: int) -> Judged:
    """Play an incident in three ways and check every law."""
    began = time.process_time()
    scenario = Catalogue().get_generated(ROOT_CAUSE_ANALYSIS.id, seed, difficulty, RUNNING_VERSION)
    if not isinstance(scenario.incident, RunningIncident):
        raise TypeError(f"{scenario.id} does not run")
    found = find_breaches(Subject.of_incident(scenario.incident), CHECKED)
    return Judged(scenario.id, found, time.process_time() - began)


def choose_draws(count: int, first: int | None) -> list[tuple[int, int]]:
    """So many draws, by seed and difficulty: fresh ones from a seed on, or listed ones."""
    if first is not None:
        return [(first + number, DIFFICULTIES[number % len(DIFFICULTIES)]) for number in range(count)]
    of_split: dict[str, list[tuple[int, int]]] = {}
    for seed, difficulty in list_proved():
        of_split.setdefault(region_of(seed), []).append((seed, difficulty))
    turns = zip_longest(*of_split.values())
    return [draw for turn in turns for draw in turn if draw is not None][:count]


def main(count: int = 20, first: int | None = None) -> int:
    """Check incidents, print what breaks a law, and return how many do."""
    broken: Counter[str] = Counter()
    bad = 0
    draws = choose_draws(count, first)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for pending in as_completed([pool.submit(judge, *each) for each in draws]):
            judged = pending.result()
            texts = [f"  {law}: {text}" for law, found in judged.found.items() for text in found]
            broken.update(law for law, found in judged.found.items() if found)
            bad += bool(texts)
            print(f"{judged.name}: {len(texts) or 'no'} findings, {judged.seconds:.1f} s", *texts, sep="\n", flush=True)
    told = ", ".join(f"{law} {broken[law]}" for law in CHECKED)
    print(f"{len(draws)} incidents, {bad} of which break a law. Incidents by law: {told}.")
    return bad


if __name__ == "__main__":
    sys.exit(1 if main(*map(int, sys.argv[1:3])) else 0)
