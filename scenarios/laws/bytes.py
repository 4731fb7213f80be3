"""Law 7: the same bytes everywhere. A play is digested here, beside other systems, and in other processes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import scenarios
from scenarios.laws.arithmetic import find_forbidden, list_sources
from scenarios.laws.subject import Move, Play
from scenarios.telemetry import TelemetryError, look
from scenarios.world import OperationError, Run, System
from scenarios.world.picking import OF_RECORD
from scenarios.world.record import COUNTS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenarios.laws.subject import Subject

_AXES = ("component", "route", "call", "instance", "group")


def find_other_bytes(subject: Subject, plays: Sequence[Play], elsewhere: str = "scenarios.laws.elsewhere") -> list[str]:
    """Where the same plays give other bytes. `elsewhere` is the module that digests them in another process."""
    found = []
    here = [digest_play(subject.system, play, subject.kind) for play in plays]
    for how, variables in list_surroundings().items():
        for play, mine, other in zip(plays, here, digest_elsewhere(subject, plays, variables, elsewhere), strict=True):
            if mine != other:
                found.append(f"{subject.name}: the {play.player} play gives other bytes {how}.")
    for play, mine in zip(plays, here, strict=True):
        if digest_play(subject.system, play, subject.kind, beside=True) != mine:
            found.append(f"{subject.name}: the {play.player} play gives other bytes beside another system.")
    return found


def list_surroundings() -> dict[str, dict[str, str]]:
    """Other processes, by what is different in them, with their environment variables."""
    features = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    return {
        "in a process that hashes otherwise": {"PYTHONHASHSEED": "1"},
        "without the wide registers of the processor": {
            "PYTHONHASHSEED": "2",
            "NPY_DISABLE_CPU_FEATURES": " ".join(features),
        },
    }


def find_forbidden_sources() -> list[str]:
    """Where a source of a running system does what differs between processors."""
    return [
        f"{path.name}, line {what}: gives other bytes on another processor."
        for path in list_sources()
        for what in find_forbidden(path.read_text(encoding="utf-8"))
    ]


def digest_elsewhere(subject: Subject, plays: Sequence[Play], variables: dict[str, str], module: str) -> list[str]:
    """The digests of plays in a process with other environment variables."""
    given = json.dumps({"system": subject.system.model_dump(mode="json"), "plays": plays})
    roots = [str(Path(scenarios.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(roots)}
    command = [sys.executable, "-W", "error", "-m", module]
    ran = subprocess.run(  # noqa: S603 - a module of this package
        command, input=given, env=environment, capture_output=True, text=True, check=True
    )
    digests: list[str] = json.loads(ran.stdout)
    return digests


def read_plays(given: str) -> list[str]:
    """The digests of what another process was given."""
    read = json.loads(given)
    system = System.model_validate(read["system"])
    return [
        digest_play(system, Play(player, tuple(Move(*move) for move in moves), until))
        for player, moves, until in read["plays"]
    ]


def digest_play(system: System, play: Play, kind: type[Run] = Run, *, beside: bool = False) -> str:
    """A digest of all that a play recorded and showed; if asked for, of a system that runs between two others."""
    place = 1 if beside else 0
    other = system.model_copy(update={"seed": system.seed + 1})
    run = kind(other, system, other) if beside else kind(system)
    digest = hashlib.blake2b(digest_size=16)
    for move in play.moves:
        run.advance(max(0.0, move.at - run.time))
        try:
            if move.is_look:
                digest.update(look(run, move.name, move.target, system=place).text.encode())
            else:
                run.order(move.name, move.target, place)
        except (TelemetryError, OperationError) as error:
            digest.update(str(error).encode())
    run.advance(play.until - run.time)
    for name, part in sorted(cut_record(run, place).items()):
        digest.update(name.encode() + part)
    return digest.hexdigest()


def cut_record(run: Run, place: int) -> dict[str, bytes]:
    """All that a run recorded of the system at a place, and what happened in it."""
    sizes = [
        (
            len(system.components),
            len(system.list_routes()),
            len(system.calls),
            sum(component.most for component in system.components),
            len(system.groups),
        )
        for system in run.layout.systems
    ]
    starts = [sum(size[axis] for size in sizes[:place]) for axis in range(5)]
    cut = {}
    for name in (*COUNTS, *LEVELS):
        axis = _AXES.index(OF_RECORD[name])
        values = run.record.get(name)[..., starts[axis] : starts[axis] + sizes[place][axis]]
        cut[name] = values.tobytes()
    happened = []
    for event in run.state.events:
        component = event.component - starts[0]
        if 0 <= component < sizes[place][0]:
            details = {**event.details}
            if "instance" in details:
                details["instance"] = int(details["instance"]) - starts[3]
            happened.append((event.at, component, event.what, details))
    return {**cut, "events": repr(happened).encode()}
