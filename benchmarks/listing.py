"""Lists proofs in the package: those of at most 20 kB for each cause whose incidents can be played for every point.

`scripts/prove list FILE`. What is left out is printed: a repair that shows itself later than one `watch` after it.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.generator.naming import count_causes, region_of
from scenarios.proofs import Proof
from scenarios.running import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 20_000
"""Of a proof, for each cause that it is of."""
MOST_CALM = 0.05
"""The most of a split in which nothing is to be repaired, as a share of it."""


def main(file: str) -> None:
    """Write the list."""
    lines = sorted(Path(file).read_text("utf-8").splitlines(), key=_read_key)
    small = [line for line in lines if _is_small(line)]
    _write(small)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        scores = list(pool.map(_score_perfect_play, map(_read_key, small)))
    kept = []
    for line, (scenario_id, score) in zip(small, scores, strict=True):
        if score == 1.0:
            kept.append(line)
        else:
            print(f"{scenario_id} is left out: perfect play scores {score}")
    kept = list(_leave_out_calm(kept))
    _write(kept)
    print(f"{len(kept)} of {len(lines)} proofs are listed")


def _read_key(line: str) -> tuple[int, int]:
    written = json.loads(line)
    return written["seed"], written["difficulty"]


def _leave_out_calm(lines: list[str]) -> Iterator[str]:
    """All lines but those of incidents in which nothing is to be repaired that are too many for a split."""
    splits = Counter(region_of(_read_key(line)[0]) for line in lines)
    calm: Counter[str] = Counter()
    for line in lines:
        seed, difficulty = _read_key(line)
        split = region_of(seed)
        if json.loads(line)["proof"].get("calm"):
            if calm[split] + 1 > MOST_CALM * splits[split]:
                print(f"{seed, difficulty} is left out: nothing is to be repaired, and {split} has enough of those")
                continue
            calm[split] += 1
        yield line


def _is_small(line: str) -> bool:
    size, most = len(Proof.model_validate(json.loads(line)["proof"]).model_dump_json()), MOST_BYTES
    most *= count_causes(*_read_key(line))
    if size > most:
        print(f"{_read_key(line)} is left out: its proof has {size} bytes")
    return size <= most


def _write(lines: list[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    listed.FILE.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    listed.forget_file()


def _score_perfect_play(draw: tuple[int, int]) -> tuple[str, float | None]:
    """The task of a draw that perfect play scores least in, and its score."""
    seed, difficulty = draw
    scores: list[tuple[str, float | None]] = []
    for code in ("RCA", "RP") if count_causes(seed, difficulty) == 1 else ("RP",):
        scenario = Catalogue().get(f"GEN2-{code}-D{difficulty}-{seed}")
        episode = begin("e", Reference.to(scenario), scenario)
        for action in play_perfectly(scenario.incident, scenario.task):
            episode = step(episode, action).episode
        scores.append((scenario.id, None if episode.grade is None else episode.grade.score))
    return min(scores, key=lambda entry: entry[1] or 0.0)


if __name__ == "__main__":
    main(sys.argv[1])
