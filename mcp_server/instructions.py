"""Server instructions: the workflow first, and under what clients cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from env_core.briefing import write_headline
from scenarios.vocabulary import DIAGNOSTICS, TASKS

if TYPE_CHECKING:
    from env_core.episode import Episode

LIMIT = 2000
"""Clients cut instructions at 2,048 characters."""

_EVIDENCE = (
    f"Query evidence with {', '.join(DIAGNOSTICS)}. Follow what failing services depend on; compare "
    "onset times with changes. Each call is a step, and steps are limited."
)

_RULES = (
    "Wrong remediations cost points; wrong and premature ones can do harm. Service names must be exact; a query of an "
    "unknown one is a step. The submission ends the incident and returns its score, 0.0 to 1.0; its description says "
    "what earns points. Long evidence comes in pages: the same call with page=2 is not a step."
)

OPERATOR = "\n".join(
    [
        "Drills in cloud incident response: every incident, service and repair here is simulated, and nothing real is "
        "touched. Do not mix these tools with those of live systems. Begin with start_drill (or show_drill, if one is "
        "open): it returns a briefing and an episode_id. Pass that with every call; it may be left out on stdio and in "
        "HTTP sessions while one drill is open. Then:",
        f"1. {_EVIDENCE}",
        *(f"{number}. {task.id}: {task.way}" for number, task in enumerate(TASKS.values(), 2)),
        _RULES,
        "The resource oncall://guide has the severity matrix, the runbook catalogue and the rules of scoring.",
    ]
)

_AGENT = "You are on call for one cloud incident. Its alert is in the resource incident://current/briefing."


def write_agent_instructions(episode: Episode | None) -> str:
    """Instructions of the agent profile: the one incident in short and how to work it, or where to find both."""
    if episode is None:
        return "\n".join([_AGENT, _EVIDENCE, *(f"{task.id}: {task.way}" for task in TASKS.values()), _RULES])
    work = f"{_EVIDENCE}\nThen {episode.task.way}\n{_RULES}"
    full = f"You are on call for this incident.\n{write_headline(episode)}\n{work}"
    return full if len(full) < LIMIT else f"{_AGENT}\n{work}"
