"""The texts for a model: a short on-call guide, the tools, the news after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from env_core.briefing import describe_remaining
from env_core.guide import ORDER_OF_WORK
from scenarios.library import list_runbook_steps
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS, ALERT_CLASSIFICATION, REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS, TASKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from env_core.observation import Observation

_WORK = """\
You are the on-call engineer for one cloud incident. You work it alone, one action at a time, and see what each shows.
Every action is a step; steps are limited, and needing few of them earns points. Never repeat a query.
An incident that ends without your submission scores 0.
The alert's own severity label is the rule's and proves nothing. The loudest service is seldom where it started: follow
what failing services depend on, and compare when the trouble began with what changed then.
Use exact names: services as listed, flags and runbook steps as seen in evidence or below."""

_WAYS = {
    ALERT_CLASSIFICATION.id: "Look at one or two services that carry core journeys, then submit the severity.",
    ROOT_CAUSE_ANALYSIS.id: "Change nothing. When evidence on two services agrees on the cause, submit it: the exact "
    "service where it started and one sentence that says what failed there and how.",
    REMEDIATION_PLANNING.id: "Establish the cause with evidence on two services before you change anything. Keep a "
    "step for the submission. In the summary claim only what you did.",
}

_BY_TOOL = "Answer with exactly one tool call."
_BY_TEXT = """\
Answer with exactly one action, as one JSON object such as
{"action_type": "query_logs", "parameters": {"service": "api-gateway"}}
and nothing else. The actions and their parameters:"""


def build_function_tools(actions: list[str]) -> list[dict[str, Any]]:
    """Build function tools of the chat format from the names of actions. Unknown names are left out."""
    return [
        {
            "type": "function",
            "function": {
                "name": spec.name,
                "description": spec.description,
                "parameters": build_arguments_schema(spec.parameters),
            },
        }
        for spec in (ACTIONS[name] for name in actions if name in ACTIONS)
    ]


def write_system_prompt(shown: Observation, *, tools: bool) -> str:
    """Write the system prompt: how to work one task and how to answer. The briefing after it says what earns points."""
    task = TASKS[shown["task_id"]]
    parts = [_WORK, _WAYS.get(task.id, task.way)]
    if task.asks_repair:
        parts += [f"Order of work:\n{ORDER_OF_WORK}", f"Runbook catalogue:\n{list_runbook_steps()}"]
    parts.append(_BY_TOOL if tools else "\n".join([_BY_TEXT, *_describe_actions(shown["available_actions"])]))
    return "\n\n".join(parts)


def _describe_actions(actions: list[str]) -> list[str]:
    """Describe actions as lines of text, for a model that is offered no tools."""
    return [
        f"- {tool['function']['name']} {{{', '.join(_describe_parameters(tool['function']['parameters']))}}}: "
        f"{tool['function']['description']}"
        for tool in build_function_tools(actions)
    ]


def _describe_parameters(schema: Mapping[str, Any]) -> list[str]:
    optional = schema["properties"].keys() - set(schema.get("required", []))
    return [
        f'"{name}": {field["type"]}{" (optional)" if name in optional else ""}'
        for name, field in schema["properties"].items()
    ]


def write_news(shown: Observation, before: Mapping[tuple[str, str], str]) -> str:
    """Write what the last step showed that was not known `before`, its feedback, and how many steps are left."""
    fresh = [text for item, text in collect_evidence(shown).items() if before.get(item) != text]
    error = shown["last_action_error"]
    standing = describe_remaining(shown["step_count"], TASKS[shown["task_id"]])
    return "\n\n".join([*fresh, *([error] if error else []), f"{shown['feedback']} {standing}"])


def collect_evidence(shown: Observation) -> dict[tuple[str, str], str]:
    """Collect the evidence of an observation, by action and service."""
    return {
        (action, service): text for action, texts in shown["queried_data"].items() for service, text in texts.items()
    }


def write_correction(problem: str, *, tools: bool) -> str:
    """Write the answer to a reply that is not a valid action."""
    how = "Call one tool with valid arguments." if tools else "Answer with one JSON object that is a valid action."
    return f"That was no step: {problem} {how}"
