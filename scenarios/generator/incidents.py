"""Generated incidents, made when they are asked for and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.generator.ids import Ids
    from scenarios.generator.naming import Name
    from scenarios.incident import Incident

MOST_KEPT = 256


def list_scenario_ids(name: Name, ids: Ids) -> dict[TaskId, str]:
    """The ids of the scenarios of an incident, by task."""
    tasks: tuple[TaskId, ...] = tuple(TASKS)
    return {task_id: ids.scenario(name._replace(task_id=task_id)) for task_id in tasks}


def make_written(name: Name, ids: Ids) -> Incident:
    """The incident of generator 1 that a name means."""
    from scenarios.generator.draw import generated

    scenario_ids = list_scenario_ids(name, ids)
    return generated(name.drawn, name.difficulty, incident_id=ids.incident(name), scenario_ids=scenario_ids)


class Incidents:
    """The incidents asked for last, each shared by its tasks. Threads may ask at once: one makes, the others wait."""

    def __init__(self, ids: Ids, most: int = MOST_KEPT, make: Callable[[Name, Ids], Incident] | None = None) -> None:
        self._ids = ids
        self._most = most
        self._make = make or make_written
        self._kept: OrderedDict[str, Incident] = OrderedDict()
        self._keeping = Lock()
        self._making = Lock()

    def kept(self, name: Name) -> Incident | None:
        """The incident of a name, if it needs not be made."""
        incident_id = self._ids.incident(name)
        with self._keeping:
            incident = self._kept.get(incident_id)
            if incident is not None:
                self._kept.move_to_end(incident_id)
            return incident

    def get(self, name: Name) -> Incident:
        """The incident of a name. Making one costs milliseconds of CPU."""
        incident = self.kept(name)
        if incident is not None:
            return incident
        with self._making:
            return self.kept(name) or self._keep(self._make(name, self._ids))

    def _keep(self, incident: Incident) -> Incident:
        with self._keeping:
            self._kept[incident.id] = incident
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return incident
