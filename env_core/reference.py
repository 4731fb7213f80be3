"""What an episode is played on: its incident by digest, its task, the rules and the options."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from scenarios.catalogue import UnknownScenarioError
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios.catalogue import Catalogue, Scenario

RULES_VERSION = "7"
"""Changes whenever the same actions would earn something else. Part of every reference."""

RewardMode = Literal["dense", "terminal"]
"""`dense` rewards every step by the table; `terminal` gives 0.0 until the end and then the score."""


ObservationMode = Literal["full", "delta"]
"""`full` shows all evidence queried so far after every step; `delta` only what the last step showed."""


DebriefMode = Literal["agent", "harness"]
"""Who is told score and debrief at the end. `agent`: everybody. `harness`: all but an agent that is under test."""

_NAMES = ("scenario_id", "task_id", "incident_id", "digest")
_CHOICES: dict[str, tuple[str, ...]] = {
    "reward_mode": get_args(RewardMode),
    "observation": get_args(ObservationMode),
    "debrief": get_args(DebriefMode),
}
"""What a reference may say where there is a choice."""


class StaleReferenceError(CloudIncidentError):
    """A stored episode whose incident or rules have changed since. It is refused, never reinterpreted."""

    code = "stale_reference"

    def explain(self, starting: str) -> str:
        return f"{self} {starting} starts another."


@dataclass(frozen=True, slots=True)
class Reference:
    """What an episode is played on. With the list of actions it is the whole truth about the episode."""

    scenario_id: str
    task_id: str
    incident_id: str
    digest: str
    rules: str = RULES_VERSION
    reward_mode: RewardMode = "dense"
    seed: int | None = None
    observation: ObservationMode = "full"
    debrief: DebriefMode = "agent"

    @classmethod
    def to(
        cls,
        scenario: Scenario,
        reward_mode: RewardMode = "dense",
        seed: int | None = None,
        observation: ObservationMode = "full",
        debrief: DebriefMode = "agent",
    ) -> Reference:
        incident = scenario.incident
        return cls(
            scenario.id,
            scenario.task.id,
            incident.id,
            incident.digest,
            RULES_VERSION,
            reward_mode,
            seed,
            observation,
            debrief,
        )

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Reference:
        """The reference that `dump` wrote; an `UnknownReference` where this release does not know what it says."""
        known = {spec.name: spec for spec in fields(cls)}
        unknown = [
            *(
                name
                for name, value in written.items()
                if name not in known or value not in _CHOICES.get(name, (value,))
            ),
            *(name for name, spec in known.items() if spec.default is MISSING and name not in written),
        ]
        if not unknown:
            return cls(**written)
        scenario_id, task_id, incident_id, digest = (str(written.get(name, "")) for name in _NAMES)
        return UnknownReference(scenario_id, task_id, incident_id, digest, written=written, unknown=tuple(unknown))

    def dump(self) -> Mapping[str, Any]:
        """The reference as a JSON object."""
        return asdict(self)

    def resolve(self, catalogue: Catalogue) -> Scenario:
        """The scenario referred to.

        Raises:
            StaleReferenceError: if it is gone, or its content or the rules are no longer the same.
        """
        try:
            scenario = catalogue.get(self.scenario_id)
        except UnknownScenarioError as error:
            raise StaleReferenceError(f"{self.scenario_id} is not in this catalogue. {error}") from error
        for what, then, now in (
            ("task", self.task_id, scenario.task.id),
            ("incident", self.incident_id, scenario.incident.id),
            ("content digest", self.digest, scenario.incident.digest),
            ("rules version", self.rules, RULES_VERSION),
        ):
            if then != now:
                raise StaleReferenceError(
                    f"{self.scenario_id}: the {what} was {then} when this episode began and is {now} here; "
                    "replay it with the release that made it."
                )
        return scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownReference(Reference):
    """A reference that another release wrote, as it was written. `unknown` names what this one does not know of it."""

    written: Mapping[str, Any]
    unknown: tuple[str, ...]

    def dump(self) -> Mapping[str, Any]:
        return self.written

    def resolve(self, catalogue: Catalogue) -> Scenario:  # noqa: ARG002 - no catalogue has it
        raise StaleReferenceError(
            f"{self.scenario_id}: this release does not know what the reference of this episode says of "
            f"{', '.join(self.unknown)}. Go on with the release that began it."
        )
