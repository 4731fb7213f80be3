"""The demo: RP-001 worked by a scripted agent through a real MCP client over stdio."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from mcp import Client, StdioServerParameters
from mcp_types import TextContent

if TYPE_CHECKING:
    from mcp_types import CallToolResult

SERVER = StdioServerParameters(command=sys.executable, args=["-m", "cloud_incident", "mcp", "--store", "memory"])


class DemoMove(NamedTuple):
    """What the agent thinks, and the tool it calls."""

    thought: str
    tool: str
    arguments: dict[str, Any]


MOVES = (
    DemoMove("Take the pager.", "start_drill", {"incident": "RP-001"}),
    DemoMove(
        "Sign-in and checkout fail together while browsing works. auth-service and order-service have one thing in "
        "common that browsing has not: they write to postgres-db.",
        "query_logs",
        {"service": "postgres-db"},
    ),
    DemoMove(
        "The kernel kills the same backend again and again: a COPY over all orders, application orders-feed, role "
        "batch_ro. A feed of orders belongs to analytics-service. What changed there?",
        "check_recent_deploys",
        {"service": "analytics-service"},
    ),
    DemoMove(
        "full_history_export went on at 13:46 and takes the lower bound off that query. Two services agree. The cause "
        "goes first: whatever is restarted before the flag is off is restarted into the next kill.",
        "disable_feature_flag",
        {"flag": "full_history_export"},
    ),
    DemoMove(
        "The run in progress was planned with the flag on and will retry; a restart drops it.",
        "restart_service",
        {"service": "analytics-service"},
    ),
    DemoMove("Now the database can come up and stay up.", "restart_service", {"service": "postgres-db"}),
    DemoMove("Its clients hold broken pools. auth-service first.", "restart_service", {"service": "auth-service"}),
    DemoMove("And order-service.", "restart_service", {"service": "order-service"}),
    DemoMove("Did checkout recover?", "check_metrics", {"service": "order-service"}),
    DemoMove(
        "It did. Run the verification of the runbook.",
        "execute_runbook_step",
        {"runbook_action": "verify_db_health"},
    ),
    DemoMove(
        "Write it up.",
        "submit_resolution",
        {
            "summary": "The incident started in analytics-service: its full history export ran an unbounded query that "
            "drove postgres-db out of memory. We disabled the flag full_history_export and restarted "
            "analytics-service, then restarted postgres-db, and then restarted auth-service and order-service, whose "
            "pools were broken. The metrics of order-service were back to normal afterwards, and verify_db_health "
            "passed."
        },
    ),
)


async def play(colour: bool = True) -> bool:
    """Play the demo and print its transcript; gives whether it scored 1.0."""
    result = None
    async with Client(SERVER) as client:
        for move in MOVES:
            result = await client.call_tool(move.tool, move.arguments)
            _print_move(move, result, colour)
    server = Path(sys.executable).with_name("cloud-incident")
    click.echo(f"\nNext: point your MCP client at `{server} mcp`; the README has the configurations.")
    grade = (result.structured_content or {}).get("grade", {}) if result else {}
    return bool(grade.get("score") == 1.0)


def _print_move(move: DemoMove, result: CallToolResult, colour: bool) -> None:
    def style(text: str, **style: Any) -> str:
        return click.style(text, **style) if colour else text

    arguments = ", ".join(f"{name}={value!r}" for name, value in move.arguments.items())
    click.echo(style(f"\n# {move.thought}", fg="cyan", italic=True), color=colour)
    click.echo(style(f"> {move.tool}({arguments})", bold=True), color=colour)
    for block in result.content:
        if isinstance(block, TextContent):
            click.echo("\n".join(f"  {line}" for line in block.text.splitlines()))
