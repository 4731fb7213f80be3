"""`cloud-incident evaluate`: agents, played and measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import click
from click.core import ParameterSource
from pydantic import AfterValidator, Field, SecretStr

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import DIFFICULTY, with_settings
from cloud_incident.cli.outputs import OutputFile, refuse_same_file
from cloud_incident.evaluation.agents import SettingError
from cloud_incident.evaluation.reporting import describe_run, export_chat
from cloud_incident.evaluation.running import (
    SURFACES,
    Evaluation,
    Outcome,
    RunInUseError,
    UnreachableError,
    read_results,
    read_token,
    run_evaluation,
)
from cloud_incident.extras import require_extra
from cloud_incident.settings.base import Settings
from env_core.selection import MOST_TYPED_SEED
from scenarios.generator.naming import GENERATOR_VERSION, GENERATORS

_GIVEN = ParameterSource.COMMANDLINE
_INCOMPLETE = 3
"""The exit status if an episode has no result: it failed, or was not played."""


def _check_token(secret: SecretStr) -> SecretStr:
    return SecretStr(read_token(secret.get_secret_value()))


class EvaluateSettings(Settings):
    """Settings of `evaluate`."""

    command = "evaluate"

    token: Annotated[SecretStr, AfterValidator(_check_token)] | None = Field(
        None,
        description="A file with the token that the server of --url asks for; or the token itself in "
        "CLOUD_INCIDENT_TOKEN.",
    )


@click.command(cls=ReportingCommand, failures=(RunInUseError, SettingError, UnreachableError, OSError, ValueError))
@click.option("--agent", "agents", multiple=True, default=("responder",), show_default=True, help="Agent to evaluate.")
@click.option("--task", "tasks", multiple=True, help="Only scenarios of this task.")
@click.option("--scenario", "scenario_ids", multiple=True, help="Only this scenario, such as RP-001.")
@click.option("--split", default="", help="Scenarios of this split, such as validation, rather than the curated ones.")
@click.option(
    "--generator",
    type=click.Choice(GENERATORS),
    default=GENERATOR_VERSION,
    show_default=True,
    help="Whose incidents of the split: of 2 those that are proved.",
)
@click.option("--start", type=click.IntRange(min=0), default=0, show_default=True, help="First index of the split.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    help="How many scenarios of the split, of each task; 100 if not given, or as many as there are.",
)
@click.option(
    "--difficulty",
    "difficulties",
    type=DIFFICULTY,
    multiple=True,
    help="Difficulty of the split's incidents, once or more; each has its own if not given.",
)
@click.option(
    "--seed", "seeds", type=click.IntRange(0, MOST_TYPED_SEED), multiple=True, default=(0,), help="Seed of attempts."
)
@click.option("--repeats", type=click.IntRange(min=1), default=1, show_default=True, help="Attempts with each seed.")
@click.option("--url", default="", help="A server to play on, such as http://127.0.0.1:7860; in process if not given.")
@click.option(
    "--surface",
    type=click.Choice(list(SURFACES)),
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
@with_settings(EvaluateSettings)
@click.option(
    "--out",
    type=OutputFile(makes_directory=True),
    default=Path("evaluation.jsonl"),
    show_default=True,
    help="Where the trajectories go; what has a result there already is not played again.",
)
@click.option("--start-over", is_flag=True, help="Remove the results that are in --out, and play everything again.")
@click.option("--report", type=OutputFile(), help="Write an HTML page of the results here.")
@click.option(
    "--compare",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier run's trajectories to compare with, attempt by attempt.",
)
@click.option(
    "--export",
    type=OutputFile(),
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
    settings: EvaluateSettings,
    out: Path,
    report: Path | None,
    compare: Path | None,
    export: Path | None,
    export_from: float,
    scenario_ids: tuple[str, ...],
    *,
    start_over: bool,
    **options: Any,
) -> None:
    """Play agents against scenarios and measure them.

    A run that was stopped goes on where it was. Episodes that failed, because a model or a server did not answer, are
    in no mean; they are played again by the same command. The exit code is 3 if there are such episodes, 1 if nothing
    could be played.

    Scripted agents: oracle, responder, novice, random, and those who cheat. llm is the model that API_BASE_URL,
    MODEL_NAME and HF_TOKEN or API_KEY name; llm-or-responder asks the responder where the model fails.
    """
    evaluation = Evaluation(
        directories=settings.scenarios,
        salt=settings.secret_salt,
        scenarios=scenario_ids,
        token="" if settings.token is None else settings.token.get_secret_value(),
        **options,
    )
    require_extra("evaluate", "jinja2", "rich")  # before hours of playing
    refuse_same_file({"--out": out, "--report": report, "--export": export})
    refuse_same_file({"--report": report, "--export": export}, {"--compare": compare})
    if not evaluation.url and click.get_current_context().get_parameter_source("surface") is _GIVEN:
        raise click.UsageError("--surface says how to play on a server; give its --url, or leave --surface out.")
    if compare is not None:
        read_results(compare)  # what cannot be compared with is told before the run
    outcome = run_evaluation(evaluation, out, start_over=start_over)
    if outcome.stopped:
        click.echo(f"The run was stopped: {outcome.stopped}.", err=True)
    for finding in describe_run(out, against=compare, page=report):
        click.echo(finding)
    if export is not None:
        click.echo(export_chat(out, export, export_from))
    if not outcome.complete:
        click.echo(_describe_gap(outcome), err=True)
        raise SystemExit(_INCOMPLETE)


def _describe_gap(outcome: Outcome) -> str:
    unplayed = f" {outcome.unplayed} were not played." if outcome.unplayed else ""
    return f"Error: {outcome.failed} episodes failed and are in no mean.{unplayed} The same command tries them again."
