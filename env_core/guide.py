"""What an agent may know of every incident: what actions do, how answers are scored, and the on-call guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graders import GRADERS
from scenarios.library import list_runbook_steps, load_runbook_catalogue
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import (
    ACTIONS,
    ASK_FOR_LIST,
    EXECUTE_RUNBOOK_STEP,
    RUNBOOK_STEP,
    TASKS,
    Remediation,
    Submission,
    list_severities,
    to_reward,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

    from scenarios.vocabulary import ActionDeclaration, Task

ORDER_OF_WORK = """\
1. Establish the cause, on the service where it started and on a service that suffers from it.
2. Take the cause away, then repair what it broke: what others depend on comes before what depends on it.
3. Look at a diagnostic to see the recovery.
4. Run the verifications that fit what was repaired, from the bottom up: networks, databases and nodes before customer
   journeys, those before the API journeys, and last that the alert has cleared. If the runbook lists none, let
   some minutes pass, by `watch` where there is one, and look again at what had failed."""

OF_PROVED = "This incident is proved, and it runs."
"""Begins the rules on such an incident in its briefing."""
_NO_SUM = "What single steps earn is not part of the score."


def describe_action(action: ActionDeclaration, *, proved: bool = False) -> str:
    """What an action does, and what somebody who sees nothing else needs in order to use it.

    Of a submission that is how its answers are defined and what earns points, on any incident or on a `proved` one.
    """
    if not isinstance(action, Submission):
        return action.description
    parts = [action.description, action.criteria]
    parts += [describe_scoring(task, proved=proved) for task in TASKS.values() if task.submission is action]
    return "\n".join(filter(None, parts))


def build_action_schema(
    action: ActionDeclaration,
    *extras: type[BaseModel],
    runbook: Iterable[str] | None = None,
    open_runbook: bool = False,
) -> dict[str, Any]:
    """The JSON schema of an action's parameters and of what `extras` take beside them.

    It names the steps of the `runbook`: those of the catalogue, if none is given. An `open_runbook` is one of many, and
    any name may be a step of it: some clients refuse what a schema does not name.
    """
    schema = build_arguments_schema(action.parameters, *extras)
    if isinstance(action, Remediation) and action.target is RUNBOOK_STEP:
        named = schema["properties"][action.subject]
        if open_runbook:
            named["description"] = f"A step of the incident's runbook. {named['description']}"
        else:
            named["enum"] = [*(runbook or load_runbook_catalogue()), ASK_FOR_LIST]
    return schema


def name_runbook_steps(runbook: Iterable[str]) -> str:
    """The names of the steps of a runbook, for a briefing beside which no schema has them."""
    return f"Steps of {EXECUTE_RUNBOOK_STEP.name}: {', '.join(runbook)}."


def describe_scoring(task: Task, *, proved: bool = False) -> str:
    """What earns points in a task, from 0.0 to 1.0: on any incident, or on a `proved` one that runs."""
    rules = GRADERS[task].of_proved if proved else GRADERS[task].rules
    late = f"Without {task.submission.name} within {task.max_steps} steps it is 0."
    scoring = f"Score, 0.0 to 1.0: {rules} {_NO_SUM} {late}"
    return f"{OF_PROVED} {scoring}" if proved else scoring


def write_oncall_guide(*, rewards: bool = True) -> str:
    """The guide as Markdown, the same for every incident; with `rewards` also what each step earns."""
    parts = [
        "# On-call guide",
        "## Severity matrix",
        list_severities(),
        "## Tasks",
        "\n".join(
            f"- **{task.id}** ({task.max_steps} steps, ends with {task.submission.name}): {task.objective}"
            for task in TASKS.values()
        ),
        "## Actions",
        "\n".join(f"- **{action.name}** ({action.kind}): {action.description}" for action in ACTIONS.values()),
        "## Runbook catalogue",
        list_runbook_steps(),
        "## Order of work",
        ORDER_OF_WORK,
        "## Scoring",
        "\n".join(f"- **{task.id}**: {describe_scoring(task)}" for task in TASKS.values()),
        "## Scoring of proved incidents that run",
        "\n".join(f"- **{task.id}**: {GRADERS[task].of_proved}" for task in TASKS.values() if task.asks_evidence),
        *(_describe_rewards() if rewards else []),
    ]
    return "\n\n".join(parts) + "\n"


def _describe_rewards() -> list[str]:
    return [
        "## Rewards per step",
        _list_rewards(),
        "An ineffective remediation (too early, or done already) earns 0, and so does a query repeated after a fix has "
        "changed its evidence. On incidents that run a query counts as repeated if it was made less than five minutes "
        "ago, and nothing was done and no page has changed since. The submission earns the score.",
    ]


def _list_rewards() -> str:
    names = list(next(iter(TASKS.values())).rewards.__slots__)
    rows = [f"| event | {' | '.join(TASKS)} |", f"|---|{'---|' * len(TASKS)}"]
    for name in names:
        cells = " | ".join(f"{to_reward(getattr(task.rewards, name)):+.2f}" for task in TASKS.values())
        rows.append(f"| {name.replace('_', ' ')} | {cells} |")
    return "\n".join(rows)
