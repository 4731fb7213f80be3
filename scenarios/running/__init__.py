"""Incidents that run: a system is played, and what is seen of it and done about it happens in its run.

The names of those that are written by hand begin with `LIVE-`; the others are those of generator 2, of which splits
have those that are proved.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenarios.generator.naming import count_causes
from scenarios.running.document import RunningDocument
from scenarios.vocabulary import REMEDIATION_PLANNING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from scenarios.authored import AuthoredIncident
    from scenarios.running.incident import RunningIncident
    from scenarios.vocabulary import TaskId


class Asked(NamedTuple):
    """A draw, what it is called as an incident, and how many looks somebody will take at it."""

    seed: int
    difficulty: int
    incident_id: str
    scenario_ids: Mapping[TaskId, str]
    looks: int


_DOCUMENTS = Path(__file__).parent / "documents"


@cache
def list_running() -> Mapping[str, tuple[TaskId, RunningDocument]]:
    """The scenarios that run: task and document by id. Nothing is played."""
    documents = [RunningDocument.load(path) for path in sorted(_DOCUMENTS.glob("*.yaml"))]
    return {name: (task, document) for document in documents for task, name in document.scenarios.items()}


def play_to_first_look(document: RunningDocument, made_after: AuthoredIncident) -> RunningIncident:
    """The incident of a document, played up to the moment at which on-call looks for the first time.

    That takes some 10 ms for each minute of its run.
    """
    from scenarios.running.incident import RunningIncident  # NumPy takes 80 ms, and few servers play such incidents
    from scenarios.running.retold import RetoldStory
    from scenarios.world import load_system

    return RunningIncident(document, load_system(document.system), RetoldStory(made_after))


def list_proved() -> Collection[tuple[int, int]]:
    """The draws of generator 2 that are listed with a proof, by seed and difficulty, in that order."""
    from scenarios.running.listed import list_proofs

    return list_proofs().keys()


def list_proved_for(task_id: TaskId) -> Collection[tuple[int, int]]:
    """Those of them that are set in a task: where there are two causes that is remediation_planning alone."""
    both = task_id == REMEDIATION_PLANNING.id
    return [key for key in list_proved() if both or count_causes(*key) == 1]


def play_drawn(seed: int, difficulty: int, incident_id: str, scenario_ids: Mapping[TaskId, str]) -> RunningIncident:
    """The incident that generator 2 draws by a seed, played up to the first look.

    That takes some 300 ms, and as much again for each draw in which nobody would be paged.
    """
    from scenarios.running.drawn import find_felt
    from scenarios.running.listed import find_proof

    return find_felt(seed, difficulty, incident_id, scenario_ids, find_proof(seed, difficulty))


def play_listed(asked: Sequence[Asked]) -> Iterator[RunningIncident]:
    """The incidents of some listed draws, each as `play_drawn` gives it, in any order.

    They are played side by side, up to the last look that is asked for, so that to look costs no simulation. That takes
    some 70 ms each, of which 45 are simulation.
    """
    from scenarios.running.abreast import Wanted, play_abreast
    from scenarios.running.drawn import find_felt
    from scenarios.running.listed import list_proofs

    proofs = [list_proofs()[each.seed, each.difficulty].proof for each in asked]
    wanted = [Wanted(each.seed, each.difficulty, proof, each.looks) for each, proof in zip(asked, proofs, strict=True)]
    for place, ahead in play_abreast(wanted):
        each = asked[place]
        yield find_felt(each.seed, each.difficulty, each.incident_id, each.scenario_ids, proofs[place], ahead)
