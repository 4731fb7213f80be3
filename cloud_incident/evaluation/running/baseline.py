"""The baseline: a model plays the curated incidents in order; a scripted agent decides where the model does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import click

from cloud_incident.evaluation.agents import (
    AGENTS,
    LLM,
    EndpointSettings,
    Fallback,
    ModelEndpoint,
    Seat,
    SettingError,
    Usage,
    read_endpoint_settings,
)
from cloud_incident.evaluation.running.conditions import describe_conditions
from cloud_incident.evaluation.running.environments import InProcess
from cloud_incident.evaluation.running.episode_loop import play_attempt
from cloud_incident.evaluation.running.remote import RestEnvironment, read_token
from cloud_incident.evaluation.running.schedule import Attempt
from scenarios.catalogue import Catalogue
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloud_incident.evaluation.running.environments import Environment, EnvironmentReply
    from cloud_incident.evaluation.running.trajectory import StepTaken
    from scenarios.catalogue import Scenario

FALLBACK = "responder"
"""The agent that decides where the model does not, if no other is named."""

_LONGEST_ACTION = 60
"""Characters of an action in the line of its step."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The model that plays, and the name of the agent that decides where the model does not.

    `url` is the server to play on, which may ask for a `token`; if it is empty, the episodes are played in process.
    """

    endpoint: EndpointSettings
    fallback: str = FALLBACK
    url: str = ""
    token: str = field(default="", repr=False)

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Baseline:
        """Make the baseline that the variables of the environment ask for. An empty variable counts as unset.

        `FALLBACK_AGENT` names the agent that decides where the model does not, `ENV_URL` the server to play on,
        `CLOUD_INCIDENT_TOKEN` the token that it asks for; `read_endpoint_settings` reads the others.

        Raises:
            SettingError: if a variable cannot be read, or there is no agent of the fallback's name.
        """
        fallback = variables.get("FALLBACK_AGENT") or FALLBACK
        if fallback not in AGENTS:
            raise SettingError(f"FALLBACK_AGENT: there is no agent {fallback!r}. Agents: {', '.join(AGENTS)}.")
        try:
            token = read_token(variables.get("CLOUD_INCIDENT_TOKEN", ""))
        except ValueError as error:
            raise SettingError(f"CLOUD_INCIDENT_TOKEN: {error}") from None
        return cls(read_endpoint_settings(variables), fallback, variables.get("ENV_URL", "").rstrip("/"), token)


async def run_baseline(baseline: Baseline) -> bool:
    """Play the curated scenarios in order, and print every step and a table of scores.

    Returns whether all episodes were played to their end.

    Raises:
        BrokenError: if the model cannot be asked and no agent can decide in its place.
    """
    catalogue, endpoint = Catalogue(), ModelEndpoint(baseline.endpoint)
    environment = RestEnvironment(baseline.url, baseline.token) if baseline.url else InProcess(catalogue)
    scenarios = list(catalogue.scenarios.values())
    about = describe_conditions()
    click.echo(
        f"{baseline.endpoint.model} at {baseline.endpoint.base_url}, temperature {baseline.endpoint.temperature:g}"
    )
    click.echo(f"version {about['version']}, {datetime.now(UTC):%Y-%m-%d}, {baseline.url or about['surface']}")
    try:
        episodes = [await _play_scenario(baseline, endpoint, environment, scenario) for scenario in scenarios]
        scores = {scenario.id: episode.score for scenario, episode in zip(scenarios, episodes, strict=True)}
        click.echo("\n".join(["", *format_score_table(scenarios, scores), "", _format_totals(baseline, episodes)]))
    finally:
        await endpoint.close()
        await environment.close()
    return all(episode.score is not None for episode in episodes)


class _EpisodeOutcome(NamedTuple):
    """The result of one scenario: its score (0.0 to 1.0), and how many steps the model and the fallback decided.

    An episode that failed has no score.
    """

    score: float | None
    by_model: int
    by_fallback: int
    usage: Usage


async def _play_scenario(
    baseline: Baseline, endpoint: ModelEndpoint, environment: Environment, scenario: Scenario
) -> _EpisodeOutcome:
    attempt = Attempt(baseline.endpoint.model, scenario.id)
    scripted = AGENTS[baseline.fallback](Seat(scenario, attempt.agent_seed))
    agent = Fallback(LLM(endpoint), scripted, baseline.fallback)
    deciders: Counter[bool] = Counter()  # steps, by whether the fallback decided them

    def print_step(step: StepTaken, reply: EnvironmentReply) -> None:
        deciders[agent.fell_back] += 1
        click.echo(_format_step(step, reply))

    trajectory = await play_attempt(attempt, scenario, agent, environment, print_step)
    score, reason = trajectory["score"], trajectory.get("failed") or trajectory.get("gave_up", "")
    told = "none" if score is None else f"{score:.4f}"
    click.echo(f"{scenario.id} score {told}{f'  [{reason}]' if reason else ''}")
    return _EpisodeOutcome(score, deciders[False], deciders[True], Usage(**trajectory["usage"]))


def _format_step(step: StepTaken, reply: EnvironmentReply) -> str:
    shown, action = reply.observation, step["action"]
    text = " ".join([action["action_type"], *map(str, action["parameters"].values())])
    short = text if len(text) <= _LONGEST_ACTION else f"{text[: _LONGEST_ACTION - 3]}..."
    note = f"  [{step['note']}]" if step["note"] else ""
    return f"{shown['scenario_id']} {shown['step_count']:>2}/{shown['max_steps']} {short} {step['reward']:+.2f}{note}"


def format_score_table(scenarios: Iterable[Scenario], scores: Mapping[str, float | None]) -> list[str]:
    """Format the scores as lines of text: a line for each task, and last the mean of the averages of the tasks.

    A scenario without a score belongs into no average; a last line counts those that there are.
    """
    by_task: dict[str, list[float | None]] = {}
    for scenario in scenarios:
        by_task.setdefault(scenario.task.id, []).append(scores[scenario.id])
    most = max(map(len, by_task.values()))
    rows = [["Task", "Difficulty", *(f"S{index}" for index in range(most)), "Average"]]
    averages = []
    for task in TASKS.values():
        if played := by_task.get(task.id):
            earned = [score for score in played if score is not None]
            averages += [fmean(earned)] if earned else []
            cells = [_format_score(score) for score in played] + [""] * (most - len(played))
            rows.append([task.id, task.tier.capitalize(), *cells, _format_score(fmean(earned) if earned else None)])
    rows.append(["Overall", *[""] * (most + 1), _format_score(fmean(averages) if averages else None)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    failed = sum(score is None for score in scores.values())
    return [*lines, f"{failed} of {len(scores)} failed and are in no average."] if failed else lines


def _format_score(score: float | None) -> str:
    return "none" if score is None else f"{score:.2f}"


def _format_totals(baseline: Baseline, episodes: Iterable[_EpisodeOutcome]) -> str:
    by_model = by_fallback = 0
    usage = Usage()
    for episode in episodes:
        by_model, by_fallback = by_model + episode.by_model, by_fallback + episode.by_fallback
        usage = usage.add(episode.usage)
    cost = f", {usage.cost:.4f} US dollars" if usage.cost else ""
    return (
        f"The model decided {by_model} steps, {baseline.fallback} {by_fallback}. "
        f"Tokens: {usage.prompt_tokens} in, {usage.completion_tokens} out{cost}."
    )
