"""The on-call guide: the severity matrix, what each action does, the runbook catalogue, the rules of scoring."""

from __future__ import annotations

from graders import GRADERS
from scenarios.library import load_runbook_catalogue
from scenarios.vocabulary import ACTIONS, SEVERITY_MATRIX, TASKS, to_reward

ORDER_OF_WORK = """\
1. Establish the cause, on the service where it started and on a service that suffers from it.
2. Take the cause away, then repair what it broke: what others depend on comes before what depends on it.
3. Look at a diagnostic to see the recovery.
4. Run the verifications that fit what was repaired, from the bottom up: networks, databases and nodes before customer
   journeys, those before the API journeys, and last that the alert has cleared."""

_UNSUBMITTED = "- Nothing submitted within the step limit: 0."


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
        "\n".join([*(f"- **{task.id}**: {GRADERS[task].rules}" for task in TASKS.values()), _UNSUBMITTED]),
        *(_describe_rewards() if rewards else []),
    ]
    return "\n\n".join(parts) + "\n"


def list_severities() -> str:
    """The severities and their criteria, a line each."""
    return "\n".join(f"- **{level} {name}**: {criterion}" for level, name, criterion in SEVERITY_MATRIX)


def list_runbook_steps() -> str:
    """The runbook catalogue, a line per step."""
    return "\n".join(
        f"- `{step.name}` ({step.domain}{', verification' if step.verify else ''}): {step.does}"
        for step in load_runbook_catalogue().values()
    )


def _describe_rewards() -> list[str]:
    return [
        "## Rewards per step",
        _list_rewards(),
        "An ineffective remediation (too early, or done already) earns 0, and so does a query repeated after a fix has "
        "changed its evidence. The submission earns the score.",
    ]


def _list_rewards() -> str:
    names = list(next(iter(TASKS.values())).rewards.__slots__)
    rows = [f"| event | {' | '.join(TASKS)} |", f"|---|{'---|' * len(TASKS)}"]
    for name in names:
        cells = " | ".join(f"{to_reward(getattr(task.rewards, name)):+.2f}" for task in TASKS.values())
        rows.append(f"| {name.replace('_', ' ')} | {cells} |")
    return "\n".join(rows)
