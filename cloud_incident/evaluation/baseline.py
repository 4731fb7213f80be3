"""The baseline: a model, with a scripted agent behind it, plays the curated incidents in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from cloud_incident.evaluation.agents import AGENTS
from cloud_incident.evaluation.agents.agent import Seat, Usage
from cloud_incident.evaluation.agents.endpoint import Endpoint, EndpointSettings
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.replies import Prices
from cloud_incident.evaluation.environments import InProcess
from cloud_incident.evaluation.playing import played
from cloud_incident.evaluation.remote import Rest
from cloud_incident.evaluation.schedule import Attempt
from scenarios.catalogue import Catalogue
from scenarios.vocabulary import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloud_incident.evaluation.environments import Environment, Reply
    from cloud_incident.evaluation.trajectory import StepTaken
    from scenarios.catalogue import Scenario

FALLBACK = "responder"
"""The agent that decides where the model does not, unless another is named."""

_LONGEST_ACTION = 60


class SettingError(Exception):
    """A variable of the environment that cannot be read. The message says which, and what it takes."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The model to play, and the agent, by name, that decides where the model does not.

    `url` is a server to play on; in process without.
    """

    endpoint: EndpointSettings
    fallback: str = FALLBACK
    url: str = ""

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Baseline:
        """The baseline that a user's environment asks for; an empty variable is as good as none.

        `MAX_SECONDS` bounds the whole run, `REQUEST_SECONDS` one request, `RETRY_SECONDS` the first wait before another
        attempt; `PROMPT_PRICE` and `COMPLETION_PRICE` are US dollars for a million tokens.

        Raises:
            SettingError: if a number is none, the address or the key is none that can be used, or there is no agent of
                the fallback's name.
        """
        fallback = variables.get("FALLBACK_AGENT") or FALLBACK
        if fallback not in AGENTS:
            raise SettingError(f"FALLBACK_AGENT: there is no agent {fallback!r}. Agents: {', '.join(AGENTS)}.")
        return cls(_endpoint(variables), fallback, variables.get("ENV_URL", "").rstrip("/"))


def _endpoint(variables: Mapping[str, str]) -> EndpointSettings:
    number = partial(_number, variables)
    try:
        return EndpointSettings(
            base_url=variables.get("API_BASE_URL") or "https://router.huggingface.co/v1",
            model=variables.get("MODEL_NAME") or "meta-llama/Llama-3.1-8B-Instruct",
            api_key=(variables.get("API_KEY") or variables.get("HF_TOKEN") or "").strip(),
            total_seconds=number("MAX_SECONDS", 1200.0),
            request_seconds=number("REQUEST_SECONDS", 60.0),
            first_wait=number("RETRY_SECONDS", 1.0),
            requests_per_minute=number("REQUESTS_PER_MINUTE", 0.0),
            prices=Prices(number("PROMPT_PRICE", 0.0), number("COMPLETION_PRICE", 0.0)),
        )
    except ValueError as error:
        raise SettingError(str(error)) from error


def _number(variables: Mapping[str, str], name: str, default: float) -> float:
    written = variables.get(name) or str(default)
    try:
        number = float(written)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise SettingError(f"{name} takes a number, 0 or more, not {written!r}.")
    return number


async def run_baseline(baseline: Baseline) -> bool:
    """Play the curated scenarios in order, print every step and the table of scores; whether all were played."""
    catalogue, endpoint = Catalogue(), Endpoint(baseline.endpoint)
    environment = Rest(baseline.url) if baseline.url else InProcess(catalogue)
    scenarios = list(catalogue.scenarios.values())
    click.echo(f"{baseline.endpoint.model} at {baseline.endpoint.base_url}")
    try:
        episodes = [await _episode(baseline, endpoint, environment, scenario) for scenario in scenarios]
        scores = {scenario.id: episode.score for scenario, episode in zip(scenarios, episodes, strict=True)}
        click.echo("\n".join(["", *score_table(scenarios, scores), "", _spent(baseline, episodes)]))
    finally:
        await endpoint.close()
        await environment.close()
    return not any(episode.failed for episode in episodes)


class _Episode(NamedTuple):
    """What came of one incident, and who decided how often."""

    score: float
    failed: bool
    by_model: int
    by_fallback: int
    usage: Usage


async def _episode(baseline: Baseline, endpoint: Endpoint, environment: Environment, scenario: Scenario) -> _Episode:
    attempt = Attempt(baseline.endpoint.model, scenario.id)
    scripted = AGENTS[baseline.fallback](Seat(scenario, attempt.chance))
    agent = Fallback(LLM(endpoint), scripted, baseline.fallback)
    fell_back: list[bool] = []

    def told(step: StepTaken, reply: Reply) -> None:
        fell_back.append(agent.fell_back)
        click.echo(_line(step, reply))

    trajectory = await played(attempt, scenario, agent, environment, told)
    failed = trajectory.get("failed", "")
    click.echo(f"{scenario.id} score {trajectory['score']:.4f}{f'  [{failed}]' if failed else ''}")
    by_fallback = sum(fell_back)
    usage = Usage(**trajectory["usage"])
    return _Episode(trajectory["score"], bool(failed), len(fell_back) - by_fallback, by_fallback, usage)


def _line(step: StepTaken, reply: Reply) -> str:
    shown, action = reply.observation, step["action"]
    said = " ".join([action["action_type"], *map(str, action["parameters"].values())])
    short = said if len(said) <= _LONGEST_ACTION else f"{said[: _LONGEST_ACTION - 3]}..."
    note = f"  [{step['note']}]" if step["note"] else ""
    return f"{shown['scenario_id']} {shown['step_count']:>2}/{shown['max_steps']} {short} {step['reward']:+.2f}{note}"


def score_table(scenarios: Iterable[Scenario], scores: Mapping[str, float]) -> list[str]:
    """The scores as a table, a line per task, and the mean of the tasks' averages."""
    by_task: dict[str, list[float]] = {}
    for scenario in scenarios:
        by_task.setdefault(scenario.task.id, []).append(scores[scenario.id])
    most = max(map(len, by_task.values()))
    rows = [["Task", "Difficulty", *(f"S{index}" for index in range(most)), "Average"]]
    averages = []
    for task in TASKS.values():
        if earned := by_task.get(task.id):
            averages.append(sum(earned) / len(earned))
            cells = [f"{score:.2f}" for score in earned] + [""] * (most - len(earned))
            rows.append([task.id, task.tier.capitalize(), *cells, f"{averages[-1]:.2f}"])
    rows.append(["Overall", *[""] * (most + 1), f"{sum(averages) / len(averages):.2f}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _spent(baseline: Baseline, episodes: Iterable[_Episode]) -> str:
    by_model = by_fallback = 0
    usage = Usage()
    for episode in episodes:
        by_model, by_fallback = by_model + episode.by_model, by_fallback + episode.by_fallback
        usage = usage.plus(episode.usage)
    cost = f", {usage.cost:.4f} US dollars" if usage.cost else ""
    return (
        f"The model decided {by_model} steps, {baseline.fallback} {by_fallback}. "
        f"Tokens: {usage.prompt_tokens} in, {usage.completion_tokens} out{cost}."
    )
