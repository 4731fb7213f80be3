"""Worlds in which one rule is broken each, for the audit to find."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from cloud_incident.evaluation.agents import AGENTS
from cloud_incident.evaluation.agents.cheats import Ceilings
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.audit.idle import IdleAgent
from cloud_incident.evaluation.audit.world import AuditedWorld
from scenarios.catalogue import Catalogue, Entry, Scenario, Split
from scenarios.generator.draw import ExhaustedError
from scenarios.generator.incident import GeneratedIncident
from scenarios.generator.naming import GENERATOR_VERSION
from scenarios.laws import Subject
from scenarios.progress import Plan
from scenarios.vocabulary import SEVERITIES
from tests.scenarios.laws import broken as laws
from tests.scenarios.laws.broken import make_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloud_incident.evaluation.agents.agent import Agent, Decision, Seat
    from env_core.observation import Observation
    from scenarios.evidence import Evidence
    from scenarios.generator.naming import GeneratorVersion
    from scenarios.incident import Certificate, Incident, Truth
    from scenarios.laws import Play
    from scenarios.progress import Progress
    from scenarios.vocabulary import TaskId
    from scenarios.world import Run

_ticks = count(1)


class Crashing(IdleAgent):
    """An agent that cannot play."""

    async def decide(self, shown: Observation) -> Decision:  # noqa: ARG002
        raise RuntimeError("out of order")


class Spoiling(Catalogue):
    """Generated incidents of another kind than they were drawn as."""

    kind: type[GeneratedIncident] = GeneratedIncident

    def get(self, scenario_id: str) -> Scenario:
        found = super().get(scenario_id)
        spoiled = object.__new__(self.kind)
        spoiled.__dict__.update(found.incident.__dict__)
        self.spoil(spoiled)
        return replace(found, incident=spoiled)

    def spoil(self, incident: GeneratedIncident) -> None:
        """Change what is wrong in this world."""


def spoiling(catalogue: type[Catalogue]) -> AuditedWorld:
    """A world with a catalogue of its own."""
    return Spoiled(catalogue)


class Spoiled(AuditedWorld):
    """A world with a catalogue of its own."""

    def __init__(self, of: type[Catalogue]) -> None:
        super().__init__()
        object.__setattr__(self, "of", of)

    def make_catalogue(self) -> Catalogue:
        made: Catalogue = self.of()  # type: ignore[attr-defined]
        return made


class ByProcess(Spoiling):
    """Incidents differ between processes."""

    def spoil(self, incident: GeneratedIncident) -> None:
        incident.alert = {**incident.alert, "description": f"seen by {os.getpid()}"}


class OneForAll(Catalogue):
    """Every seed names the same incident."""

    def get(self, scenario_id: str) -> Scenario:
        return super().get(f"{scenario_id.rpartition('-D')[0]}-D3-7")


class Restless(Spoiling):
    """Evidence is never the same twice."""

    class kind(GeneratedIncident):  # noqa: N801
        def evidence(self, diagnostic: str, service: str, progress: Progress) -> Evidence:
            shown = super().evidence(diagnostic, service, progress)
            return type(shown)(**{**shown.model_dump(), "as_of": f"2026-01-01T00:{next(_ticks) % 60:02d}Z"})


class Undecided(Spoiling):
    """The severity is another whenever one asks."""

    class kind(GeneratedIncident):  # noqa: N801
        @property
        def truth(self) -> Truth:
            return replace(super().truth, severity=SEVERITIES[next(_ticks) % len(SEVERITIES)])


class Unrepeatable(Spoiling):
    """The content is another whenever it is made."""

    def spoil(self, incident: GeneratedIncident) -> None:
        incident.digest = f"{next(_ticks):064x}"


class Exhausted(Catalogue):
    """Nothing can be made."""

    def get(self, scenario_id: str) -> Scenario:
        raise ExhaustedError(f"no incident of {scenario_id}")


class Unproved(Spoiling):
    """There are no certificates."""

    class kind(GeneratedIncident):  # noqa: N801
        def certificates(self, task: TaskId) -> tuple[Certificate, ...]:  # noqa: ARG002
            return ()


class Endless(Spoiling):
    """Too much has to be looked at."""

    class kind(GeneratedIncident):  # noqa: N801
        def certificates(self, task: TaskId) -> tuple[Certificate, ...]:  # noqa: ARG002
            return (frozenset(("query_logs", service) for service in self.services[:8]),)


class Incurable(Spoiling):
    """There is nothing to be done."""

    class kind(GeneratedIncident):  # noqa: N801
        @property
        def plan(self) -> Plan:
            return Plan()


class Talkative(Spoiling):
    """The summary tells what happened."""

    def spoil(self, incident: GeneratedIncident) -> None:
        incident.summary += f" {incident.account.chain[0]}"


class Obvious(Spoiling):
    """Saying that it is broken says how it failed."""

    class kind(GeneratedIncident):  # noqa: N801
        @property
        def truth(self) -> Truth:
            return replace(super().truth, concepts=(("broken",),))


class Disastrous(Spoiling):
    """Everything is of the highest severity."""

    class kind(GeneratedIncident):  # noqa: N801
        @property
        def truth(self) -> Truth:
            return replace(super().truth, severity="P1")


class Labelled(Catalogue):
    """The ids of scenarios end with their root."""

    def get(self, scenario_id: str) -> Scenario:
        found = super().get(scenario_id.partition(".")[0])
        return replace(found, id=f"{found.id}.{found.incident.truth.service}")

    def entry(self, scenario_id: str) -> Entry:
        return replace(super().entry(scenario_id.partition(".")[0]), id=scenario_id)


class Overlapping(Catalogue):
    """What is trained on is tested."""

    def split(
        self,
        name: str,
        task_id: TaskId | None = None,
        difficulty: int | None = None,
        generator: GeneratorVersion = GENERATOR_VERSION,
    ) -> Split:
        return super().split("train" if name == "test" else name, task_id, difficulty, generator)


class Slow(Catalogue):
    """It takes long to make anything."""

    def get(self, scenario_id: str) -> Scenario:
        until = time.thread_time() + 0.03
        while time.thread_time() < until:
            pass
        return super().get(scenario_id)


class Playing(AuditedWorld):
    """A world in which agents are others than their names say."""

    def __init__(self, **others: Callable[[Seat], Agent]) -> None:
        super().__init__()
        object.__setattr__(self, "others", others)

    def list_agents(self) -> Mapping[str, Callable[[Seat], Agent]]:
        others: dict[str, Any] = self.others  # type: ignore[attr-defined]
        return {**super().list_agents(), **others}


class Insider(AuditedWorld):
    """One of the cheats knows the answer."""

    def list_exploits(self) -> Mapping[str, tuple[Callable[[Seat], Agent], Ceilings]]:
        return {**super().list_exploits(), "insider": (Oracle, Ceilings())}


class Clairvoyant(AuditedWorld):
    """A naive rule is always right."""

    def list_rules(self) -> Mapping[str, Callable[[Incident], str]]:
        return {"clairvoyance": lambda incident: incident.truth.service}


class PlayedOnce(Subject):
    """What breaks in every play is played in one, honestly."""

    def list_plays(self, spacing: float = 120.0) -> tuple[Play, ...]:
        return (self.play_honestly(spacing),)


def play_once(kind: type[Run]) -> Subject:
    """The small system with a kind of runs, played once."""
    whole = make_subject(kind)
    return PlayedOnce(whole.name, whole.system, whole.begins, whole.plan, kind=kind)


class Lawless(AuditedWorld):
    """An incident runs in which a law is broken."""

    def __init__(self, kind: type[Run]) -> None:
        super().__init__()
        self.__dict__["subjects"] = [partial(play_once, kind)]

    def list_subjects(self) -> Sequence[Callable[[], Subject]]:
        subjects: Sequence[Callable[[], Subject]] = self.__dict__["subjects"]
        return subjects


BROKEN: dict[str, tuple[AuditedWorld, dict[str, Any]]] = {
    "runtime.seed_control": (spoiling(ByProcess), {}),
    "runtime.episode_determinism": (spoiling(Restless), {}),
    "runtime.episode_isolation": (spoiling(Restless), {}),
    "semantic.verifier_determinism": (spoiling(Undecided), {}),
    "semantic.replayability": (spoiling(Unrepeatable), {}),
    "generator.generation": (spoiling(Exhausted), {}),
    "semantic.oracle_max": (Playing(oracle=AGENTS["novice"]), {}),
    "generator.certificates": (spoiling(Unproved), {}),
    "generator.plan_length": (spoiling(Endless), {}),
    "runtime.reward_well_formed": (Playing(random=Crashing), {}),
    "semantic.floor_gap": (Playing(random=Oracle), {"size": 10}),
    "statistical.reward_reachability": (spoiling(Incurable), {"tasks": ("root_cause_analysis",)}),
    "runtime.oracle_containment": (spoiling(Talkative), {}),
    "semantic.no_solution_leakage": (spoiling(Labelled), {}),
    "semantic.canary_floor": (spoiling(Obvious), {}),
    "statistical.adversarial_floor": (Insider(), {"size": 10}),
    "statistical.gameability_gap": (Insider(), {"size": 10}),
    "generator.naive_rules": (Clairvoyant(), {"size": 10, "difficulties": (4, 5)}),
    "statistical.difficulty_separation": (Playing(responder=Oracle), {"size": 16, "difficulties": (1, 5)}),
    "statistical.headroom": (Playing(responder=Oracle), {"size": 10}),
    "statistical.variance_bound": (Playing(responder=IdleAgent), {"size": 10}),
    "generator.severity_balance": (spoiling(Disastrous), {"size": 10}),
    "generator.structural_duplicates": (spoiling(OneForAll), {}),
    "generator.split_overlap": (spoiling(Overlapping), {}),
    "semantic.resource_envelope": (spoiling(Slow), {"size": 8}),
    "world.history": (Lawless(laws.tamper(laws.rewrite_record)), {}),
    "world.conservation": (Lawless(laws.tamper(laws.miscount)), {}),
    "world.prints": (Lawless(laws.tamper(laws.betray)), {}),
    "world.actions": (Lawless(laws.tamper_orders(laws.ignore)), {}),
    "world.gradual": (Lawless(laws.tamper(laws.start_at_once)), {}),
    "world.time": (Lawless(laws.tamper_orders(laws.shorten)), {}),
    "world.bytes": (Lawless(laws.Crowded), {}),
    "world.return": (Lawless(laws.tamper(laws.never_heal)), {}),
    "world.step": (Lawless(laws.tamper(laws.follow_the_step)), {}),
}
"""Check → a world in which it must fail, and the sample that it takes to see it."""
