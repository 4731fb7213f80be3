"""The stated set of actions of an incident: within it the search is exact."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from env_core.episode import begin
from env_core.perfect import answer_perfectly, carry_out, look_at, play_perfectly
from env_core.reference import Reference
from env_core.transition import step
from scenarios.parsing import parse_action
from scenarios.progress import PlanStep
from scenarios.running.incident import RunningIncident
from scenarios.running.planning import plan_deed
from scenarios.vocabulary import (
    CHECK_RECENT_DEPLOYS,
    DIAGNOSTICS,
    EXECUTE_RUNBOOK_STEP,
    Remediation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from env_core.episode import Episode
    from scenarios.catalogue import Scenario
    from scenarios.incident import Incident, Item
    from scenarios.proofs import Proof
    from scenarios.proofs.operating import Deed
    from scenarios.vocabulary import Action

WATCH = parse_action(EXECUTE_RUNBOOK_STEP.name, {"runbook_action": "watch"})
_MOST_TRIED = 8
"""Deeds that are judged until one is found that is neutral, and one that is wrong."""


class Moves(NamedTuple):
    """What somebody may do: looks, those that may be taken again, remediations, and answers, the right one first.

    `recovery` are the looks of which one may show the recovery. `idle` ones rule out nothing and show no recovery. They
    differ only in what they pay, so they are taken in this order: first those that pay most.
    """

    looks: tuple[Item, ...]
    idle: tuple[Item, ...]
    again: frozenset[Item]
    recovery: frozenset[Item]
    remedies: tuple[Action, ...]

    def list_actions(self, episode: Episode) -> Iterator[Action]:
        """The actions of the set at some point of an episode, the answers last."""
        for item in self.looks:
            if item not in episode.shown or item in self.again:
                yield look_at(item)
        yield from (look_at(item) for item in [item for item in self.idle if item not in episode.shown][:1])
        yield from self.remedies
        yield answer_rightly(episode)
        yield answer_wrongly(episode)


def choose_moves(scenario: Scenario, proof: Proof | None) -> Moves:
    """The set for a scenario.

    It has the looks of the smallest certificate, as many that rule out nothing as there are steps, and, where repairs
    are asked for, one that can show the recovery; the first of the certificate and that one may be taken again. Of
    remediations it has the operations of two accepted repairs (or the plan), one that is neutral, one that is wrong,
    and `watch`; in root_cause_analysis only the first of the best repair.
    """
    incident, task = scenario.incident, scenario.task
    perfect = play_perfectly(incident, task)
    until = next(place for place, action in enumerate(perfect) if action.name not in DIAGNOSTICS)
    certificate = [(action.name, action.target) for action in perfect[:until]]
    shown = [(action.name, action.target) for action in perfect[until:] if action.name in DIAGNOSTICS]
    looks = tuple(dict.fromkeys((*certificate, *shown)))
    chance = random.Random(incident.digest)  # noqa: S311 - the same set in every run
    remedies = tuple(_choose_remedies(scenario, proof, chance))
    idle = tuple(_list_idle_looks(scenario, proof, remedies, looks))[: task.max_steps]
    # Who looks at what was deployed sees no users. A plan may change that too.
    runs = isinstance(incident, RunningIncident)
    recovery = frozenset(item for item in looks if not runs or item[0] != CHECK_RECENT_DEPLOYS.name)
    return Moves(looks, idle, frozenset((*certificate[:1], *shown)), recovery, remedies)


def _choose_remedies(scenario: Scenario, proof: Proof | None, chance: random.Random) -> dict[Action, None]:
    """The remediations of the set, in its order."""
    incident = scenario.incident
    planned = [carry_out(step) for step in incident.plan.steps]
    if not scenario.task.asks_repair:
        return dict.fromkeys(planned[:1])
    if proof is None or not isinstance(incident, RunningIncident):
        return dict.fromkeys((*planned, *_list_outside_plan(scenario)))
    best = proof.repairs[0]
    other = next((repair for repair in proof.repairs if set(repair) != set(best)), ())
    planned += [carry_out(_plan_deed(incident, deed)) for deed in other]
    tried = [carry_out(_plan_deed(incident, deed)) for deed in _list_other_deeds(incident, proof, chance)]
    return dict.fromkeys((*planned, *_choose_by_outcome(scenario, tried), WATCH))


def _plan_deed(incident: RunningIncident, deed: Deed) -> PlanStep:
    """A deed of a proof as a step that somebody can take: as the plan has it, if it does."""
    known = (step for step in incident.plan.steps if deed in {(step.action, step.target), (step.target, step.on)})
    return next(known, None) or plan_deed(incident.system, deed)


def answer_rightly(episode: Episode) -> Action:
    """The perfect answer; where repairs are asked for, it tells those that were made."""
    answer = answer_perfectly(episode.incident, episode.task)
    if not episode.task.asks_repair:
        return answer
    deeds = dict.fromkeys(
        declared.deed.format(target=taken.action.target)
        for taken in episode.steps
        if isinstance(declared := taken.action.declaration, Remediation) and taken.action != WATCH
    )
    before, told, after = str(answer.parameters.model_dump()["summary"]).partition("To repair it we ")
    repaired = f"{told}{', '.join(deeds)}" if deeds else "We have repaired nothing so far"
    return parse_action(answer.name, {"summary": f"{before}{repaired}. {after.partition('. ')[2]}"})


def answer_wrongly(episode: Episode) -> Action:
    """An answer that names another service, in the words of the right one."""
    service = next(name for name in episode.incident.services if name != episode.incident.truth.service)
    if episode.task.asks_repair:
        summary = f"The incident started in {service} and we restarted {service}. Then it was well again for all users."
        return parse_action(episode.task.submission.name, {"summary": summary})
    right = answer_perfectly(episode.incident, episode.task).parameters.model_dump()
    return parse_action(episode.task.submission.name, {**right, "service": service})


def _list_idle_looks(
    scenario: Scenario, proof: Proof | None, remedies: tuple[Action, ...], looks: tuple[Item, ...]
) -> Iterator[Item]:
    """Looks that rule out nothing and show no recovery, first one at each service that is not looked at otherwise."""
    incident = scenario.incident
    useful = {item for certificate in incident.certificates(scenario.task.id) for item in certificate}
    for written, mask in (proof.masks if proof else {}).items():
        diagnostic, _, name = written.partition(" ")
        useful |= {(diagnostic, name)} if int(mask, 16) else set()
    touched = {name for action in remedies for name in action.parameters.model_dump().values()}
    touched |= {*incident.alert["affected_services"], incident.truth.service, *(service for _, service in looks)}
    services = [name for name in incident.services if name not in touched]
    items = {
        name: [each for each in DIAGNOSTICS if (each, name) not in useful and _is_steady(incident, each, name)]
        for name in services
    }
    for place in range(len(DIAGNOSTICS)):
        yield from ((of[place], name) for name, of in items.items() if place < len(of))


def _is_steady(incident: Incident, diagnostic: str, service: str) -> bool:
    """Whether a plan changes nothing of what a look shows. Of a system that runs every look shows something else."""
    if isinstance(incident, RunningIncident):
        return True
    steps = [step.step for step in incident.plan.steps]
    progress = [frozenset(steps[:count]) for count in range(len(steps) + 1)]
    return len({incident.evidence(diagnostic, service, each).text for each in progress}) == 1


def _list_other_deeds(incident: RunningIncident, proof: Proof, chance: random.Random) -> Iterator[Deed]:
    """Operations that are no part of an accepted repair: a cordon, then restarts and more instances by chance."""
    planned = {deed for repair in proof.repairs for deed in repair}
    others = [(name, service) for name in ("restart_service", "scale_service") for service in incident.services]
    chance.shuffle(others)
    first = [("cordon_zone", zone) for zone in incident.system.zones[:1]]
    yield from (deed for deed in (*first, *others) if deed not in planned)


def _choose_by_outcome(scenario: Scenario, actions: list[Action]) -> Iterator[Action]:
    """The first action that is neutral and the first that is wrong, of as many as are tried."""
    found: set[str] = set()
    start = begin("tried", Reference.to(scenario), scenario)
    for action in actions[:_MOST_TRIED]:
        last = step(start, action).episode.last
        event = last.events[0][0] if last is not None else ""
        if event in {"ineffective_remediation", "wrong_remediation"} and event not in found:
            found.add(event)
            yield action
        if len(found) == len({"neutral", "wrong"}):
            return


def _list_outside_plan(scenario: Scenario) -> Iterator[Action]:
    """A verification that is not in the plan, which is neutral, and a restart that is wrong."""
    incident = scenario.incident
    planned = {step.target for step in incident.plan.steps}
    runbook = incident.begin().runbook
    verification = next(name for name, entry in runbook.items() if entry.verify and name not in planned)
    yield carry_out(PlanStep(EXECUTE_RUNBOOK_STEP.name, verification))
    yield carry_out(PlanStep("restart_service", next(name for name in incident.services if name not in planned)))
