"""The roster: the agents that a visitor may watch, and how each is made for a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, SecretStr
from typing_extensions import TypedDict

from cloud_incident.console.refusals import EndpointMismatchError, EndpointsClosedError
from cloud_incident.evaluation.agents import (
    AGENTS,
    EXPLOITS,
    MODEL_AGENTS,
    PUBLIC,
    EndpointSettings,
    ModelEndpoint,
    Reach,
    UnknownAgentError,
    build_model_agents,
    collect_agents,
    describe_agent,
)
from http_compat.problems import MalformedError
from scenarios.given import Given
from scenarios.suggesting import describe_unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloud_incident.evaluation.agents import Agent, Seat

ENDPOINT_SECONDS = 900.0
"""Seconds that a model may take for a whole run."""


class EndpointGiven(Given):
    """A model that the visitor names. The key is used for the run, and neither kept, logged nor told."""

    base_url: str = Field(
        max_length=500,
        description="Address, such as https://router.huggingface.co/v1.",
        json_schema_extra={"pattern": r"^\s*https?://[A-Za-z0-9]"},
    )
    model: str = Field(min_length=1, max_length=200, description="Name of the model there.")
    api_key: SecretStr = Field(default=SecretStr(""), max_length=500, description="Its key, if one is needed.")


class AgentEntry(TypedDict):
    """An agent. `cheat`: it tries to score without the work; `model`: it needs an `endpoint`."""

    name: str
    about: str
    cheat: bool
    model: bool


class AgentsAnswer(TypedDict):
    """The agents that can be watched, and whether visitors may name models."""

    agents: list[AgentEntry]
    endpoints: bool


class Player(NamedTuple):
    """What makes an agent for a seat, and the endpoint of its model if it has one. Close it after the run."""

    name: str
    make: Callable[[Seat], Agent]
    endpoint: ModelEndpoint | None = None

    async def close(self) -> None:
        """Close the connections to the model."""
        if self.endpoint is not None:
            await self.endpoint.close()


@dataclass(frozen=True, slots=True)
class Roster:
    """The agents. Those that ask a model are among them only with `endpoints`, because the server then calls addresses
    that visitors name, as far as its `reach` goes."""

    endpoints: bool = False
    reach: Reach = PUBLIC

    def list_agents(self) -> AgentsAnswer:
        """Every agent that can be watched: scripted ones, cheats and, with `endpoints`, those that ask a model."""
        names = [*AGENTS, *EXPLOITS, *(MODEL_AGENTS if self.endpoints else ())]
        entries: list[AgentEntry] = [
            {"name": name, "about": describe_agent(name), "cheat": name in EXPLOITS, "model": name in MODEL_AGENTS}
            for name in names
        ]
        return {"agents": entries, "endpoints": self.endpoints}

    def find_player(self, name: str, given: EndpointGiven | None) -> Player:
        """An agent by its name, with the model that it asks if it needs one.

        Raises:
            UnknownAgentError: if there is none of that name.
            EndpointsClosedError: if it needs a model and visitors may not name any.
            EndpointMismatchError: if it needs a model and none is given, or the other way round.
            MalformedError: if what is given is no address, name or key of a model.
        """
        if name in MODEL_AGENTS:
            return self._find_model_player(name, given)
        make = collect_agents().get(name)
        if make is None:
            known = [entry["name"] for entry in self.list_agents()["agents"]]
            raise UnknownAgentError(describe_unknown("agent", name, known))
        if given is not None:
            raise EndpointMismatchError(
                f"endpoint: {name} asks no model; leave it out, or take {' or '.join(MODEL_AGENTS)}."
            )
        return Player(name, make)

    def _find_model_player(self, name: str, given: EndpointGiven | None) -> Player:
        if not self.endpoints:
            raise EndpointsClosedError(
                "This server asks no models that visitors name; it does when it listens on loopback alone, "
                "or with --model-endpoints."
            )
        if given is None:
            raise EndpointMismatchError(f"{name} needs an `endpoint`: `base_url`, `model` and `api_key` of a model.")
        endpoint = ModelEndpoint(_build_settings(given, self.reach))
        return Player(name, build_model_agents(lambda: endpoint)[name], endpoint)


def _build_settings(given: EndpointGiven, reach: Reach) -> EndpointSettings:
    try:
        return EndpointSettings(
            base_url=given.base_url.strip(),
            model=given.model.strip(),
            api_key=given.api_key.get_secret_value().strip(),
            total_seconds=ENDPOINT_SECONDS,
            reach=reach,
        )
    except ValueError as error:
        raise MalformedError(f"endpoint: {error}") from error
