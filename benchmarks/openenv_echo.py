"""OpenEnv's echo environment, as its examples have it: one tool that returns what it is given.

Runs in an environment of its own that has `openenv`: `python benchmarks/openenv_echo.py PORT`.
"""

import sys
from uuid import uuid4

import uvicorn
from fastmcp import FastMCP
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.mcp_environment import MCPEnvironment
from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation
from openenv.core.env_server.types import Observation, State


class Echo(MCPEnvironment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        tools = FastMCP("echo")

        @tools.tool
        def echo_message(message: str) -> str:
            """Echo back the message."""
            return message

        super().__init__(tools)
        self._state = State(episode_id=str(uuid4()))

    def reset(self, seed=None, episode_id=None, **_):
        self._state = State(episode_id=episode_id or str(uuid4()))
        return Observation(reward=0.0)

    def _step_impl(self, action, timeout_s=None, **_):
        return Observation(reward=0.0)

    async def step_async(self, action, timeout_s=None, **options):
        self._state.step_count += 1
        return await super().step_async(action, timeout_s=timeout_s, **options)

    @property
    def state(self):
        return self._state


if __name__ == "__main__":
    app = create_app(Echo, CallToolAction, CallToolObservation, env_name="echo", max_concurrent_envs=64)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
