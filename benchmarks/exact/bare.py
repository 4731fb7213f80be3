"""An incident that runs, as the search plays it: by its own rules, and without what only readers need.

Evidence is not rendered, and what deeds did, when looks show the recovery and how pages stood is found once.

By its deeds it is told shorter still: what somebody ordered, in which order, and the minutes since the last one. Which
minute it was when the first one was ordered, and how long one waited between two, is left out, so plays merge that
differ in nothing else. All are judged as if the first deed was ordered when who plays perfectly orders it, and each
other one as soon as the one before was over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scenarios.drawing import draw
from scenarios.evidence import Evidence
from scenarios.generator.naming import region_of
from scenarios.incident import Remedied
from scenarios.progress import Outcome
from scenarios.running.drawn import DrawnStory
from scenarios.running.incident import Looked, RunningCourse, RunningIncident
from scenarios.running.listed import list_proofs
from scenarios.telemetry import update_alert

if TYPE_CHECKING:
    from scenarios.incident import Item
    from scenarios.progress import Remedy
    from scenarios.running.shared import Orders


class Sight(Evidence):
    """That something was looked at at a second, after so many deeds. What it showed is not rendered."""

    second: int
    deeds: int

    @property
    def heading(self) -> str:
        return f"{self.service} at {self.second} after {self.deeds}"

    def body(self) -> str:
        return ""


@dataclass
class Memory:
    """What was found once: what deeds did, the last of some and when it was over, what looks show, how pages stood."""

    deeds: dict[tuple[Orders, int, Remedy], Remedied] = field(default_factory=dict)
    made: dict[Orders, Remedy] = field(default_factory=dict)
    over: dict[Orders, int] = field(default_factory=dict)
    shows: dict[tuple[Orders, int, Item], bool] = field(default_factory=dict)
    alerts: dict[tuple[Orders, int], dict[str, Any]] = field(default_factory=dict)


class BareIncident(RunningIncident):
    """A listed draw, told `by_deeds` or with each minute."""

    def __init__(self, incident: RunningIncident, seed: int, difficulty: int, *, by_deeds: bool = False) -> None:
        proof = list_proofs()[seed, difficulty].proof
        story = DrawnStory(draw(seed, difficulty, split=region_of(seed)), proof)
        super().__init__(incident.document, incident.system, story, incident.runs)
        if self.digest != incident.digest:
            raise ValueError(f"{incident.id} is not the first draw of its seed")
        self.by_deeds = by_deeds
        self.drawn_by = (seed, difficulty)
        self.memory = Memory()
        self.begins = self.first_look + self.document.look_seconds * len(proof.certificates[0])

    def begin(self) -> BareCourse:
        return BareCourse(*super().begin())


class BareCourse(RunningCourse):
    """A course that remembers. By deeds each of them sets its clock anew."""

    __slots__ = ()

    def look(self, diagnostic: str, service: str) -> tuple[Evidence, BareCourse]:
        item = (diagnostic, service)
        shown = Sight(service=service, as_of="2026-01-01T00:00Z", second=self.now, deeds=len(self.orders))
        looked = {**self.looked, item: Looked(self.now, len(self.orders), {})}
        return shown, self._replace(now=self.now + self.incident.document.look_seconds, looked=looked)

    def is_hasty(self, item: Item, /) -> bool:
        # Pages are looked up only for the few looks that are repeated in time.
        if item not in self.looked or not RunningCourse.is_hasty(self._replace(alert={}), item):
            return False
        return self._find_alert(self.looked[item].at) == self._find_alert(self.now)

    def remedy(self, remedy: Remedy, *, verifies: bool, judged: bool = True) -> Remedied:
        incident = self._incident
        if verifies:
            seconds = incident.count_seconds(remedy)
            return Remedied(Outcome.INEFFECTIVE, self._replace(now=self.now + seconds), "Time has passed.")
        memory = incident.memory
        start = self._replace(now=memory.over.get(self.orders, incident.begins)) if incident.by_deeds else self
        key = (self.orders, start.now, remedy)
        if key not in memory.deeds:
            memory.deeds[key] = RunningCourse.remedy(start, remedy, verifies=False, judged=judged)
        done = memory.deeds[key]
        if not isinstance(done.course, BareCourse):
            raise TypeError("a deed has changed what the course is")
        memory.made[done.course.orders] = remedy
        memory.over[done.course.orders] = done.course.now
        return done._replace(course=done.course._replace(looked=self.looked))

    def shows_recovery(self, item: Item, evidence: Evidence, /) -> bool:
        if not self.repairs:
            return False
        key = (self.orders, self.now, item)
        shows = self._incident.memory.shows
        if key not in shows:
            shows[key] = super().shows_recovery(item, evidence)
        return shows[key]

    @property
    def _incident(self) -> BareIncident:
        if not isinstance(self.incident, BareIncident):
            raise TypeError(f"{self.incident.id} is no bare incident")
        return self.incident

    def _find_alert(self, at: int) -> dict[str, Any]:
        alerts, key = self._incident.memory.alerts, (self.orders, at)
        if key not in alerts:
            alerts[key] = update_alert(self.incident.alert, self.incident.runs.get(self.orders, at), at)
        return alerts[key]

    def _let_pass(self, now: int) -> BareCourse:
        return self._replace(now=now)
