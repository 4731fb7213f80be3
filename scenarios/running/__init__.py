"""Incidents that run: a system is played, and what is seen of it and done about it happens in its run.

No split lists them yet: they are graded by the plan of the incident that they are made after, not by what they achieve.
Their names begin with `LIVE-`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.running.document import RunningDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.authored import AuthoredIncident
    from scenarios.running.incident import RunningIncident
    from scenarios.vocabulary import TaskId

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

    return RunningIncident(document, made_after)
