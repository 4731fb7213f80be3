"""What drawn incidents cost that run: a minute, a look, an operation, a reset, an idle episode, a batch.

Run with `scripts/benchmark`, or `python -m benchmarks.played`. Milliseconds of CPU of this process on one core. Rounds
are interleaved, each on a listed draw of its own, so that what else the machine does meets all rows alike.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.speed import SpeedRow, print_rows
from env_core.batch import Batch
from env_core.episode import begin
from env_core.perfect import play_perfectly
from env_core.reference import Reference
from env_core.selection import Selection
from env_core.service import EpisodeService
from env_core.transition import step
from scenarios.catalogue import Catalogue
from scenarios.drawing import draw
from scenarios.parsing import parse_action
from scenarios.progress import Remedy
from scenarios.running import list_proved_for
from scenarios.running.incident import RunningCourse
from scenarios.running.listed import list_calm, list_proofs
from scenarios.telemetry import look
from scenarios.vocabulary import DIAGNOSTICS, QUERY_LOGS, REMEDIATIONS, ROOT_CAUSE_ANALYSIS
from scenarios.world import Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from env_core.episode import Episode

ROUNDS = 8
JUDGED = 100
PLAYED_AT_ONCE = 8
_NAP = 0.001
BATCH = 256
WORLDS = 64
FRESH = 880_000
"""The first seed of those that are not listed."""
_LOOKED_UP = "a remediation that the proof judges, as a step"
_SIMULATED = "a remediation that is judged by running on, as a step"
_GRADED = "a submission, graded"
_LIMITS = {
    _LOOKED_UP: "≤ 20 ms",
    "a simulated minute, alone": "≤ 8 ms",
    "a look, rendered": "≤ 3 ms",
    "a search of all logs of a window": "≤ 15 ms",
    "reset of a listed draw": "≤ 300 ms",
    "reset of a fresh seed": "≤ 500 ms",
    "the next step of an idle episode": "≤ 500 ms",
}
Costs = dict[str, list[float]]


@contextmanager
def _take_time(costs: Costs, row: str, parts: int = 1) -> Iterator[None]:
    began = time.process_time()
    yield
    costs.setdefault(row, []).append((time.process_time() - began) * 1e3 / parts)


def _begin(catalogue: Catalogue, name: str) -> Episode:
    scenario = catalogue.get(name)
    return begin("e", Reference.to(scenario), scenario)


def _do(episode: Episode, action: str, **parameters: str) -> Episode:
    return step(episode, parse_action(action, parameters)).episode


def measure_one(costs: Costs, seed: int, difficulty: int, number: int) -> int:
    """One round on a listed draw. Returns the bytes that a store keeps of an idle episode."""
    name = f"GEN2-RP-D{difficulty}-{seed}"
    with _take_time(costs, "reset of a listed draw"):
        catalogue = Catalogue()
        episode = _begin(catalogue, name)
    with _take_time(costs, "reset of a fresh seed"):
        _begin(Catalogue(), f"GEN2-RCA-D{1 + number % 5}-{FRESH + number}")
    services = episode.incident.services
    actions = [(name, service) for service in services[:2] for name in DIAGNOSTICS][:6]
    for diagnostic, service in actions:
        with _take_time(costs, "a look, as a step, of which nobody has come as far"):
            episode = _do(episode, diagnostic, service=service)
    shared = _begin(catalogue, name)
    for diagnostic, service in actions:
        with _take_time(costs, "a look, as a step, on history that others share"):
            shared = _do(shared, diagnostic, service=service)
    with _take_time(costs, "the next step of an idle episode"):
        again = _begin(Catalogue(), name)
        for diagnostic, service in actions:
            again = _do(again, diagnostic, service=service)
    if isinstance(episode.course, RunningCourse):
        with _take_time(costs, "an operation"):
            episode.course.apply(Remedy("restart_service", services[1]), verifies=False)
    with _take_time(costs, "`watch`, as a step"):
        episode = _do(episode, "execute_runbook_step", runbook_action="watch")
    drawn = draw(seed, difficulty)
    run = Run(drawn.system)
    run.advance(drawn.fault.at)
    with _take_time(costs, "a simulated minute, alone", 10):
        run.advance(600)
    for component in run.layout.component_names:
        for diagnostic in DIAGNOSTICS:
            with _take_time(costs, "a look, rendered"):
                look(run, diagnostic, component)
        with _take_time(costs, "a search of all logs of a window"):
            look(run, QUERY_LOGS.name, component, contains="7a")
    beside = Run(*(drawn.system for _ in range(WORLDS)))
    with _take_time(costs, f"a simulated minute, each of {WORLDS} side by side", WORLDS):
        beside.advance(60)
    return len(json.dumps([dict(episode.reference.dump()), [each.action.dump() for each in episode.steps]]))


def measure_judging(costs: Costs, seed: int, difficulty: int) -> None:
    """What the verdict on a remediation of a listed draw costs, and its grade."""
    episode = _begin(Catalogue(), f"GEN2-RP-D{difficulty}-{seed}")
    services = episode.incident.services
    for diagnostic in tuple(DIAGNOSTICS)[:2]:
        episode = _do(episode, diagnostic, service=services[0])
    repair = next(step for step in play_perfectly(episode.incident, episode.task) if step.name in REMEDIATIONS)
    is_known = len(list_proofs()[seed, difficulty].proof.repairs[0]) == 1
    with _take_time(costs, _LOOKED_UP if is_known else _SIMULATED):
        repaired = step(episode, repair).episode
    with _take_time(costs, _SIMULATED):
        step(episode, parse_action("restart_service", {"service": services[0]}))
    with _take_time(costs, _GRADED):
        _do(repaired, "submit_resolution", summary="The repair is done.")


class BatchCosts(NamedTuple):
    """Of a batch that is reset and stepped twice: milliseconds an episode, steps a second, and MB an incident."""

    resets: list[float]
    speeds: list[float]
    memory: float


def measure_batch(names: list[str]) -> BatchCosts:
    """Reset a batch and take five looks in each episode: first of incidents that are new, then of those it holds.

    There is no step without texts: what a look shows is part of an observation, and of what is graded.
    """
    batch, before = Batch(Catalogue()), _read_memory()
    resets, speeds, grown = [], [], 0.0
    for _ in range(2):
        began = time.process_time()
        shown = batch.reset([Selection(scenario_id=names[number % len(names)]) for number in range(BATCH)])
        resets.append((time.process_time() - began) * 1e3 / BATCH)
        grown = grown or _read_memory() - before
        services = [each.observation["known_services"] for each in shown]
        began = time.process_time()
        for turn in range(5):
            looks = [
                {"action_type": name, "parameters": {"service": known[(turn + number) % len(known)]}}
                for number, (known, name) in enumerate(zip(services, tuple(DIAGNOSTICS) * BATCH, strict=False))
            ]
            batch.step(looks)
        speeds.append(5 * BATCH / (time.process_time() - began))
    return BatchCosts(resets, speeds, grown / min(BATCH, len(names)))


async def measure_loop(draws: Sequence[tuple[int, int]]) -> list[float]:
    """For how many milliseconds the event loop of a service is held, again and again, while episodes are played on it.

    They are played at once, by remediations that have to be simulated, up to their grades.
    """
    catalogue = Catalogue()
    len(catalogue.scenarios)  # which a server reads before it serves
    service = EpisodeService(catalogue)
    held: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_NAP)
            held.append((time.perf_counter() - began - _NAP) * 1e3)

    async def play(seed: int, difficulty: int) -> None:
        episode = await service.create(Selection(scenario_id=f"GEN2-RP-D{difficulty}-{seed}"))
        services = episode.incident.services
        sent = [("check_metrics", {"service": services[0]}), ("restart_service", {"service": services[0]})]
        sent += [("query_logs", {"service": services[1]}), ("submit_resolution", {"summary": "The repair is done."})]
        for action, parameters in sent:
            await service.step(episode.id, parse_action(action, parameters))

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(play(*draw) for draw in draws))
    watching.cancel()
    return held


def _read_memory() -> float:
    """The MB of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Measure and print."""
    listed = sorted(set(list_proved_for(ROOT_CAUSE_ANALYSIS.id)) - list_calm())
    costs: Costs = {}
    sizes = [measure_one(costs, *listed[number % len(listed)], number) for number in range(ROUNDS)]
    for number in range(JUDGED):
        measure_judging(costs, *listed[number * len(listed) // JUDGED])
    rows = []
    for what, spent in costs.items():
        ordered = sorted(spent)
        ninth, last = (ordered[len(ordered) * percent // 100] for percent in (90, 99))
        median = f"{statistics.median(ordered):.2f} ms"
        slow = f"ninth decile {ninth:.1f} ms"
        if what in (_LOOKED_UP, _SIMULATED, _GRADED):
            slow += f", 99 % {last:.1f} ms"
        rows.append(SpeedRow(what, median, slow, _LIMITS.get(what, "")))
    held = sorted(asyncio.run(measure_loop(listed[:PLAYED_AT_ONCE])))
    what = f"the event loop is held, {PLAYED_AT_ONCE} episodes at once (by the clock)"
    slow = f"99 % {held[len(held) * 99 // 100]:.1f} ms, most {held[-1]:.1f} ms"
    rows.append(SpeedRow(what, f"{statistics.median(held):.2f} ms", slow, "≤ 20 ms"))
    batch = measure_batch([f"GEN2-RCA-D{difficulty}-{seed}" for seed, difficulty in listed])
    beside = f"a batch of {BATCH} episodes on {min(BATCH, len(listed))} incidents"
    first, again = batch.resets
    rows.append(SpeedRow(f"{beside}: reset, each", f"{first:.1f} ms", f"again {again:.1f} ms", ""))
    first, again = batch.speeds
    rows.append(SpeedRow(f"{beside}: looks, with texts", f"{first:.0f} steps/s", f"again {again:.0f}", "≥ 250"))
    rows.append(SpeedRow(f"{beside}: memory of an incident", f"{batch.memory:.1f} MB", "", ""))
    rows.append(SpeedRow("an idle episode, as a store keeps it", f"{max(sizes) / 1000:.1f} kB", "", "≤ 8 kB"))
    print_rows(rows)


if __name__ == "__main__":
    main()
