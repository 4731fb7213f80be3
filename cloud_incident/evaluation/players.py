"""Everyone who can be evaluated, by name: the scripted agents, those who cheat, and a language model."""

from __future__ import annotations

import inspect
import os
from dataclasses import replace
from functools import lru_cache, partial
from math import inf
from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents import AGENTS, EXPLOITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents.agent import Agent, Seat
    from cloud_incident.evaluation.agents.endpoint import Endpoint, EndpointSettings
    from cloud_incident.evaluation.agents.llm import LLM


def players() -> dict[str, Callable[[Seat], Agent]]:
    """Who can be evaluated. `llm` is the model that the variables of `inference.py` name; alone it may fail, and
    `llm-or-responder` has the responder behind it. In a run the name of the model is part of theirs."""
    cheats = {name: make for name, (make, _) in EXPLOITS.items()}
    return {**AGENTS, **cheats, **MODELS}


def in_a_run(name: str) -> str:
    """The name of an agent in a run: the scores of one model are not another's."""
    return f"{name}:{_settings().model}" if name in MODELS else name


def about(name: str) -> str:
    """What a player does, in a line or two."""
    make = players()[name]
    told = inspect.getdoc(make.func if isinstance(make, partial) else make) or ""
    return " ".join(told.partition("\n\n")[0].split())


def models(endpoint: Callable[[], Endpoint]) -> dict[str, Callable[[Seat], Agent]]:
    """The players that a language model is part of, by name; `endpoint` is asked for when one takes its seat."""

    def alone(_: Seat) -> LLM:
        """A language model behind an OpenAI-compatible address."""
        from cloud_incident.evaluation.agents.llm import LLM

        return LLM(endpoint())

    def backed(seat: Seat) -> Agent:
        """A language model, and the responder decides where it does not."""
        from cloud_incident.evaluation.agents.fallback import Fallback

        return Fallback(alone(seat), AGENTS["responder"](seat), "responder")

    return {"llm": alone, "llm-or-responder": backed}


@lru_cache
def _endpoint() -> Endpoint:
    """One for a process: its agents share the rate limit and what is known of the model."""
    from cloud_incident.evaluation.agents.endpoint import Endpoint

    return Endpoint(_settings())


def _settings() -> EndpointSettings:
    from cloud_incident.evaluation.baseline import Baseline

    settings = Baseline.from_variables(os.environ).endpoint
    if "MAX_SECONDS" not in os.environ:  # the baseline's bound is for nine episodes
        settings = replace(settings, total_seconds=inf)
    return settings


MODELS = models(_endpoint)
"""The same with the endpoint that the variables of the environment name."""
