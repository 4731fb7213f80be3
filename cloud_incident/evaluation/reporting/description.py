"""The description of a run that has been played: its tables, a comparison with another run, and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.reporting.report import render_report
from cloud_incident.evaluation.running import read_results
from cloud_incident.evaluation.statistics import RunComparison, compare_runs, summarise
from cloud_incident.extras import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def describe_run(run: Path, *, against: Path | None = None, page: Path | None = None) -> Iterator[str]:
    """Yield the tables of a run and of its comparison with an earlier run; write its page, and yield where it is.

    Raises:
        ValueError: if a file holds no trajectories; or, when all else is done, if the runs have nothing in common.
        MissingExtraError: if rich is not installed, or Jinja2 is not and there is a page to write.
    """
    require_extra("evaluate", "rich")
    # The server imports this module and needs no tables: rich takes 110 ms of processor time to import.
    from cloud_incident.evaluation.reporting.tables import render_run_comparison, render_summary

    trajectories = read_results(run)
    summary = summarise(trajectories)
    yield render_summary(summary)
    compared: RunComparison | None = None
    incomparable: ValueError | None = None
    if against is not None:
        try:
            compared = compare_runs(read_results(against), trajectories, names=(against.stem, run.stem))
        except ValueError as error:
            incomparable = error
        else:
            yield render_run_comparison(compared)
    if page is not None:
        comparisons = compared.comparisons if compared is not None else ()
        text = render_report(trajectories, title=f"Evaluation {run.stem}", summary=summary, comparisons=comparisons)
        page.write_text(text, "utf-8")
        yield f"The report is in {page}."
    if incomparable is not None:
        raise incomparable
