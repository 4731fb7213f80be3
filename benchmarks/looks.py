"""How long it takes to render what a diagnostic shows of a running system.

Run with `python -m benchmarks.looks`. Every diagnostic of every component of a system that comes with the package is
rendered, 32 minutes in, and a search of the whole log window beside it; rounds are interleaved, so that what else the
machine does meets all of them alike. Milliseconds of CPU on one core. A look shall take 3 ms, a search 15.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from scenarios.telemetry import look
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.world import Run, load_system

if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM = "analytics-export"
SECONDS = 1920
ROUNDS = 15


def render(run: Run, diagnostic: str, component: str, contains: str = "") -> str:
    """The text of a look."""
    return look(run, diagnostic, component, contains=contains).text


def list_looks(run: Run) -> dict[tuple[str, str], Callable[[], object]]:
    """What is measured: by what it is, and of which component."""
    looks: dict[tuple[str, str], Callable[[], object]] = {}
    for component in run.layout.component_names:
        for name in DIAGNOSTICS:
            looks[name, component] = partial(render, run, name, component)
        looks["contains", component] = partial(render, run, "query_logs", component, "7a")
    return looks


def measure(looks: dict[tuple[str, str], Callable[[], object]], rounds: int) -> dict[tuple[str, str], list[float]]:
    """Milliseconds of CPU of each look, sorted."""
    taken: dict[tuple[str, str], list[float]] = {key: [] for key in looks}
    for _ in range(rounds):
        for key, show in looks.items():
            began = time.process_time()
            show()
            taken[key].append(1000.0 * (time.process_time() - began))
    return {key: sorted(times) for key, times in taken.items()}


def main() -> None:
    """Print the median and the ninth decile of each kind of look, and the component with the slowest median."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    run = Run(load_system(SYSTEM))
    run.advance(SECONDS)
    looks = list_looks(run)
    measure(looks, 2)
    taken = measure(looks, rounds)
    print(f"{'look':<24}{'median':>8}{'p90':>8}   slowest")
    for kind in [*DIAGNOSTICS, "contains"]:
        of_kind = {component: times for (name, component), times in taken.items() if name == kind}
        all_times = sorted(value for times in of_kind.values() for value in times)
        slowest = max(of_kind, key=lambda component: of_kind[component][rounds // 2])
        print(
            f"{kind:<24}{all_times[len(all_times) // 2]:>8.2f}{all_times[len(all_times) * 9 // 10]:>8.2f}"
            f"   {slowest} {of_kind[slowest][rounds // 2]:.2f}"
        )


if __name__ == "__main__":
    main()
