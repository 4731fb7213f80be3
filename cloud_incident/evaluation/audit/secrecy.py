"""Does anything tell the answer that should not? What can be fetched, and what is said before the end."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from cloud_incident.evaluation.audit.check import Check, Found, Group, Spec, none_of
from env_core.episode import Reference, advance, begin
from env_core.observation import debrief, observe, read_state
from env_core.perfect import carry_out
from env_core.transition import Transition
from scenarios.generator.library import families
from scenarios.parsing import parse_action
from scenarios.progress import UNTOUCHED
from scenarios.vocabulary import DIAGNOSTICS, Dependencies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import Context
    from env_core.episode import Episode, Step
    from scenarios.catalogue import Scenario
    from scenarios.incident import Incident

_WITNESSES = ("responder", "shotgun", "random")
"""Those whose episodes are read along: one who works, one who tries every remediation, one who errs."""

_MACHINERY = re.compile(
    r"setback|\b[A-Z][A-Za-z]+\([a-z_]+=|object at 0x|frozenset\(|\{[a-z_]+(?::[^}]*)?\}"
    r"|(?<![\w-])(?:None|nan|inf)(?![\w-])"
)
_LEVEL = re.compile(r"(?<!P1 to )(?<!P1-)\bP[1-4]\b(?!(?: to |-)P4)")
"""A severity, but where all of them are listed."""
_OPENING = 40
_TOLD_BY_OTHERS = ("query_logs", "check_recent_deploys", "check_service_status")


class Kept(NamedTuple):
    """Of one incident: what gives the answer away, and how many texts or steps were read."""

    found: list[str]
    texts: int


class Containment(Group[Kept]):
    """Oracle containment: the truth is nowhere to be fetched."""

    specs = (
        Spec(
            "runtime.oracle_containment",
            "No alert, summary or evidence of any service, before or after repairs and harm, holds the words of the "
            "truth (chain, answer, severity, names of families and harms) or a trace of the machinery, and no "
            "victim names a root that it neither calls nor serves",
            "none",
        ),
    )

    def measure(self, case: Case) -> Kept:
        texts = list(_fetchable(case.incident))
        return Kept([f"{case.name}: {finding}" for finding in _telling(case, texts)], len(texts))

    def judge(self, found: Sequence[Found[Kept]], context: Context) -> Iterator[Check]:  # noqa: ARG002 - as every group judges
        problems = [finding for one in found for finding in one.value.found]
        yield none_of(self.specs[0], problems, len(found), measured={"texts": sum(one.value.texts for one in found)})


class Leakage(Group[Kept]):
    """No solution leakage: nothing but evidence tells anything before the end."""

    specs = (
        Spec(
            "semantic.no_solution_leakage",
            "Before the end no observation, state, feedback, error or report holds a grade, the chain, the severity, "
            "the plan, or a root that the agent has not named itself; terminal rewards do not tell right from wrong",
            "none",
        ),
    )

    def measure(self, case: Case) -> Kept:
        said: list[str] = []
        count = 0
        for scenario in case.scenarios.values():
            for agent in _WITNESSES:
                actions = [step["action"] for step in case.played(agent, scenario.task.id)["steps"]]
                said += [f"{scenario.id}, {agent}: {finding}" for finding in _leaks(scenario, actions)]
                count += len(actions)
            said += [f"{scenario.id}: {finding}" for finding in _rewarded_early(scenario)]
        return Kept(said, count)

    def judge(self, found: Sequence[Found[Kept]], context: Context) -> Iterator[Check]:  # noqa: ARG002 - as every group judges
        problems = [finding for one in found for finding in one.value.found]
        yield none_of(self.specs[0], problems, len(found), measured={"steps": sum(one.value.texts for one in found)})


def _fetchable(incident: Incident) -> Iterator[tuple[str, str]]:
    """Every text that an agent could come by, and where from."""
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


def _telling(case: Case, texts: Sequence[tuple[str, str]]) -> Iterator[str]:
    incident = case.incident
    truth = incident.truth
    words = [sentence[:_OPENING] for sentence in (*truth.chain, truth.answer) if sentence]
    words += [harm.name for harm in incident.plan.harms] + [harm.means[:_OPENING] for harm in incident.plan.harms]
    secret = re.compile("|".join(map(re.escape, words))) if words else None
    for where, text in texts:
        for what, pattern in (
            ("words of the truth", secret),
            ("a family", _families()),
            ("machinery", _MACHINERY),
            ("a severity", _LEVEL),
        ):
            found = pattern.search(text) if pattern is not None else None
            if found is not None:
                yield f"{where} holds {what}: {found[0]!r}"
    yield from _named(incident, _victims(case), dict(texts[:2]))


def _as_service(name: str) -> re.Pattern[str]:
    """A name where it means a service. One of a single word is an ordinary noun, or part of a route, elsewhere."""
    before = r"(?<![\w/-])" if "-" in name else r"(?:[=@\"'\[(]|\b(?:to|from|by|at|calling|upstream|service) )"
    return re.compile(rf"{before}{re.escape(name)}(?![\w-])")


def _victims(case: Case) -> list[str]:
    """The services that the fault reaches. What others say of anything is said of something else."""
    scene = case.generated.scene
    return sorted(scene.world.nodes[index].name for index in scene.touched if index != scene.fault.root)


def _named(incident: Incident, victims: Sequence[str], told: dict[str, str]) -> Iterator[str]:
    """Where the root is named by somebody who would not know it."""
    root = _as_service(incident.truth.service)
    if incident.truth.service not in incident.alert["affected_services"]:
        yield from (f"{where} names the root" for where, text in told.items() if root.search(text))
    for service in victims:
        known = incident.evidence("check_dependencies", service, UNTOUCHED)
        if isinstance(known, Dependencies) and any(
            path.service == incident.truth.service for path in (*known.calls, *known.called_by)
        ):
            continue
        for diagnostic in _TOLD_BY_OTHERS:
            if root.search(incident.evidence(diagnostic, service, UNTOUCHED).text):
                yield f"{diagnostic} of {service} names the root, which it neither calls nor serves"


@lru_cache
def _families() -> re.Pattern[str]:
    """The names of families that are no ordinary words."""
    names = sorted(name for name in families() if "-" in name)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")


def _leaks(scenario: Scenario, actions: Sequence[dict[str, Any]]) -> Iterator[str]:
    """What is said to the player of an episode, beside the evidence and what it said itself."""
    incident = scenario.incident
    truth = incident.truth
    episode = begin("audited", Reference.to(scenario), scenario)
    secrets = [re.escape(sentence[:_OPENING]) for sentence in (*truth.chain, truth.answer) if sentence]
    secrets += [rf"{name}\b" for name in ("grade", "breakdown", "certificate", "debrief", "truth")]
    fixed = re.compile("|".join([*secrets, _LEVEL.pattern]))
    targets = {truth.service, *(step.target for step in incident.plan.steps)}
    named: set[str] = set()
    for action in actions:
        for where, text in _said(episode, incident):
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


def _said(episode: Episode, incident: Incident) -> Iterator[tuple[str, str]]:
    """What is told beside the evidence, and what stands in every observation from the start."""
    seen: dict[str, Any] = {**observe(episode)}
    whole: dict[str, Any] = {**read_state(episode)}
    history = whole.pop("history")
    for name, told in (("the observation", seen), ("the state", whole)):
        yield name, _text({field: told[field] for field in told if field not in _GIVEN}, incident)
    yield "the history", _text([{**one, "action": None} for one in history], incident)
    yield "the report", _text({**Transition(episode).report()}, incident)
    yield "the step's info", _text({**Transition(episode, stepped=True).info()}, incident)


_GIVEN = {"alert", "incident_summary", "known_services", "available_actions", "queried_data"}


def _text(told: Any, incident: Incident) -> str:
    """JSON without the lists of all services, in which each stands alike."""
    text = json.dumps(told, ensure_ascii=False)
    return text.replace(", ".join(incident.services), "")


def _rewarded_early(scenario: Scenario) -> Iterator[str]:
    """Where rewards are terminal, a right remediation and a wrong one are told apart by nothing."""
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
    told = {_unmarked(step) for step in after if step is not None}
    if len(told) != 1 or any(step is None or step.reward or step.events for step in after):
        yield f"terminal rewards tell {right.step} from {wrong.step}"


def _unmarked(step: Step) -> tuple[str, str | None]:
    return step.feedback.replace(step.action.step, ""), step.error
