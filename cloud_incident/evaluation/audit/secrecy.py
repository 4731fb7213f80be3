"""Checks that nothing reveals the answer: neither the texts that can be fetched, nor what is told before the end."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_incident.evaluation.audit.check import Check, CheckGroup, CheckResult, Measurement, require_no_problems
from env_core.episode import advance, begin
from env_core.observation import debrief, observe, read_state
from env_core.perfect import carry_out
from env_core.reference import Reference
from env_core.transition import Transition
from scenarios.generator.library import families
from scenarios.parsing import parse_action
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import DIAGNOSTICS, Dependencies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext
    from env_core.episode import Episode, Step
    from scenarios.catalogue import Scenario
    from scenarios.incident import Incident

_WITNESSES = ("responder", "shotgun", "random")
"""The agents whose episodes are read: one that works, one that tries every remediation, one that errs."""

_MACHINERY = re.compile(
    r"setback|\b[A-Z][A-Za-z]+\([a-z_]+=|object at 0x|frozenset\(|\{[a-z_]+(?::[^}]*)?\}"
    r"|(?<![\w-])(?:None|nan|inf)(?![\w-])"
)
_LEVEL = re.compile(r"(?<!P1 to )(?<!P1-)\bP[1-4]\b(?!(?: to |-)P4)")
"""A severity, except where all of them are listed."""
_OPENING = 40
"""How many characters of a sentence identify it."""
_VICTIMS_DIAGNOSTICS = ("query_logs", "check_recent_deploys", "check_service_status")


class SecrecyFindings(NamedTuple):
    """The figures of one incident: what reveals the answer, and how many texts or steps were read."""

    leaks: list[str]
    read: int


class ContainmentChecks(CheckGroup[SecrecyFindings]):
    """Oracle containment: the truth is nowhere to be fetched."""

    specs = (
        Check(
            "runtime.oracle_containment",
            "No alert, summary or evidence of any service, before or after repairs and harm, holds the words of the "
            "truth (chain, answer, severity, names of families and harms) or a trace of the machinery, and no "
            "victim names a root that it neither calls nor serves",
            "none",
        ),
    )

    def measure(self, case: Case) -> SecrecyFindings:
        texts = list(_list_texts(case.incident))
        return SecrecyFindings([f"{case.name}: {finding}" for finding in _find_secrets(case, texts)], len(texts))

    def judge(self, found: Sequence[Measurement[SecrecyFindings]], context: AuditContext) -> Iterator[CheckResult]:  # noqa: ARG002 - as every group judges
        problems = [leak for measurement in found for leak in measurement.value.leaks]
        yield require_no_problems(
            self.specs[0],
            problems,
            len(found),
            measured={"texts": sum(measurement.value.read for measurement in found)},
        )


class LeakageChecks(CheckGroup[SecrecyFindings]):
    """No solution leakage: nothing but evidence tells anything before the end."""

    specs = (
        Check(
            "semantic.no_solution_leakage",
            "Before the end no observation, state, feedback, error or report holds a grade, the chain, the severity, "
            "the plan, or a root that the agent has not named itself; terminal rewards do not tell right from wrong",
            "none",
        ),
    )

    def measure(self, case: Case) -> SecrecyFindings:
        leaks: list[str] = []
        count = 0
        for scenario in case.scenarios.values():
            for agent in _WITNESSES:
                actions = [step["action"] for step in case.play(agent, scenario.task.id)["steps"]]
                leaks += [f"{scenario.id}, {agent}: {finding}" for finding in _find_leaks(scenario, actions)]
                count += len(actions)
            leaks += [f"{scenario.id}: {finding}" for finding in _find_early_rewards(scenario)]
        return SecrecyFindings(leaks, count)

    def judge(self, found: Sequence[Measurement[SecrecyFindings]], context: AuditContext) -> Iterator[CheckResult]:  # noqa: ARG002 - as every group judges
        problems = [leak for measurement in found for leak in measurement.value.leaks]
        yield require_no_problems(
            self.specs[0],
            problems,
            len(found),
            measured={"steps": sum(measurement.value.read for measurement in found)},
        )


def _list_texts(incident: Incident) -> Iterator[tuple[str, str]]:
    """List every text that an agent can get at, and where it comes from."""
    yield "the alert", json.dumps(incident.alert, ensure_ascii=False)
    yield "the summary", incident.summary
    plan = incident.plan
    stages = [
        UNTOUCHED,
        frozenset(harm.name for harm in plan.harms),
        frozenset(step.step for step in plan.steps),
    ]
    for progress in dict.fromkeys(stages):
        for diagnostic in DIAGNOSTICS:
            for service in incident.services:
                yield f"{diagnostic} of {service}", incident.evidence(diagnostic, service, progress).text


def _find_secrets(case: Case, texts: Sequence[tuple[str, str]]) -> Iterator[str]:
    incident = case.incident
    truth = incident.truth
    words = [sentence[:_OPENING] for sentence in (*incident.account.chain, truth.answer) if sentence]
    words += [harm.name for harm in incident.plan.harms] + [harm.means[:_OPENING] for harm in incident.plan.harms]
    secret = re.compile("|".join(map(re.escape, words))) if words else None
    for where, text in texts:
        for what, pattern in (
            ("words of the truth", secret),
            ("a family", _match_families()),
            ("machinery", _MACHINERY),
            ("a severity", _LEVEL),
        ):
            found = pattern.search(text) if pattern is not None else None
            if found is not None:
                yield f"{where} holds {what}: {found[0]!r}"
    yield from _find_root_names(incident, _list_victims(case), dict(texts[:2]))


def _match_service(name: str) -> re.Pattern[str]:
    """Match a name where it means a service. A single word is elsewhere an ordinary noun or part of a route."""
    before = r"(?<![\w/-])" if "-" in name else r"(?:[=@\"'\[(]|\b(?:to|from|by|at|calling|upstream|service) )"
    return re.compile(rf"{before}{re.escape(name)}(?![\w-])")


def _list_victims(case: Case) -> list[str]:
    """List the services that the fault reaches, except the root."""
    scene = case.generated.scene
    return sorted(scene.world.nodes[index].name for index in scene.touched if index != scene.fault.root)


def _find_root_names(incident: Incident, victims: Sequence[str], texts: dict[str, str]) -> Iterator[str]:
    """Find where a service names the root that it cannot know."""
    root = _match_service(incident.truth.service)
    if incident.truth.service not in incident.alert["affected_services"]:
        yield from (f"{where} names the root" for where, text in texts.items() if root.search(text))
    for service in victims:
        known = incident.evidence("check_dependencies", service, UNTOUCHED)
        if isinstance(known, Dependencies) and any(
            path.service == incident.truth.service for path in (*known.calls, *known.called_by)
        ):
            continue
        for diagnostic in _VICTIMS_DIAGNOSTICS:
            if root.search(incident.evidence(diagnostic, service, UNTOUCHED).text):
                yield f"{diagnostic} of {service} names the root, which it neither calls nor serves"


@lru_cache
def _match_families() -> re.Pattern[str]:
    """Match the names of fault families that are not ordinary words."""
    names = sorted(name for name in families() if "-" in name)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")


def _find_leaks(scenario: Scenario, actions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Find the truth in what an episode tells besides evidence, unless the agent named it itself."""
    incident = scenario.incident
    truth = incident.truth
    episode = begin("audited", Reference.to(scenario), scenario)
    secrets = [re.escape(sentence[:_OPENING]) for sentence in (*incident.account.chain, truth.answer) if sentence]
    secrets += [rf"{name}\b" for name in ("grade", "breakdown", "certificate", "debrief", "curves", "truth")]
    fixed = re.compile("|".join([*secrets, _LEVEL.pattern]))
    targets = {truth.service, *(step.target for step in incident.plan.steps)}
    named: set[str] = set()
    for action in actions:
        for where, text in _list_told_texts(episode, incident):
            found = fixed.search(text)
            if found is not None:
                yield f"{where} before step {episode.step_count + 1} holds {found[0]!r}"
            for target in targets - named:
                if re.search(rf"(?<![\w-]){re.escape(target)}(?![\w-])", text):
                    yield f"{where} before step {episode.step_count + 1} names {target!r}"
        if debrief(episode) is not None:
            yield f"a debrief before step {episode.step_count + 1}"
        taken = parse_action(action["action_type"], action["parameters"])
        named.update(str(value) for value in taken.parameters.model_dump().values())
        episode = advance(episode, taken)


