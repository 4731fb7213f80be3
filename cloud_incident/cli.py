"""The command line."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cloud_incident import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.applications import Starlette

    from cloud_incident.settings import Settings
    from env_core.selection import Selection

Command = TypeVar("Command", bound="Callable[..., Any]")

_CONTEXT = {"auto_envvar_prefix": "CLOUD_INCIDENT", "help_option_names": ["-h", "--help"]}


def _serving(command: Command) -> Command:
    """The options of every command that serves."""
    for option in reversed(_SERVING):
        command = option(command)
    return command


_DIRECTORIES = click.option(
    "--scenarios",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="A directory of further incidents; may be given more than once.",
)

_SERVING = (
    _DIRECTORIES,
    click.option(
        "--capacity", type=click.IntRange(min=1), default=10_000, show_default=True, help="Most open episodes."
    ),
    click.option(
        "--idle-seconds",
        type=click.FloatRange(min=1),
        default=3600.0,
        show_default=True,
        help="After how long an unused episode is forgotten.",
    ),
    click.option(
        "--structured-content",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Numbers beside the text of results. auto: unless the client is known to hide the text then.",
    ),
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--allow-host", multiple=True, help="A further Host header to accept; may be given repeatedly."),
    click.option(
        "--allow-origin", multiple=True, help="A site whose pages may call, such as https://app.example; or *."
    ),
)


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
@click.option("--task", help="Open an incident of this task at the start.")
@click.option("--scenario", help="Open this scenario at the start, such as RP-001.")
@click.option("--scenario-index", type=click.IntRange(min=0), help="Open the task's scenario of this index.")
@click.option("--seed", type=click.IntRange(min=0), help="Open a scenario drawn by this seed.")
@click.option(
    "--reward-mode",
    type=click.Choice(["dense", "terminal"]),
    help="For the incident opened at the start: reward every step (dense), or the score at the end and 0 before.",
)
@_serving
@click.option("--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="Port to listen on.")
def mcp(transport: str, profile: str, **options: Any) -> None:
    """Run the MCP server."""
    import anyio

    from cloud_incident.launch import run_http, run_stdio

    agent = profile == "agent"
    if agent and transport == "sse":
        raise click.UsageError("The agent profile is served over stdio and streamable-http; SSE is for operators.")
    selection = _selection({name: options.pop(option) for option, name in _SELECTORS.items()}, needed=agent)
    settings = _settings(ports=(options.pop("port"),), **options)
    with _reported():
        if transport == "stdio":
            anyio.run(partial(run_stdio, settings, selection, agent=agent))
        else:
            run_http(settings, selection, agent=agent, sse=transport == "sse")


def _settings(**options: Any) -> Settings:
    from cloud_incident.settings import Settings
    from mcp_server.clients import StructuredContent

    return Settings(
        structured=StructuredContent(options.pop("structured_content")),
        hosts=options.pop("allow_host"),
        origins=options.pop("allow_origin"),
        **options,
    )


@main.command()
@_serving
@click.option(
    "--port",
    "ports",
    type=click.IntRange(0, 65535),
    multiple=True,
    default=(7860,),
    show_default=True,
    envvar=["CLOUD_INCIDENT_SERVE_PORT", "PORT"],
    help="Port to listen on; may be given more than once.",
)
@click.option(
    "--mode",
    type=click.Choice(["simulation", "production"], case_sensitive=False),
    default="simulation",
    show_default=True,
    envvar=["OPENENV_MODE", "CLOUD_INCIDENT_SERVE_MODE"],
    help="production: no reset, step or state, only tools.",
)
@click.option(
    "--shared-default/--no-shared-default",
    default=True,
    show_default=True,
    help="Whether REST requests that name no episode may mean the last one that anybody started.",
)
@click.option(
    "--max-sessions",
    "most_sessions",
    type=click.IntRange(min=1),
    default=1_000,
    show_default=True,
    help="Most WebSockets and JSON-RPC sessions at once.",
)
def serve(**options: Any) -> None:
    """Serve everything on one port: REST, WebSocket, MCP.

    OpenEnv's REST and WebSocket, MCP over streamable HTTP (/mcp) and SSE (/sse), the API's page (/docs).
    """
    from cloud_incident.serving import run

    with _reported():
        app, settings = application_of(**options)
    run(app, settings)


def application_of(**options: Any) -> tuple[Starlette, Settings]:
    """The application that the options of `serve` ask for, and its settings."""
    from cloud_incident.serving import served
    from http_compat.surface import Mode

    own = {name: options.pop(name) for name in ("shared_default", "most_sessions")}
    mode = Mode(options.pop("mode"))
    settings = _settings(**options)
    return served(settings, mode, **own), settings


_SELECTORS = {
    "task": "task_id",
    "scenario": "scenario_id",
    "scenario_index": "scenario_index",
    "seed": "seed",
    "reward_mode": "reward_mode",
}


def _selection(chosen: dict[str, Any], *, needed: bool) -> Selection | None:
    """What the options select; None where they name nothing and nothing is needed."""
    from env_core.selection import Selection
    from scenarios.parsing import parse_arguments

    given = {name: value for name, value in chosen.items() if value is not None}
    if set(given) == {"reward_mode"} and not needed:
        raise click.UsageError(
            "--reward-mode is for an incident opened at the start; name one with --task or --scenario."
        )
    if not given and not needed:
        return None
    with _reported():
        return parse_arguments("cloud-incident mcp", Selection, given)


@contextmanager
def _reported() -> Iterator[None]:
    """Turn the errors that a user can mend into messages without a traceback."""
    from env_core.selection import SelectionError
    from scenarios.catalogue import UnknownScenarioError
    from scenarios.loading import DocumentError
    from scenarios.parsing import InvalidActionError

    try:
        yield
    except (DocumentError, InvalidActionError, SelectionError, UnknownScenarioError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(file: Path) -> None:
    """Check an incident and play it.

    Is it valid, solvable, reactive, not guessable? What would the standard cheats earn?
    """
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

    if file.suffix not in {".yaml", ".yml"}:
        raise click.ClickException(f"{file} would never be loaded; name it {file}.yaml.")
    if file.exists():
        raise click.ClickException(f"{file} exists; name a new file.")
    for written in scaffold(file):
        click.echo(f"wrote {written}")


@main.command()
@click.option("--plain", is_flag=True, help="No colours.")
def demo(plain: bool) -> None:
    """Play a whole incident over stdio and print it.

    RP-001 from the alert to the score, by a scripted agent through a real MCP client.
    """
    import os
    import sys

    import anyio

    from cloud_incident.demo import play

    try:
        scored = anyio.run(play, sys.stdout.isatty() and not plain)
    except BaseExceptionGroup as failures:
        _, others = failures.split(BrokenPipeError)
        if others is not None:
            raise others from failures
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return
    if not scored:
        raise SystemExit(1)


@main.command()
@click.option("--agent", "agents", multiple=True, default=("responder",), show_default=True, help="Agent to evaluate.")
@click.option("--task", "tasks", multiple=True, help="Only scenarios of this task.")
@click.option("--scenario", "scenario_ids", multiple=True, help="Only this scenario, such as RP-001.")
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True, default=(0,), help="Seed of the attempts.")
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, help="Attempts with each seed.")
@click.option("--url", default="", help="A server to play on, such as http://127.0.0.1:7860; in process if not given.")
@click.option(
    "--surface",
    type=click.Choice(["rest", "websocket", "mcp"]),
    default="rest",
    show_default=True,
    help="How to play on the server.",
)
@click.option(
    "--backend",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: as tasks on the cluster that RAY_ADDRESS names, or on one started here.",
)
@click.option("--concurrency", type=click.IntRange(min=1), default=8, show_default=True, help="Episodes at once.")
@_DIRECTORIES
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("evaluation.jsonl"),
    show_default=True,
    help="Where the trajectories go; what is there already is not played again.",
)
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write an HTML page of the results here."
)
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier run's trajectories to compare with, attempt by attempt.",
)
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the episodes as chat here, a line each, for fine-tuning.",
)
@click.option(
    "--export-from",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Least score of the episodes that are exported.",
)
def evaluate(
    out: Path,
    report: Path | None,
    compare: Path | None,
    export: Path | None,
    export_from: float,
    scenarios: tuple[Path, ...],
    scenario_ids: tuple[str, ...],
    **options: Any,
) -> None:
    """Play agents against scenarios and measure them. A run that was stopped goes on where it was.

    Scripted agents: oracle, responder, novice, random, and those who cheat. llm is the model that API_BASE_URL,
    MODEL_NAME and HF_TOKEN or API_KEY name; llm-or-responder has the responder behind it.
    """
    from cloud_incident.evaluation.baseline import SettingError
    from cloud_incident.evaluation.cluster import NoRayError
    from cloud_incident.evaluation.environments import BrokenError
    from cloud_incident.evaluation.evaluate import Evaluation, evaluated
    from cloud_incident.evaluation.runfile import RunInUseError
    from cloud_incident.evaluation.telling import exported, findings

    with _reported():
        try:
            evaluated(Evaluation(directories=scenarios, scenarios=scenario_ids, **options), out)
            for found in findings(out, against=compare, page=report):
                click.echo(found)
            if export is not None:
                click.echo(exported(out, export, export_from))
        except BrokenPipeError:  # whoever reads the tables has seen enough; click ends quietly
            raise
        except (BrokenError, RunInUseError, NoRayError, SettingError, OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="Only the trajectory of this key, such as responder/RP-001/0/0.")
@click.option("--quiet", is_flag=True, help="Only verify.")
@_DIRECTORIES
def replay(file: Path, key: str | None, quiet: bool, scenarios: tuple[Path, ...]) -> None:
    """Print trajectories step by step, and verify that they replay to what they say."""
    from cloud_incident.evaluation.replaying import differences, told
    from cloud_incident.evaluation.trajectory import read
    from scenarios.catalogue import Catalogue

    catalogue = Catalogue(scenarios)
    count = wrong = 0
    try:
        for trajectory in read(file):
            if key is not None and trajectory["key"] != key:
                continue
            count += 1
            if not quiet:
                click.echo("\n".join(told(trajectory)))
            found = differences(trajectory, catalogue)
            wrong += bool(found)
            for difference in found:
                click.echo(f"{trajectory['key']}: {difference}", err=True)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if not count:
        raise click.ClickException(f"{file} has no trajectory{f' called {key}' if key else ''}.")
    click.echo(f"{count - wrong} of {count} replay to the same evidence, rewards and score.")
    if wrong:
        raise SystemExit(1)
