"""`cloud-incident show`: everything about one incident."""

from __future__ import annotations

import json
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations of class variables
from typing import TYPE_CHECKING, Any, ClassVar

import click

from cloud_incident.cli.errors import ReportingCommand
from cloud_incident.cli.options import DIFFICULTY, TASK, with_settings
from cloud_incident.settings.base import DIFFICULTY_HELP, Settings
from cloud_incident.show.facts import collect_facts
from cloud_incident.show.page import render_page
from env_core.selection import MOST_INDEX, MOST_TYPED_SEED, Selection
from scenarios.generator.naming import GENERATORS
from scenarios.parsing import parse_arguments

if TYPE_CHECKING:
    from scenarios.vocabulary import TaskId


class ShowSettings(Settings):
    """Settings of `show`."""

    command = "show"


class ShowSelection(Selection):
    """What is to be shown, by an argument and options."""

    selector_names: ClassVar[Mapping[str, str]] = {
        "scenario_id": "SCENARIO",
        "scenario_index": "SCENARIO",
        **{name: f"--{name}" for name in ("index", "split", "seed", "difficulty", "generator")},
    }


@click.command(cls=ReportingCommand)
@click.argument("scenario", required=False)
@click.option("--seed", type=click.IntRange(0, MOST_TYPED_SEED), help="Seed of a generated incident.")
@click.option("--difficulty", type=DIFFICULTY, help=DIFFICULTY_HELP)
@click.option(
    "--generator",
    type=click.Choice(GENERATORS),
    help="The generator that is given the seed, or whose split is meant; 1 if not given.",
)
@click.option("--split", help="A scenario of this split: the one of the index, or one drawn by the seed.")
@click.option("--index", type=click.IntRange(0, MOST_INDEX), help="Index in the split.")
@click.option("--task", type=TASK, help="The task of a seed's or a split's scenario.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_settings(ShowSettings)
def show(settings: ShowSettings, scenario: str | None, task: TaskId | None, as_json: bool, **selectors: Any) -> None:
    """Print everything about one incident, the truth included.

    The alert, the service map, the timeline, severity and root cause, certificates, plan and tempting moves of a
    scenario such as RCA-001 or GEN1-RP-D3-42.
    """
    selectors |= {"scenario_id": scenario, "task_id": task}
    given = {name: value for name, value in selectors.items() if value not in {None, ""}}
    if not given:
        raise click.UsageError("Name a scenario, such as RCA-001 or GEN1-RP-D3-42, or give --seed or --split.")
    selection = parse_arguments("cloud-incident show", ShowSelection, given)
    facts = collect_facts(selection.resolve(settings.build_catalogue())[0])
    click.echo(json.dumps(facts, indent=2, ensure_ascii=False) if as_json else render_page(facts))
