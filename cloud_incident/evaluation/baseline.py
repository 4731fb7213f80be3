"""The baseline: a model, with a scripted agent behind it, plays the curated incidents in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from cloud_incident.evaluation.agents import AGENTS
from cloud_incident.evaluation.agents.agent import Seat, Usage
from cloud_incident.evaluation.agents.endpoint import Endpoint, EndpointSettings
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.replies import Prices
from cloud_incident.evaluation.environments import InProcess
from env_core.selection import Selection
from scenarios.catalogue import CURATED_SPLIT, Catalogue
from scenarios.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloud_incident.evaluation.agents.agent import Decision
    from cloud_incident.evaluation.environments import Environment, Reply
    from scenarios.catalogue import Scenario

FALLBACK = "responder"
"""The agent that decides where the model does not, unless another is named."""

_LONGEST_ACTION = 60
_NOTHING = Usage()


class SettingError(ValueError):
    """A variable of the environment that cannot be read. The message says which, and what it takes."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The model to play, and the agent, by name, that decides where the model does not."""

    endpoint: EndpointSettings
    fallback: str = FALLBACK

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
        prices = Prices(_number(variables, "PROMPT_PRICE", 0.0), _number(variables, "COMPLETION_PRICE", 0.0))
        per_minute = _number(variables, "REQUESTS_PER_MINUTE", 0.0)
        seconds = {
            "total_seconds": _number(variables, "MAX_SECONDS", 1200.0),
            "request_seconds": _number(variables, "REQUEST_SECONDS", 60.0),
            "first_wait": _number(variables, "RETRY_SECONDS", 1.0),
        }
        try:
            endpoint = EndpointSettings(
                base_url=variables.get("API_BASE_URL") or "https://router.huggingface.co/v1",
                model=variables.get("MODEL_NAME") or "meta-llama/Llama-3.1-8B-Instruct",
                api_key=(variables.get("API_KEY") or variables.get("HF_TOKEN") or "").strip(),
                requests_per_minute=per_minute,
                prices=prices,
                **seconds,
            )
        except ValueError as error:
            raise SettingError(str(error)) from error
        return cls(endpoint, fallback)


def _number(variables: Mapping[str, str], name: str, default: float) -> float:
    written = variables.get(name) or str(default)
    try:
        number = float(written)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise SettingError(f"{name} takes a number, 0 or more, not {written!r}.")
    return number


@dataclass(slots=True)
class _Tally:
    """Who decided how often, and what it took."""

    by_model: int = 0
    by_fallback: int = 0
    usage: Usage = _NOTHING

    def count(self, decision: Decision, *, by_fallback: bool) -> None:
        self.by_fallback += by_fallback
        self.by_model += not by_fallback
        self.usage = self.usage.plus(decision.usage)


async def run_baseline(baseline: Baseline) -> dict[str, float]:
    """Play the curated scenarios in order, print every step and the table of scores; the scores by scenario."""
    catalogue, endpoint, tally = Catalogue(), Endpoint(baseline.endpoint), _Tally()
    scores: dict[str, float] = {}
    click.echo(f"{baseline.endpoint.model} at {baseline.endpoint.base_url}")
    try:
        for scenario in catalogue.split(CURATED_SPLIT):
            scripted = AGENTS[baseline.fallback](Seat(scenario))
            agent = Fallback(LLM(endpoint), scripted, baseline.fallback)
            scores[scenario.id] = await _played(agent, InProcess(catalogue), scenario, tally)
    finally:
        await endpoint.close()
    click.echo("\n".join(["", *score_table(catalogue.split(CURATED_SPLIT), scores), "", _spent(baseline, tally)]))
    return scores


async def _played(agent: Fallback, environment: Environment, scenario: Scenario, tally: _Tally) -> float:
    reply = await environment.reset(Selection(scenario_id=scenario.id))
    while not reply.done:
        decision = await agent.decide(reply.observation)
        tally.count(decision, by_fallback=agent.fell_back)
        reply = await environment.step(decision.action)
        click.echo(_line(scenario, decision, reply))
    score = reply.info["grade"]["score"] if "grade" in reply.info else 0.0
    click.echo(f"{scenario.id} score {score:.4f}")
    return score


def _line(scenario: Scenario, decision: Decision, reply: Reply) -> str:
    shown = reply.observation
    said = " ".join([str(decision.action["action_type"]), *map(str, decision.action["parameters"].values())])
    short = said if len(said) <= _LONGEST_ACTION else f"{said[: _LONGEST_ACTION - 3]}..."
    note = f"  [{decision.note}]" if decision.note else ""
    return f"{scenario.id} {shown['step_count']:>2}/{shown['max_steps']} {short} {reply.reward:+.2f}{note}"


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


def _spent(baseline: Baseline, tally: _Tally) -> str:
    usage = tally.usage
    cost = f", {usage.cost:.4f} US dollars" if usage.cost else ""
    return (
        f"The model decided {tally.by_model} steps, {baseline.fallback} {tally.by_fallback}. "
        f"Tokens: {usage.prompt_tokens} in, {usage.completion_tokens} out{cost}."
    )