def _list_told_texts(episode: Episode, incident: Incident) -> Iterator[tuple[str, str]]:
    """List what an episode tells, except the evidence and what every observation holds from the start."""
    seen: dict[str, Any] = {**observe(episode)}
    whole: dict[str, Any] = {**read_state(episode)}
    history = whole.pop("history")
    for name, content in (("the observation", seen), ("the state", whole)):
        told = {field: value for field, value in content.items() if field not in _GIVEN}
        yield name, _dump_without_services(told, incident)
    yield "the history", _dump_without_services([{**step, "action": None} for step in history], incident)
    yield "the report", _dump_without_services({**Transition(episode).report()}, incident)
    yield "the step's info", _dump_without_services({**Transition(episode, stepped=True).info()}, incident)


_GIVEN = {"alert", "incident_summary", "known_services", "available_actions", "queried_data"}


def _dump_without_services(content: Any, incident: Incident) -> str:
    """Dump as JSON, without the lists of all services: they name the root like every other service."""
    text = json.dumps(content, ensure_ascii=False)
    return text.replace(", ".join(incident.services), "")


def _find_early_rewards(scenario: Scenario) -> Iterator[str]:
    """Find a difference between a right and a wrong remediation where rewards are terminal; there must be none."""
    if not scenario.task.remediates or not scenario.incident.plan.steps:
        return
    right = carry_out(scenario.incident.plan.steps[0])
    planned = {step.step for step in scenario.incident.plan.steps}
    wrong = next(
        action
        for service in scenario.incident.services
        if (action := parse_action("clear_cache", {"service": service})).step not in planned
    )
    after = [
        advance(begin("audited", Reference.to(scenario, "terminal"), scenario), action).last
        for action in (right, wrong)
    ]
    feedback = {_strip_action(step) for step in after if step is not None}
    if len(feedback) != 1 or any(step is None or step.reward or step.events for step in after):
        yield f"terminal rewards tell {right.step} from {wrong.step}"


def _strip_action(step: Step) -> tuple[str, str | None]:
    return step.feedback.replace(step.action.step, ""), step.error
