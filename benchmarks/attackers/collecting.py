"""What an attacker sees of drawn incidents: every diagnostic of every component at the first look. Kept on disk."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenarios.drawing import draw
from scenarios.faults import FAMILIES, list_targets
from scenarios.generator.naming import DIFFICULTIES
from scenarios.proofs.proving import ANSWERED_AFTER, LONGEST_WAIT
from scenarios.telemetry import describe_page, find_pages, look
from scenarios.telemetry.logs import SampledLogs
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.vocabulary.diagnostics import Dependencies, Deploys, ScrapedMetrics, Status
from scenarios.world import Run

if TYPE_CHECKING:
    from scenarios.drawing import Draw
    from scenarios.world import Component, System

_MINUTE = 60
_FOLDER = "cloud-incident-attack"


class Looks(NamedTuple):
    """What the diagnostics show of a component: the typed evidence, which holds what its text does."""

    status: Status
    logs: SampledLogs
    metrics: ScrapedMetrics
    dependencies: Dependencies
    deploys: Deploys


class Sighting(NamedTuple):
    """A drawn incident as an attacker sees it, and the truth.

    `kinds` says what each component is, `strikable` which components each family could have struck. Without a page
    there is neither an alert nor a look.
    """

    seed: int
    difficulty: int
    root: str
    family: str
    kinds: dict[str, str]
    strikable: dict[str, tuple[str, ...]]
    alert: dict[str, Any]
    looks: dict[str, Looks]


def collect(count: int, first: int) -> list[Sighting]:
    """So many incidents from a seed on, of the difficulties in turn, played in a pool of processes."""
    seeds = range(first, first + count)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(_read, _find_folder()), seeds, chunksize=4))


def _find_folder() -> Path:
    """A folder for the incidents of this commit, with what is not committed yet."""
    here = Path(__file__).parent
    head = subprocess.check_output(["git", "rev-parse", "HEAD:scenarios"], cwd=here)  # noqa: S607 - git is wherever it is
    changed = subprocess.check_output(["git", "diff", "HEAD", "--", ":/scenarios"], cwd=here)  # noqa: S607 - git is wherever it is
    name = hashlib.sha256(head + changed + Path(__file__).read_bytes()).hexdigest()[:16]
    # Not among the temporary files: what is read back from here is trusted.
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / _FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _read(folder: Path, seed: int) -> Sighting:
    path = folder / f"{seed}.pickle"
    if path.exists():
        return Sighting(*pickle.loads(path.read_bytes()))  # noqa: S301 - written below, in the user's own cache
    seen = see(draw(seed, DIFFICULTIES[seed % len(DIFFICULTIES)]))
    partly = path.with_suffix(f".{os.getpid()}")
    partly.write_bytes(pickle.dumps(tuple(seen)))
    partly.rename(path)
    return seen


def see(drawn: Draw) -> Sighting:
    """Play a draw up to the first look. The page counts if it comes with the fault, and does not come without."""
    alert: dict[str, Any] = {}
    looks: dict[str, Looks] = {}
    # Both in one run: that costs a quarter more than one of them.
    run = Run(drawn.system, drawn.background)
    fired = _await_page(run, int(drawn.fault.at) + LONGEST_WAIT)
    if fired is not None and fired >= drawn.fault.at and not find_pages(run, fired, system=1):
        at = -(-(fired + ANSWERED_AFTER) // _MINUTE) * _MINUTE
        run.advance(at - run.time)
        alert = describe_page(run, find_pages(run, at)[0], at)
        looks = {part.name: _look(run, part.name) for part in drawn.system.components}
    background = drawn.background
    return Sighting(
        drawn.seed,
        drawn.difficulty,
        drawn.fault.component,
        drawn.fault.family,
        {part.name: _tell_kind(background, part) for part in background.components},
        {name: list_targets(family, background) for name, family in FAMILIES.items()},
        alert,
        looks,
    )


def _await_page(run: Run, until: int) -> int | None:
    """The second of the first page."""
    while run.time < until:
        run.advance(_MINUTE)
        pages = find_pages(run, int(run.time))
        if pages:
            return pages[0].fired
    return None


def _look(run: Run, component: str) -> Looks:
    shown = {name: look(run, name, component) for name in DIAGNOSTICS}
    status, logs, metrics = shown["check_service_status"], shown["query_logs"], shown["check_metrics"]
    dependencies, deploys = shown["check_dependencies"], shown["check_recent_deploys"]
    assert isinstance(status, Status)
    assert isinstance(logs, SampledLogs)
    assert isinstance(metrics, ScrapedMetrics)
    assert isinstance(dependencies, Dependencies)
    assert isinstance(deploys, Deploys)
    return Looks(status, logs, metrics, dependencies, deploys)


def _tell_kind(system: System, part: Component) -> str:
    """What a component is, as its name, its metrics and its neighbours tell anybody."""
    ends = {call.target.partition("/")[0] for call in system.calls}
    entries = {journey.entry.partition("/")[0] for journey in system.journeys}
    if part.name == system.resolver:
        return "resolver"
    if any(link.router == part.name for link in system.links):
        return "router"
    if part.kind.kernel == "server" and part.software not in ("envoy", "nginx", "haproxy", "third-party"):
        if part.name in entries:
            return "service, entry"
        if any(group.route.partition("/")[0] == part.name for group in system.groups):
            return "consumer"
        return "service, called" if part.name in ends else "service, not called"
    return f"{part.kind.kernel}, {part.software}" if part.kind.kernel != "server" else part.software
