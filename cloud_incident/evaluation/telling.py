"""What is said of a run when it has been played: its tables, its comparison with another, its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.comparison import RunComparison, compare_runs
from cloud_incident.evaluation.export import chat_lines
from cloud_incident.evaluation.metrics import summarise
from cloud_incident.evaluation.report import report
from cloud_incident.evaluation.tables import run_comparison_text, summary_text
from cloud_incident.evaluation.trajectory import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def findings(run: Path, *, against: Path | None = None, page: Path | None = None) -> Iterator[str]:
    """The tables of a run, its comparison with an earlier one, and where its page was written.

    Raises:
        ValueError: if a file holds no trajectories, or the runs have nothing in common.
    """
    trajectories = list(read(run))
    summary = summarise(trajectories)
    yield summary_text(summary)
    compared: RunComparison | None = None
    if against is not None:
        compared = compare_runs(read(against), trajectories, names=(against.stem, run.stem))
        yield run_comparison_text(compared)
    if page is not None:
        comparisons = compared.comparisons if compared is not None else ()
        text = report(trajectories, title=f"Evaluation {run.stem}", summary=summary, comparisons=comparisons)
        page.write_text(text, "utf-8")
        yield f"The report is in {page}."


def exported(run: Path, chat: Path, minimum: float = 0.0) -> str:
    """Write a run's episodes of a score or more as chat, and say how many there are."""
    lines = list(chat_lines(read(run), minimum=minimum))
    chat.write_bytes(b"".join(lines))
    return f"{len(lines)} episodes are in {chat} as chat."
