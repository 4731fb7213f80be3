"""Agents: each is shown what the environment shows and decides on one step after another."""

from __future__ import annotations

from cloud_incident.evaluation.agents.address import identify_address, is_address
from cloud_incident.evaluation.agents.agent import Agent, Decision, Seat, Usage, choose
from cloud_incident.evaluation.agents.cheats import EXPLOITS, Ceilings
from cloud_incident.evaluation.agents.endpoint import EndpointSettings, ModelEndpoint, ModelError, NoActionError
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.prompting import build_function_tools, write_system_prompt
from cloud_incident.evaluation.agents.random_agent import draw_action
from cloud_incident.evaluation.agents.reach import PUBLIC, Reach
from cloud_incident.evaluation.agents.registry import (
    AGENTS,
    MODEL_AGENTS,
    UnknownAgentError,
    build_model_agents,
    close_models,
    collect_agents,
    describe_agent,
    describe_parameters,
    forget_models,
    label_agent,
)
from cloud_incident.evaluation.agents.variables import SettingError, read_endpoint_settings

__all__ = [
    "AGENTS",
    "EXPLOITS",
    "LLM",
    "MODEL_AGENTS",
    "PUBLIC",
    "Agent",
    "Ceilings",
    "Decision",
    "EndpointSettings",
    "Fallback",
    "ModelEndpoint",
    "ModelError",
    "NoActionError",
    "Reach",
    "Seat",
    "SettingError",
    "UnknownAgentError",
    "Usage",
    "build_function_tools",
    "build_model_agents",
    "choose",
    "close_models",
    "collect_agents",
    "describe_agent",
    "describe_parameters",
    "draw_action",
    "forget_models",
    "identify_address",
    "is_address",
    "label_agent",
    "read_endpoint_settings",
    "write_system_prompt",
]
