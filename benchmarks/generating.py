"""What an incident costs: proved incidents a second on one core, and a reset of a fresh seed off the event loop.

Run with `python -m benchmarks.generating [COUNT]`: incidents per difficulty, 200 unless given. Rates are of processor
time, resets of the clock.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

from cloud_incident.garbage import collect_seldom
from env_core.selection import Selection
from env_core.service import EpisodeService
from scenarios.catalogue import Catalogue
from scenarios.generator.draw import generated
from scenarios.generator.naming import DIFFICULTIES

_TICK = 0.002
_FRESH = 10_000_000


def time_making(count: int) -> None:
    print("difficulty  incidents/s  median ms  p99 ms")
    generated(_FRESH - 1, 3, incident_id="warm", scenario_ids={})
    for difficulty in DIFFICULTIES:
        times = []
        for seed in range(_FRESH, _FRESH + count):
            start = time.process_time()
            generated(seed, difficulty, incident_id="made", scenario_ids={})
            times.append(time.process_time() - start)
        print(f"{difficulty:>10}  {count / sum(times):>11.0f}  {_format_times(times)}")


async def time_resets(count: int) -> None:
    """Fresh seeds over all difficulties, while a ticker watches how long the event loop is held up."""
    service = EpisodeService(Catalogue())
    await service.create(
        Selection(scenario_id="RP-001")
    )  # reads the curated incidents, as a server does when it starts
    collect_seldom()
    gaps: list[float] = []
    watching = asyncio.create_task(_watch(gaps))
    times = []
    for number in range(count):
        selection = Selection(task_id="root_cause_analysis", seed=2 * _FRESH + number, difficulty=1 + number % 5)
        start = time.perf_counter()
        episode = await service.create(selection)
        times.append(time.perf_counter() - start)
        await service.close(episode.id)
    watching.cancel()
    print(f"reset of a fresh seed, median and p99 in ms: {_format_times(times)}")
    print(f"event loop meanwhile, gaps between ticks of {1000 * _TICK:.0f} ms: {_format_times(gaps)}")


async def _watch(gaps: list[float]) -> None:
    while True:
        start = time.perf_counter()
        await asyncio.sleep(_TICK)
        gaps.append(time.perf_counter() - start)


def _format_times(times: list[float]) -> str:
    ordered = sorted(times)
    return f"{1000 * statistics.median(ordered):>9.1f}  {1000 * ordered[int(len(ordered) * 0.99)]:>6.1f}"


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    time_making(asked)
    asyncio.run(time_resets(2 * asked))
