"""What a simulated minute costs: of a large system alone and in batches, and of the shipped one.

Run with `scripts/benchmark`, or `python -m benchmarks.world`. Costs are CPU time of this process on one core; the rows
are measured in rounds that alternate, so that they can be compared when the machine's speed drifts.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import scenarios
from benchmarks.speed import SpeedRow, print_rows
from scenarios.world import Call, Component, Journey, Route, Run, System

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPONENTS = 36
CALLS = 90
ROUNDS = 15
SHIPPED = Path(scenarios.__file__).parent / "world" / "systems" / "analytics-export.yaml"


def build_system(seed: int) -> System:
    """A system of `COMPONENTS` and `CALLS`, in layers, half of its calls with retries."""
    kinds = ("go-service", "jvm-service", "go-service", "envoy", "jvm-service", "postgres")
    components = tuple(
        Component(
            name=f"c{place}",
            software=kinds[place % len(kinds)],
            instances=1 + place % 4,
            routes=(Route(name="a", work=0.01, cpu=0.002), Route(name="b", work=0.004, cpu=0.001)),
        )
        for place in range(COMPONENTS)
    )
    calls = []
    for number in range(CALLS):
        source = number % (COMPONENTS - 8)
        target = source + 1 + (number * 7 + source) % min(8, COMPONENTS - 1 - source)
        calls.append(
            Call(
                source=f"c{source}/{'ab'[number % 2]}",
                target=f"c{target}/{'ab'[number // 2 % 2]}",
                weight=0.4,
                deadline=2,
                attempts=1 + number % 2,
                pool=50,
            )
        )
    journeys = tuple(Journey(name=f"j{n}", entry=f"c{n}/a", demand=20 + n, deadline=3) for n in range(4))
    return System(name="large", components=components, calls=tuple(calls), journeys=journeys, seed=seed)


def _pass_minute(run: Run) -> float:
    """Milliseconds of CPU for a minute."""
    began = time.process_time()
    run.advance(60)
    return (time.process_time() - began) * 1e3


def measure() -> Iterator[SpeedRow]:
    """Every row of the table."""
    large = f"{COMPONENTS} components, {CALLS} calls"
    rows = [(f"a minute of {large}, alone", 1, Run(build_system(0)), "≤ 8 ms")]
    rows += [
        (f"a minute of {large}, each in a batch of {size}", size, Run(*map(build_system, range(size))), "")
        for size in (16, 64)
    ]
    rows.append(("a minute of analytics-export, alone", 1, Run(System.load(SHIPPED)), ""))
    costs: list[list[float]] = [[] for _ in rows]
    for run in (run for _, _, run, _ in rows):
        run.advance(120)
    for _ in range(ROUNDS):
        for (_, size, run, _), spent in zip(rows, costs, strict=True):
            spent.append(_pass_minute(run) / size)
    for (what, _, _, limit), spent in zip(rows, costs, strict=True):
        yield SpeedRow(what, f"{statistics.median(spent):.2f} ms", "", limit)


def main() -> None:
    """Measure and print."""
    print_rows(list(measure()))


if __name__ == "__main__":
    main()
