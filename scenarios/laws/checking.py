"""All laws on one subject, each with its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.laws.acting import ActionWitness
from scenarios.laws.bytes import find_forbidden_sources, find_other_bytes
from scenarios.laws.gradual import GradualWitness
from scenarios.laws.history import HistoryWitness
from scenarios.laws.latencies import LatencyWitness
from scenarios.laws.ledgers import LedgerWitness
from scenarios.laws.levels import LevelWitness
from scenarios.laws.likeness import find_unlike
from scenarios.laws.passing import TimeWitness, find_timeless
from scenarios.laws.playing import follow
from scenarios.laws.printing import PrintWitness
from scenarios.laws.returning import find_no_return, find_step_dependence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from scenarios.laws.playing import Witness
    from scenarios.laws.subject import Subject

LAWS: Mapping[str, str] = {
    "history": "What was shown of a moment is shown again whenever it is asked for, and is complete up to that moment",
    "conservation": "Ledgers close to 1e-9, latencies are in order and within deadlines, no more is used than there "
    "is, and memory and disks change by what something explains",
    "prints": "No line, metric or status is shown that the software has not, and causes with one effect show the same",
    "actions": "Every operation takes its time, leaves an entry, and does something or says why not, ordered twice too",
    "gradual": "Instances start in their time and one after the other; pools, caches and addresses come back with time",
    "time": "Looks and operations take their time, pages come and clear, and the logs reach back to the onset",
    "bytes": "The same play gives the same bytes in other processes, beside other systems and without SIMD",
    "return": "With its cause taken out, a system comes back in the time that its document states",
    "step": "With half the step the same rule pages first, within a minute",
}
"""What is checked of systems that run: the seven laws in their order, and two properties of the simulation."""

_WITNESSES: Mapping[str, tuple[type[Witness], ...]] = {
    "history": (HistoryWitness,),
    "conservation": (LedgerWitness, LatencyWitness, LevelWitness),
    "prints": (PrintWitness,),
    "actions": (ActionWitness,),
    "gradual": (GradualWitness,),
    "time": (TimeWitness,),
}
_OTHERS: Mapping[str, Callable[[Subject], list[str]]] = {
    "prints": find_unlike,
    "time": find_timeless,
    "bytes": lambda subject: [*find_other_bytes(subject, subject.list_plays()), *find_forbidden_sources()],
    "return": find_no_return,
    "step": find_step_dependence,
}


def find_breaches(subject: Subject, laws: Collection[str] = tuple(LAWS)) -> dict[str, list[str]]:
    """Findings of each of some laws in an honest, a random and a hostile play; none where it is kept."""
    found: dict[str, list[str]] = {law: [] for law in LAWS if law in laws}
    for play in subject.list_plays():
        witnesses: Sequence[tuple[str, Witness]] = [
            (law, kind(subject)) for law in found for kind in _WITNESSES.get(law, ())
        ]
        if witnesses:
            follow(subject, play, [witness for _, witness in witnesses])
        for law, witness in witnesses:
            found[law] += [f"{finding} ({play.player} play)" for finding in witness.findings]
    for law, findings in found.items():
        if law in _OTHERS:
            findings += _OTHERS[law](subject)
    return found
