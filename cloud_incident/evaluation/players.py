"""Everyone who can be evaluated, by name: the scripted agents, those who cheat, and a language model."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
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


def _model(_: Seat) -> LLM:
    from cloud_incident.evaluation.agents.llm import LLM

    return LLM(_endpoint())


def _backed(seat: Seat) -> Agent:
    from cloud_incident.evaluation.agents.fallback import Fallback

    return Fallback(_model(seat), AGENTS["responder"](seat), "responder")


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


MODELS: dict[str, Callable[[Seat], Agent]] = {"llm": _model, "llm-or-responder": _backed}
"""The players that a language model is part of."""
