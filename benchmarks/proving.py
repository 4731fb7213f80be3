"""How many draws of generator 2 are proved, why others are rejected, and how long that takes.

`scripts/prove [N [FIRST_SEED [DIFFICULTY [FILE]]]]`; with difficulty 0, or without one, they take turns.
Times decide nothing: a draw is proved or rejected by what its runs show.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.drawing import draw
from scenarios.generator.naming import DIFFICULTIES
from scenarios.proofs import Proof, Rejection, prove


class Outcome(NamedTuple):
    """What came of a draw, in so many seconds."""

    seed: int
    difficulty: int
    family: str
    found: Proof | Rejection
    seconds: float


def prove_draw(seed: int, difficulty: int) -> Outcome:
    """Draw an incident and prove it."""
    began = time.perf_counter()
    drawn = draw(seed, difficulty)
    found = prove(drawn.background, drawn.fault, difficulty)
    return Outcome(seed, difficulty, drawn.fault.family, found, time.perf_counter() - began)


def main(count: int = 20, first: int = 0, difficulty: int | None = None, file: str = "") -> None:
    """Prove draws, and print how it went."""
    levels = [difficulty or DIFFICULTIES[number % len(DIFFICULTIES)] for number in range(count)]
    outcomes = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcome in pool.map(prove_draw, range(first, first + count), levels):
            outcomes.append(outcome)
            print(_describe(outcome), flush=True)
    reasons = Counter("proved" if isinstance(outcome.found, Proof) else outcome.found.reason for outcome in outcomes)
    print(f"{count} draws: {', '.join(f'{number} {reason}' for reason, number in reasons.most_common())}")
    proved = [outcome for outcome in outcomes if isinstance(outcome.found, Proof)]
    for name, some in (("proved", proved), ("any", outcomes)):
        times = sorted(outcome.seconds for outcome in some) or [0.0]
        print(f"{name}: median {statistics.median(times):.1f} s, longest {times[-1]:.1f} s")
    sizes = [len(outcome.found.model_dump_json()) for outcome in proved if isinstance(outcome.found, Proof)]
    print(f"a proof has up to {max(sizes, default=0) / 1000:.1f} kB")
    if file:
        lines = [json.dumps(_dump(outcome)) for outcome in proved]
        Path(file).write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _describe(outcome: Outcome) -> str:
    found = outcome.found
    head = f"{outcome.seed} D{outcome.difficulty} {outcome.family:28} {outcome.seconds:6.1f} s "
    if isinstance(found, Rejection):
        return f"{head}{found.reason} {found.figures or ''}"
    repair = ", ".join(" ".join(deed) for deed in found.repairs[0])
    return (
        f"{head}proved: {found.severity}, {len(found.suspects)} rivals, {len(found.certificates[0])} looks, "
        f"{len(found.repairs)} repairs ({repair})"
    )


def _dump(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome.found, Proof)
    return {"seed": outcome.seed, "difficulty": outcome.difficulty, "proof": outcome.found.model_dump(mode="json")}


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else 20,
        int(given[1]) if len(given) > 1 else 0,
        int(given[2]) or None if len(given) > 2 else None,
        given[3] if len(given) > 3 else "",
    )
