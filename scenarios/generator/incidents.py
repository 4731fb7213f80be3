"""Generated incidents, made when they are asked for and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from scenarios.vocabulary import TASKS, TaskId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
    """The incidents asked for last, each shared by its tasks. Threads may ask at once: one makes, the others wait.

    One that somebody still holds, as episodes do, is never made again, however many there are.
    """

    def __init__(self, ids: Ids, most: int = MOST_KEPT, make: Callable[[Name, Ids], Incident] | None = None) -> None:
        self._ids = ids
        self._most = most
        self._make = make or make_written
        self._kept: OrderedDict[str, Incident] = OrderedDict()
        self._held: WeakValueDictionary[str, Incident] = WeakValueDictionary()
        self._keeping = Lock()
        self._making = Lock()

    def kept(self, name: Name) -> Incident | None:
        """The incident of a name, if it needs not be made."""
        incident_id = self._ids.incident(name)
        with self._keeping:
            incident = self._held.get(incident_id)
            if incident is not None:
                self._remember(incident)
            return incident

    def get(self, name: Name) -> Incident:
        """The incident of a name. Making one costs milliseconds of CPU."""
        incident = self.kept(name)
        if incident is not None:
            return incident
        with self._making:
            return self.kept(name) or self._keep(self._make(name, self._ids))

    def prepare(
        self, names: Iterable[Name], make: Callable[[Sequence[Name], Ids], Iterable[Incident]]
    ) -> list[Incident]:
        """The incidents of some names that are at hand, or cost less if they are made together: those of several.

        Whoever takes them has to hold them: they may be more than are kept.
        """
        with self._making:
            wanted = {self._ids.incident(name): name for name in names}
            found = [incident for incident in map(self.kept, wanted.values()) if incident is not None]
            known = {incident.id for incident in found}
            missing = [name for incident_id, name in wanted.items() if incident_id not in known]
            made = make(missing, self._ids) if len(missing) > 1 else ()
            return [*found, *map(self._keep, made)]

    def _keep(self, incident: Incident) -> Incident:
        with self._keeping:
            self._held[incident.id] = incident
            self._remember(incident)
        return incident

    def _remember(self, incident: Incident) -> None:
        """Keep an incident for now, though nobody may hold it."""
        self._kept[incident.id] = incident
        self._kept.move_to_end(incident.id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
