"""Tables in the documents that are made from what the code declares.

A table stands between two comments that name it. `scripts/docs-tables` writes all of them anew; with `--check` it only
says which documents are stale.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from mcp import Client

from cloud_incident.evaluation.audit.auditing import CHECKS
from cloud_incident.evaluation.audit.presentation import render_inventory
from cloud_incident.settings.limits import LimitSettings
from cloud_incident.settings.store import StoreSettings
from cloud_incident.telemetry.logs import EVENTS, FIELDS
from cloud_incident.telemetry.metrics import MetricName
from env_core.service import EpisodeService
from mcp_server import build_server
from mcp_server.tools import SIMULATED
from scenarios.catalogue import Catalogue
from scenarios.vocabulary import ACTIONS, TASKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[1]

_BLOCK = re.compile(
    r"^(?P<head> *(?:#|<!--) table: (?P<name>[\w-]+)(?: -->)?\n)(?P<body>.*?)(?P<foot>^ *(?:#|<!--) end of table)",
    re.MULTILINE | re.DOTALL,
)


def render_tasks() -> str:
    """The tasks as Markdown: steps, the submission that ends each, and its curated scenarios."""
    catalogue = Catalogue()
    rows = ["| task | steps | ends with | scenarios |", "|---|---|---|---|"]
    for task in TASKS.values():
        names = [scenario.id for scenario in catalogue.of_task(task.id)]
        rows.append(f"| `{task.id}` | {task.max_steps} | `{task.submission.name}` | {names[0]} … {names[-1]} |")
    return "\n".join(rows) + "\n"


def render_tools() -> str:
    """The tools of the operator profile as Markdown: the first line of what clients show, but for what all say."""

    async def list_tools() -> dict[str, str]:
        async with Client(build_server(EpisodeService(Catalogue()), version="docs")) as client:
            tools = (await client.list_tools()).tools
            firsts = {tool.name: (tool.description or "").partition("\n")[0] for tool in tools}
            return {name: first.removeprefix(SIMULATED).strip() for name, first in firsts.items()}

    rows = [f"| `{name}` | {description} |" for name, description in anyio.run(list_tools).items()]
    return "\n".join(["| tool | what it does |", "|---|---|", *rows]) + "\n"


def render_limits() -> str:
    """The limits of a server as Markdown: the flag, what it is by default, and what it limits."""
    fields = {
        name: field for name, field in LimitSettings.model_fields.items() if name not in StoreSettings.model_fields
    }
    rows = [
        f"| `--{name.replace('_', '-')}` | {_write_number(field.default)} | {field.description} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| setting | default | what it limits |", "|---|---|---|", *rows]) + "\n"


def _write_number(value: float | None) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:g}"


def render_checks() -> str:
    """The audit's checks as Markdown."""
    return render_inventory(CHECKS.values()) + "\n"


def render_manifest_tasks() -> str:
    """The tasks as `openenv.yaml` declares them."""
    catalogue = Catalogue()
    return "".join(
        f"  - id: {task.id}\n"
        f"    difficulty: {task.tier}\n"
        f"    max_steps: {task.max_steps}\n"
        f"    scenarios: [{', '.join(scenario.id for scenario in catalogue.of_task(task.id))}]\n"
        "    grader: deterministic, 0.0 to 1.0\n"
        for task in TASKS.values()
    )


def render_manifest_tools() -> str:
    """The actions as `openenv.yaml` declares them."""
    return "".join(f"      - {name}\n" for name in ACTIONS)


def render_log_fields() -> str:
    """The fields of lines in a server's log, as Markdown."""
    return _render_meanings("field", FIELDS)


def render_log_events() -> str:
    """The events that lines of a server's log tell of, as Markdown."""
    return _render_meanings("event", EVENTS)


def _render_meanings(what: str, meanings: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in meanings.items()]
    return "\n".join([f"| {what} | meaning |", "|---|---|", *rows]) + "\n"


def render_metrics() -> str:
    """The metrics of a server as Markdown."""
    rows = ["| metric | kind | labels | what it counts |", "|---|---|---|---|"]
    for metric in (name.value for name in MetricName):
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.about} |")
    return "\n".join(rows) + "\n"


TABLES: dict[str, Callable[[], str]] = {
    "tasks": render_tasks,
    "tools": render_tools,
    "checks": render_checks,
    "log-events": render_log_events,
    "log-fields": render_log_fields,
    "limits": render_limits,
    "metrics": render_metrics,
    "manifest-tasks": render_manifest_tasks,
    "manifest-tools": render_manifest_tools,
}
"""What makes each table, by the name in its comment."""

DOCUMENTS = (ROOT / "README.md", ROOT / "openenv.yaml", *sorted((ROOT / "docs").glob("*.md")))


def tables_in(text: str) -> list[str]:
    """The names of the tables that stand in a document."""
    return [block["name"] for block in _BLOCK.finditer(text)]


def renew(text: str) -> str:
    """A document with its tables made anew.

    Raises:
        KeyError: if a comment names a table that is not in `TABLES`.
    """
    return _BLOCK.sub(lambda block: block["head"] + TABLES[block["name"]]() + block["foot"], text)


def main(*, check: bool) -> int:
    """Write the documents whose tables are stale, or only name them; 1 if `check` found any."""
    stale = 0
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        renewed = renew(text)
        if renewed != text:
            stale += 1
            name = document.relative_to(ROOT)
            if check:
                sys.stderr.write(f"{name} is not what the code declares; run scripts/docs-tables.\n")
            else:
                document.write_text(renewed, "utf-8")
                sys.stdout.write(f"wrote {name}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
