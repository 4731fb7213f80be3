"""The command line."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cloud_incident import __version__

if TYPE_CHECKING:
    from env_core.selection import Selection

_CONTEXT = {"auto_envvar_prefix": "CLOUD_INCIDENT", "help_option_names": ["-h", "--help"]}


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="cloud-incident")
def main() -> None:
    """Cloud incident response, simulated exactly, for LLM agents."""


@main.command()
@click.option(
    "--transport",
    type=click.Choice(["stdio", "sse", "streamable-http"]),
    default="stdio",
    show_default=True,
    help="How clients connect.",
)
@click.option(
    "--profile",
    type=click.Choice(["operator", "agent"]),
    default="operator",
    show_default=True,
    help="operator: start and grade incidents. agent: the fourteen actions on one incident, nothing else.",
)
@click.option("--task", "task_id", help="Open an incident of this task at the start.")
@click.option("--scenario", "scenario_id", help="Open this scenario at the start, such as RP-001.")
@click.option("--scenario-index", type=click.IntRange(min=0), help="Open the task's scenario of this index.")
@click.option("--seed", type=click.IntRange(min=0), help="Open a scenario drawn by this seed.")
@click.option(
    "--reward-mode",
    type=click.Choice(["dense", "terminal"]),
    default="dense",
    show_default=True,
    help="When to reward.",
)
@click.option(
    "--scenarios",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A directory of further incidents; may be given more than once.",
)
@click.option("--capacity", type=click.IntRange(min=1), default=10_000, show_default=True, help="Most open episodes.")
@click.option(
    "--idle-seconds",
    type=click.FloatRange(min=1),
    default=3600.0,
    show_default=True,
    help="After how long an unused episode is forgotten.",
)
@click.option(
    "--structured-content",
    "structured",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Numbers beside the text of results. auto: unless the client is known to hide the text then.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="Port to listen on.")
@click.option("--allow-host", "hosts", multiple=True, help="A further Host header to accept; may be given repeatedly.")
def mcp(transport: str, profile: str, **options: Any) -> None:
    """Run the MCP server."""
    import anyio

    from cloud_incident.launch import run_http, run_stdio
    from cloud_incident.settings import Settings
    from mcp_server.clients import StructuredContent

    chosen = {name: options.pop(name) for name in ("task_id", "scenario_id", "scenario_index", "seed")}
    reward_mode = options.pop("reward_mode")
    agent = profile == "agent"
    selection = _selection(chosen, reward_mode, needed=agent)
    settings = Settings(**{**options, "structured": StructuredContent(options["structured"])})
    with _reported():
        if transport == "stdio":
            anyio.run(partial(run_stdio, settings, selection, agent=agent))
        else:
            run_http(settings, selection, agent=agent, sse=transport == "sse")


def _selection(chosen: dict[str, Any], reward_mode: str, *, needed: bool) -> Selection | None:
    """What the options select; None where they name nothing and nothing is needed."""
    from env_core.selection import Selection
    from scenarios.parsing import parse_arguments

    given = {name: value for name, value in chosen.items() if value is not None}
    if not given and not needed:
        return None
    with _reported():
        return parse_arguments("cloud-incident mcp", Selection, {**given, "reward_mode": reward_mode})


class _reported:  # noqa: N801 - reads as a statement
    """Turns the errors a user can mend into messages without a traceback."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from env_core.selection import SelectionError
        from scenarios.catalogue import UnknownScenarioError
        from scenarios.loading import DocumentError
        from scenarios.parsing import InvalidActionError

        if isinstance(error, DocumentError | InvalidActionError | SelectionError | UnknownScenarioError):
            raise click.ClickException(str(error)) from error


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(file: Path) -> None:
    """Check an incident: valid, solvable, reactive, not guessable; and what the standard cheats would earn."""
    from cloud_incident.evaluation.fitness import report

    with _reported():
        text, fit = report(file)
    click.echo(text)
    if not fit:
        raise SystemExit(1)


@main.command()
@click.argument("file", type=click.Path(exists=False, path_type=Path))
def new(file: Path) -> None:
    """Write a small incident that passes lint, and the schema for editors beside it."""
    from cloud_incident.scaffold import scaffold

    if file.exists():
        raise click.ClickException(f"{file} exists; name a new file.")
    for written in scaffold(file):
        click.echo(f"wrote {written}")


@main.command()
@click.option("--plain", is_flag=True, help="No colours.")
def demo(plain: bool) -> None:
    """Play RP-001 through a real MCP client over stdio, and print the transcript and the score."""
    import sys

    import anyio

    from cloud_incident.demo import play

    if not anyio.run(play, sys.stdout.isatty() and not plain):
        raise SystemExit(1)
