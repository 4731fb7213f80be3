"""Whether an incident is fit to serve: its findings, its perfect play, and what cheats would earn on it."""

from __future__ import annotations

from fractions import Fraction
from statistics import mean
from typing import TYPE_CHECKING

from cloud_incident.evaluation.exploits import RANDOM_CEILING, cheats, constant_answers, random_play
from cloud_incident.evaluation.play import play, score
from env_core.perfect import play_perfectly
from graders.prose import affirms
from graders.root_cause import match_failure_mode
from scenarios.catalogue import Catalogue, Scenario
from scenarios.lint import lint
from scenarios.loading import load_document
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenarios.authored import AuthoredIncident
    from scenarios.incident import Incident

RANDOM_PLAYS = 200
MOST_COPIED_MATCH = Fraction(1, 3)
_COLUMN = 45


def scenarios_of(incident: Incident) -> list[Scenario]:
    """The scenarios set on one incident."""
    return [Scenario(scenario_id, TASKS[task_id], incident) for task_id, scenario_id in incident.scenarios.items()]


def findings(incident: AuthoredIncident) -> list[str]:
    """Everything that keeps an incident from being served, one sentence each."""
    found = [*lint(incident), *_copied(incident), *_unworded(incident)]
    if found:
        return found
    return [finding for scenario in scenarios_of(incident) for finding in _played(scenario)]


def report(path: Path) -> tuple[str, bool]:
    """What lint prints of a document, and whether it is fit.

    Raises:
        DocumentError: if the document does not load.
    """
    incident = load_document(path)
    found = [*_clashes(incident), *findings(incident)]
    lines = [f"{incident.id}: {len(incident.services)} services, {len(incident.plan.steps)} plan steps"]
    if found:
        return "\n".join([*lines, *(f"  ✗ {finding}" for finding in found)]), False
    for scenario in scenarios_of(incident):
        perfect = play(scenario, play_perfectly(incident, scenario.task))
        lines.append(f"{scenario.id} {scenario.task.id}")
        lines.append(
            f"  perfect play                                   {score(perfect):.2f}  {perfect.step_count} steps"
        )
        lines += [
            f"  {name.ljust(45)}  {earned:.2f}  ceiling {ceiling:.2f}" for name, earned, ceiling in cheated(scenario)
        ]
    return "\n".join([*lines, "fit to serve"]), True


def _clashes(incident: AuthoredIncident) -> Iterator[str]:
    """Ids that the curated incidents have already; a document that is one of them has them by right."""
    curated = Catalogue()
    if incident.id in curated.incidents and incident.digest != curated.incidents[incident.id].digest:
        yield f"The curated incidents have a document called {incident.id} already."
    for scenario_id in incident.scenarios.values():
        if scenario_id in curated.scenarios and curated.scenarios[scenario_id].incident.id != incident.id:
            yield f"{scenario_id} is a curated scenario's id; choose another."


def cheated(scenario: Scenario) -> Iterator[tuple[str, float, float]]:
    """Each standard cheat with what it earns and its ceiling."""
    for cheat in cheats(scenario):
        yield cheat.name, score(play(scenario, cheat.actions)), cheat.ceiling
    if scenario.task.remediates:
        earned = mean(score(play(scenario, random_play(scenario, seed))) for seed in range(RANDOM_PLAYS))
        yield f"random legal play, mean of {RANDOM_PLAYS}", earned, RANDOM_CEILING
    else:
        for level, actions in constant_answers().items():
            yield f"always {level}", score(play(scenario, actions)), 1.0


def _copied(incident: Incident) -> Iterator[str]:
    alert = incident.alert
    told = {
        "summary": incident.summary,
        "alert": "\n".join([alert["summary"], alert["description"], *alert["symptoms"]]),
    }
    if set(incident.scenarios) == {"alert_classification"}:
        return
    for name, text in told.items():
        match, reason = match_failure_mode(text, incident.truth)
        if match > MOST_COPIED_MATCH:
            yield f"The {name}, copied as a failure mode, matches to {float(match):.2f} ({reason}); at most 0.33 may."


def _unworded(incident: Incident) -> Iterator[str]:
    """Words of the truth that its own grader would not read as meant."""
    for group in incident.truth.concepts:
        for term in group:
            if not affirms(term.replace("*", ""), term):
                yield f"The concept term {term!r} is never affirmed, not even by itself."
    answer = incident.truth.answer
    match, reason = match_failure_mode(answer or " ".join(incident.truth.chain), incident.truth)
    if match < 1 and incident.plan.steps:
        told = "The answer" if answer else "The causal chain, offered as a failure mode,"
        yield f"{told} matches to {float(match):.2f} only ({reason})."


def _played(scenario: Scenario) -> Iterator[str]:
    perfect = play(scenario, play_perfectly(scenario.incident, scenario.task))
    if score(perfect) != 1.0:
        given = "; ".join(f"{point.name}: {point.reason}" for point in perfect.grade.breakdown) if perfect.grade else ""
        yield f"{scenario.id}: perfect play scores {score(perfect):.4f}. {given}"
    for name, earned, ceiling in cheated(scenario):
        if earned > ceiling:
            yield f"{scenario.id}: {name} earns {earned:.4f}; its ceiling is {ceiling:.2f}."
