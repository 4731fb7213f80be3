"""The on-call guide: the severity matrix, what each action does, the runbook catalogue, the rules of scoring."""

from __future__ import annotations

from scenarios.actions import VOCABULARY
from scenarios.library import runbook_catalogue
from scenarios.tasks import POINT, SEVERITY_MATRIX, TASKS, TaskId

ORDER_OF_WORK = """\
1. Establish the cause, on the service where it started and on a service that suffers from it.
2. Take the cause away, then repair what it broke: what others depend on comes before what depends on it.
3. Look at a diagnostic to see the recovery.
4. Run the verifications that fit what was repaired, from the bottom up: networks, databases and nodes before customer
   journeys, those before the API journeys, and last that the alert has cleared."""

SCORING: dict[TaskId, str] = {
    "alert_classification": """\
1.0 for the exact severity, 0.5 one level off, 0.25 two levels off.""",
    "root_cause_analysis": """\
up to 0.60 for the right service and how it failed, in full only when the evidence that
  establishes it was seen before any fix was tried; up to 0.40 more for needing few steps. A wrong service earns at most
  0.20. Naming several unrelated failures at once costs points.""",
    "remediation_planning": """\
0.10 for a submission, up to 0.40 for the plan done in order with the cause established
  first, up to 0.30 for
  needing few steps, 0.10 for a completed plan with a look, after the last repair, at a diagnostic that shows the
  recovery, up to 0.10 for a summary of three sentences or more that says in one sentence which service failed and how,
  and states the repairs. Each wrong remediation costs 0.10, up to 0.30; each remediation that the summary claims and
  that was never made costs 0.04.""",
}
"""What earns points, by task."""

_UNSUBMITTED = "- Nothing submitted within the step limit: 0."


def oncall_guide() -> str:
    """The guide as Markdown, the same for every incident."""
    parts = [
        "# On-call guide",
        "## Severity matrix",
        severity_matrix(),
        "## Tasks",
        "\n".join(
            f"- **{task.id}** ({task.max_steps} steps, ends with {task.submission}): {task.objective}"
            for task in TASKS.values()
        ),
        "## Actions",
        "\n".join(f"- **{spec.name}** ({spec.kind}): {spec.description}" for spec in VOCABULARY.values()),
        "## Runbook catalogue",
        runbook_steps(),
        "## Order of work",
        ORDER_OF_WORK,
        "## Scoring",
        "\n".join([*(f"- **{task}**: {earned}" for task, earned in SCORING.items()), _UNSUBMITTED]),
        "## Rewards per step",
        _reward_table(),
        "An ineffective remediation (too early, or done already) earns 0, and so does a query repeated after a fix has "
        "changed its evidence. The submission earns the score.",
    ]
    return "\n\n".join(parts) + "\n"


def severity_matrix() -> str:
    """The severities and their criteria, a line each."""
    return "\n".join(f"- **{level} {name}**: {criterion}" for level, name, criterion in SEVERITY_MATRIX)


def runbook_steps() -> str:
    """The runbook catalogue, a line per step."""
    return "\n".join(
        f"- `{step.name}` ({step.domain}{', verification' if step.verify else ''}): {step.does}"
        for step in runbook_catalogue().values()
    )


def _reward_table() -> str:
    names = list(next(iter(TASKS.values())).rewards.__slots__)
    rows = [f"| event | {' | '.join(TASKS)} |", f"|---|{'---|' * len(TASKS)}"]
    for name in names:
        cells = " | ".join(f"{getattr(task.rewards, name) / POINT:+.2f}" for task in TASKS.values())
        rows.append(f"| {name.replace('_', ' ')} | {cells} |")
    return "\n".join(rows)
