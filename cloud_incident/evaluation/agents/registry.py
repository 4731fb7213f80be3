"""Every agent that can be evaluated, by its name: scripted agents, cheats, and agents that ask a language model."""

from __future__ import annotations

import inspect
import os
from dataclasses import replace
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.address import identify_address
from cloud_incident.evaluation.agents.cheats import EXPLOITS
from cloud_incident.evaluation.agents.endpoint import EndpointSettings, ModelEndpoint
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.novice import Novice
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.agents.random_agent import RandomAgent
from cloud_incident.evaluation.agents.responder import Responder
from cloud_incident.evaluation.agents.variables import SettingError, read_endpoint_settings
from scenarios.errors import CloudIncidentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents.agent import Agent, Seat


_ALONE = "llm"
"""The agent in whose place no other decides."""


class UnknownAgentError(CloudIncidentError):
    """An agent that does not exist. The message lists those that do."""

    code = "unknown_agent"


AGENTS: dict[str, Callable[[Seat], Agent]] = {
    "responder": Responder,
    "novice": Novice,
    "random": RandomAgent,
    "oracle": Oracle,
}
"""The agents that need nothing but a seat, in the order in which the console offers them. `oracle` knows the answer."""


def collect_agents() -> dict[str, Callable[[Seat], Agent]]:
    """Collect every agent by its name.

    `llm` asks the model that the variables of `inference.py` name, and its episode fails where the model does. In
    `llm-or-responder` the responder decides where the model fails.
    """
    cheats = {name: make for name, (make, _) in EXPLOITS.items()}
    return {**AGENTS, **cheats, **MODEL_AGENTS}


def label_agent(name: str) -> str:
    """Name an agent as a run records it: an agent that asks a model carries the name of the model.

    Raises:
        SettingError: if the agent asks a model and a variable of the environment cannot be read.
    """
    return f"{name}:{_read_settings().model}" if name in MODEL_AGENTS else name


def describe_parameters(name: str) -> dict[str, str | int | float | None]:
    """Describe what the play of an agent depends on beside its name: of a model, where it is and how it is asked.

    Of the address only what says which server it is. Where another agent decides in place of the model, the times
    count too: they decide which steps those are.

    Raises:
        SettingError: if the agent asks a model and a variable of the environment cannot be read, or no key is given.
    """
    if name not in MODEL_AGENTS:
        return {}
    settings = _read_settings()
    described: dict[str, str | int | float | None] = {
        "model": settings.model,
        "endpoint": identify_address(settings.base_url),
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
    }
    if name != _ALONE:
        total = settings.total_seconds if settings.total_seconds < inf else None
        return {**described, "request_seconds": settings.request_seconds, "total_seconds": total}
    if settings.needs_key and not settings.api_key:
        raise SettingError(f"{name}: no API key is set for {settings.base_url}; set API_KEY or HF_TOKEN.")
    return described


def describe_agent(name: str) -> str:
    """Describe in a line or two what an agent does.

    Raises:
        KeyError: if there is no agent of that name.
    """
    make = collect_agents()[name]
    text = inspect.getdoc(make.func if isinstance(make, partial) else make) or ""
    return " ".join(text.partition("\n\n")[0].split())


def build_model_agents(get_endpoint: Callable[[], ModelEndpoint]) -> dict[str, Callable[[Seat], Agent]]:
    """Build the makers of the agents that ask a model, by name. `get_endpoint` is called once for each agent made."""

    def make_llm(_: Seat) -> LLM:
        """A language model behind an OpenAI-compatible address."""
        return LLM(get_endpoint())

    def make_llm_or_responder(seat: Seat) -> Agent:
        """A language model, and the responder decides where it does not."""
        return Fallback(make_llm(seat), AGENTS["responder"](seat), "responder")

    return {_ALONE: make_llm, "llm-or-responder": make_llm_or_responder}


_endpoints: dict[EndpointSettings, ModelEndpoint] = {}
"""The endpoints of this process: the agents of a model share its rate limit and what is known of it."""


def _share_endpoint() -> ModelEndpoint:
    settings = _read_settings()
    if settings not in _endpoints:
        _endpoints[settings] = ModelEndpoint(settings)
    return _endpoints[settings]


def forget_models() -> None:
    """Forget what is known of the models, so that a model that was given up is asked again."""
    _endpoints.clear()


async def close_models() -> None:
    """Close the connections to all models. They are opened again when a model is asked."""
    for endpoint in _endpoints.values():
        await endpoint.close()


def _read_settings() -> EndpointSettings:
    settings = read_endpoint_settings(os.environ)
    if "MAX_SECONDS" not in os.environ:  # the default bounds the baseline's nine episodes, not an evaluation
        settings = replace(settings, total_seconds=inf)
    return settings


MODEL_AGENTS = build_model_agents(_share_endpoint)
"""The agents that ask the model which the variables of the environment name."""
