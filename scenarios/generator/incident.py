"""A generated incident: the incident protocol over a scene. Evidence is rendered when it is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from scenarios.generator.certificates import certificates
from scenarios.generator.render import RENDERERS
from scenarios.generator.render.changes import names_of
from scenarios.generator.spread import spread
from scenarios.generator.texts import filled
from scenarios.incident import Account, Truth, know_by_certificates, pace_by_certificates
from scenarios.planned import PlannedCourse
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import DIAGNOSTICS, TASKS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from scenarios.evidence import Evidence
    from scenarios.generator.scene import Scene
    from scenarios.incident import Certificate, Explanation, Item, Known, Pace
    from scenarios.progress import Plan, Progress
    from scenarios.vocabulary import Severity, Task, TaskId

_MOST_KEPT = 1200


class GeneratedIncident:
    """An incident made from a scene."""

    proved = True

    def __init__(
        self,
        scene: Scene,
        *,
        incident_id: str,
        scenario_ids: Mapping[TaskId, str],
        digest: str,
        severity: Severity,
        alert: Mapping[str, Any],
        summary: str,
    ) -> None:
        self.scene = scene
        self.id = incident_id
        self.scenarios = scenario_ids
        self.digest = digest
        self.alert = alert
        self.summary = summary
        self._severity = severity
        self._kept: dict[tuple[str, str, Progress], Evidence] = {}
        self._flagged: tuple[Certificate, ...] | None = None

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted(node.name for node in self.scene.world.nodes))

    @cached_property
    def flags(self) -> frozenset[str]:
        return frozenset(name for shown in self.scene.background.flags.values() for name, _ in shown)

    @cached_property
    def truth(self) -> Truth:
        scene = self.scene
        fault = scene.fault
        return Truth(
            severity=self._severity,
            service=scene.world.nodes[fault.root].name,
            concepts=fault.family.words.concepts,
            families=frozenset(fault.family.words.families),
            answer=fault.family.words.answer,
            spread=self._spread(),
        )

    accounted = True

    @property
    def account(self) -> Account:
        scene = self.scene
        names = names_of(scene, scene.fault.root)
        return Account(tuple(filled(sentence, names, scene.key) for sentence in scene.fault.family.chain))

    def _spread(self) -> tuple[tuple[str, str], ...]:
        world = self.scene.world
        pairs = spread(self.scene, [world.index[service] for service in self.alert["affected_services"]])
        return tuple((world.nodes[one].name, world.nodes[to].name) for one, to in pairs)

    @property
    def plan(self) -> Plan:
        return self.scene.plan

    @cached_property
    def _proofs(self) -> tuple[Certificate, ...]:
        return certificates(self.scene)

    def certificates(self, task: TaskId) -> tuple[Certificate, ...]:
        if not TASKS[task].asks_repair or not self.scene.fault.flag:
            return self._proofs
        if self._flagged is None:
            sources = self._flag_sources()
            every = {one if one & sources else one | {item} for one in self._proofs for item in sources}
            minimal = [one for one in every if not any(other < one for other in every)]
            self._flagged = tuple(sorted(minimal, key=lambda one: (len(one), sorted(one))))
        return self._flagged

    def _flag_sources(self) -> frozenset[Item]:
        root = self.truth.service
        flag = self.scene.fault.flag
        return frozenset(
            (diagnostic, root) for diagnostic in DIAGNOSTICS if flag in self.evidence(diagnostic, root, UNTOUCHED).text
        )

    def know(self, task: TaskId, seen: Collection[Item]) -> Known:
        return know_by_certificates(self.certificates(task), seen)

    def explain(self, *_: object) -> tuple[Explanation, ...]:
        return ()

    def pace(self, task: Task) -> Pace:
        return pace_by_certificates(self, task)

    def evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
        key = (diagnostic, service, progress)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            found = self._kept[key] = self._evidence(diagnostic, service, progress)
        return found

    def begin(self) -> PlannedCourse:
        return PlannedCourse(self)

    def _evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
        """What is to be seen; as of before, as long as nothing that it shows has changed."""
        scene = self.scene
        index = scene.world.index[service]
        if not progress or index not in scene.moved:
            return RENDERERS[DIAGNOSTICS[diagnostic]](scene, scene.first, index, scene.fault.now)
        view = scene.view(progress)
        at_first = self.evidence(diagnostic, service, UNTOUCHED)
        found = RENDERERS[DIAGNOSTICS[diagnostic]](scene, view, index, view.end)
        return at_first if found.body() == at_first.body() else found
