"""Decides whether an incident is fit to serve: by lint, by perfect play, and by what cheats earn on it."""

from __future__ import annotations

from fractions import Fraction
from statistics import mean
from typing import TYPE_CHECKING

from cloud_incident.evaluation.audit.exploits import (
    RANDOM_CEILING,
    draw_random_play,
    list_cheat_plays,
    list_constant_answers,
)
from cloud_incident.evaluation.running import get_score, play_actions
from env_core.perfect import play_perfectly
from graders.prose import affirms, find_affirmed
from graders.reasons import render_reasons
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
"""Plays over which the mean of random play is taken."""
MOST_COPIED_MATCH = Fraction(1, 3)
"""How far the summary or the alert, copied as a failure mode, may match."""
_COLUMN = 45
"""Width of the names in the report, in characters."""


def list_scenarios(incident: Incident) -> list[Scenario]:
    """List the scenarios of an incident, one for each of its tasks."""
    return [Scenario(scenario_id, TASKS[task_id], incident) for task_id, scenario_id in incident.scenarios.items()]


def find_defects(incident: AuthoredIncident) -> list[str]:
    """Find everything that makes an incident unfit to serve, a sentence each; empty if it is fit."""
    found = [*lint(incident), *_find_copied_answers(incident), *_find_unreadable_terms(incident)]
    if found:
        return found
    return [finding for scenario in list_scenarios(incident) for finding in _find_play_defects(scenario)]


def report_fitness(path: Path) -> tuple[str, bool]:
    """Report on a document as `cloud-incident lint` prints it; and give whether it is fit.

    Raises:
        DocumentError: if the document does not load.
    """
    incident = load_document(path)
    found = [*_find_id_clashes(incident), *find_defects(incident)]
    lines = [f"{incident.id}: {len(incident.services)} services, {len(incident.plan.steps)} plan steps"]
    if found:
        return "\n".join([*lines, *(f"  ✗ {finding}" for finding in found)]), False
    for scenario in list_scenarios(incident):
        perfect = play_actions(scenario, play_perfectly(incident, scenario.task))
        lines.append(f"{scenario.id} {scenario.task.id}")
        lines.append(f"  {'perfect play'.ljust(_COLUMN)}  {get_score(perfect):.2f}  {perfect.step_count} steps")
        lines += [
            f"  {name.ljust(_COLUMN)}  {earned:.2f}  ceiling {ceiling:.2f}"
            for name, earned, ceiling in play_cheats(scenario)
        ]
    return "\n".join([*lines, "fit to serve"]), True


def _find_id_clashes(incident: AuthoredIncident) -> Iterator[str]:
    """Find ids that a curated incident has already, unless the document is that incident."""
    curated = Catalogue()
    if incident.id in curated.incidents and incident.digest != curated.incidents[incident.id].digest:
        yield f"The curated incidents have a document called {incident.id} already."
    for scenario_id in incident.scenarios.values():
        if scenario_id in curated.scenarios and curated.scenarios[scenario_id].incident.id != incident.id:
            yield f"{scenario_id} is a curated scenario's id; choose another."


def play_cheats(scenario: Scenario) -> Iterator[tuple[str, float, float]]:
    """Play each standard cheat, and give its name, its score and its ceiling."""
    for cheat in list_cheat_plays(scenario):
        yield cheat.name, get_score(play_actions(scenario, cheat.actions)), cheat.ceiling
    if scenario.task.remediates:
        earned = mean(
            get_score(play_actions(scenario, draw_random_play(scenario, seed))) for seed in range(RANDOM_PLAYS)
        )
        yield f"random legal play, mean of {RANDOM_PLAYS}", earned, RANDOM_CEILING
    elif "severity" in scenario.task.submission.parameters.model_fields:
        for level, actions in list_constant_answers().items():
            yield f"always {level}", get_score(play_actions(scenario, actions)), 1.0


def _find_copied_answers(incident: Incident) -> Iterator[str]:
    alert = incident.alert
    texts = {
        "summary": incident.summary,
        "alert": "\n".join([alert["summary"], alert["description"], *alert["symptoms"]]),
    }
    if not any(TASKS[task_id].asks_evidence for task_id in incident.scenarios):
        return
    for name, text in texts.items():
        match, reason = match_failure_mode(text, incident.truth)
        if match > MOST_COPIED_MATCH:
            found = f"matches to {float(match):.2f}, of {float(MOST_COPIED_MATCH):.2f} at most"
            yield f"The {name}, copied as a failure mode, {found}: {render_reasons(reason)}."


def _find_unreadable_terms(incident: Incident) -> Iterator[str]:
    """Find words of the truth that the grader would not read as they are meant."""
    for group in incident.truth.concepts:
        for term in group:
            if not affirms(term.replace("*", ""), term):
                yield f"The concept term {term!r} is never affirmed, not even by itself."
    truth = incident.truth
    match, reason = match_failure_mode(truth.answer, truth)
    if truth.answer and match < 1 and incident.plan.steps:
        yield f"The answer matches to {float(match):.2f} only ({render_reasons(reason)})."
    told = find_affirmed("\n".join(incident.account.chain), truth.concepts).groups
    if not truth.answer and not all(told) and incident.plan.steps:
        missing = ", ".join(str(number) for number, is_told in enumerate(told, 1) if not is_told)
        yield f"The causal chain does not say what these groups of concepts mean: {missing}."


def _find_play_defects(scenario: Scenario) -> Iterator[str]:
    perfect = play_actions(scenario, play_perfectly(scenario.incident, scenario.task))
    if get_score(perfect) != 1.0:
        given = "; ".join(f"{point.name}: {point.reason}" for point in perfect.grade.breakdown) if perfect.grade else ""
        yield f"{scenario.id}: perfect play scores {get_score(perfect):.4f}. {given}"
    for name, earned, ceiling in play_cheats(scenario):
        if earned > ceiling:
            yield f"{scenario.id}: {name} earns {earned:.4f}; its ceiling is {ceiling:.2f}."
