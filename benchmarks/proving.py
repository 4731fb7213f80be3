"""How many draws of generator 2 are proved, why others are rejected, and how long that takes.

`scripts/prove [N [FIRST_SEED [DIFFICULTY [FILE]]]]`; with difficulty 0, or without one, they take turns. Proofs are
appended to the file as they come, and what is rejected to a file beside it, `FILE.rejected`: so a range can be proved
in pieces, and what stands in either is not tried again. Times decide nothing: a draw is proved or rejected by what its
runs show.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.drawing import draw
from scenarios.generator.naming import DIFFICULTIES
from scenarios.proofs import Proof, Rejection, prove


class Outcome(NamedTuple):
    """What came of a draw, in so many seconds of a core."""

    seed: int
    difficulty: int
    digest: str
    family: str
    found: Proof | Rejection
    seconds: float


def prove_draw(seed: int, difficulty: int) -> Outcome:
    """Draw an incident and prove it."""
    began = time.process_time()
    drawn = draw(seed, difficulty)
    found = prove(drawn.background, drawn.fault, difficulty, drawn.second)
    families = " + ".join(fault.family for fault in drawn.faults)
    return Outcome(seed, difficulty, drawn.digest, families, found, time.process_time() - began)


def main(count: int = 20, first: int = 0, difficulty: int | None = None, file: str = "") -> None:
    """Prove draws, and print how it went."""
    path = Path(file) if file else None
    rejected = Path(f"{file}.rejected") if file else None
    known = {draw for each in (path, rejected) if each for draw in read_known(each)}
    draws = [(first + n, difficulty or DIFFICULTIES[n % len(DIFFICULTIES)]) for n in range(count)]
    left = [each for each in draws if each not in known]
    if len(left) < count:
        print(f"{count - len(left)} of {count} draws were tried before, and are not tried again")
    outcomes = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for pending in as_completed([pool.submit(prove_draw, *each) for each in left]):
            outcome = pending.result()
            outcomes.append(outcome)
            print(_describe(outcome), flush=True)
            where = path if isinstance(outcome.found, Proof) else rejected
            if where:
                append_line(where, dump_outcome(outcome))
    reasons = Counter("proved" if isinstance(outcome.found, Proof) else outcome.found.reason for outcome in outcomes)
    print(f"{len(outcomes)} draws: {', '.join(f'{number} {reason}' for reason, number in reasons.most_common())}")
    proved = [outcome for outcome in outcomes if isinstance(outcome.found, Proof)]
    for name, some in (("proved", proved), ("any", outcomes)):
        times = sorted(outcome.seconds for outcome in some) or [0.0]
        print(f"{name}: median {statistics.median(times):.1f} s, longest {times[-1]:.1f} s")
    sizes = [len(outcome.found.model_dump_json()) for outcome in proved if isinstance(outcome.found, Proof)]
    print(f"a proof has up to {max(sizes, default=0) / 1000:.1f} kB")


def read_known(path: Path) -> set[tuple[int, int]]:
    """The draws in a file, by seed and difficulty. A last line that was cut off is none."""
    if not path.exists():
        return set()
    written = path.read_text("utf-8")
    whole = written[: written.rfind("\n") + 1]
    if whole != written:
        path.write_text(whole, "utf-8")
    return {(line["seed"], line["difficulty"]) for line in map(json.loads, whole.splitlines())}


def append_line(path: Path, line: dict[str, Any]) -> None:
    """Add a line to a file, so that whoever stops this later loses nothing of it."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(line)}\n")


def _describe(outcome: Outcome) -> str:
    found = outcome.found
    head = f"{outcome.seed} D{outcome.difficulty} {outcome.family:28} {outcome.seconds:6.1f} s "
    if isinstance(found, Rejection):
        return f"{head}{found.reason} {found.figures or ''}"
    repair = ", ".join(" ".join(deed) for deed in found.repairs[0]) if found.repairs else found.calm
    return (
        f"{head}proved: {found.severity}, {len(found.suspects)} rivals, {len(found.certificates[0])} looks, "
        f"{len(found.repairs)} repairs ({repair})"
    )


def dump_outcome(outcome: Outcome) -> dict[str, Any]:
    """The line that is written of a draw."""
    line: dict[str, Any] = {"seed": outcome.seed, "difficulty": outcome.difficulty}
    if isinstance(outcome.found, Rejection):
        return line | {"rejected": outcome.found.reason}
    return line | {"drawn": outcome.digest, "proof": outcome.found.model_dump(mode="json")}


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else 20,
        int(given[1]) if len(given) > 1 else 0,
        int(given[2]) or None if len(given) > 2 else None,
        given[3] if len(given) > 3 else "",
    )
