"""What is said of an audit: a Markdown table for readers, JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_incident.evaluation.audit.auditing import Audited
    from cloud_incident.evaluation.audit.check import Check, Spec

FORMAT = 1
"""Of the JSON; changes whenever older readers could no longer read it."""

_MARKS = {"pass": "✓ pass", "fail": "✗ FAIL", "skip": "– skip", "error": "✗ ERROR"}


def markdown(audited: Audited) -> str:
    """The table, what failed, and what was measured."""
    sample = audited.sample
    lines = [
        "| check | result | measured | threshold | note |",
        "|---|---|---|---|---|",
        *(
            _row(
                f"`{check.spec.id}`",
                _MARKS[check.status],
                _figures(check),
                check.spec.threshold,
                check.note,
            )
            for check in audited.checks
        ),
    ]
    for check in audited.checks:
        if check.examples:
            lines += ["", f"`{check.spec.id}`:", *(f"- {_plain(example)}" for example in check.examples)]
    failed = sum(check.failed for check in audited.checks)
    lines += [
        "",
        f"{len(audited.checks) - failed} of {len(audited.checks)} checks passed on {sample.size} incidents from "
        f"{sample.start} on of {', '.join(sample.splits)} at difficulty {', '.join(map(str, sample.difficulties))}, "
        f"each in {', '.join(sample.tasks)}; {audited.seconds:.0f} s.",
    ]
    return "\n".join(lines) + "\n"


def as_json(audited: Audited) -> bytes:
    """The same for programs: statuses and ids are those of OpenEnv's reports."""
    told = {
        "format": FORMAT,
        "passed": audited.passed,
        "sample": asdict(audited.sample),
        "seconds": round(audited.seconds, 1),
        "checks": [
            {
                "check_id": check.spec.id,
                "status": check.status,
                "asks": check.spec.asks,
                "threshold": check.spec.threshold,
                "measured": dict(check.measured),
                "note": check.note,
                "evidence": list(check.examples),
            }
            for check in audited.checks
        ],
    }
    return orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def inventory(specs: Iterable[Spec]) -> str:
    """The checks as a Markdown table: what each asks and its threshold."""
    rows = [_row(f"`{spec.id}`", spec.asks, spec.threshold) for spec in specs]
    return "\n".join(["| check | asks | threshold |", "|---|---|---|", *rows])


def _figures(check: Check) -> str:
    return "; ".join(f"{name} {_number(value)}" for name, value in check.measured.items())


def _number(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _row(*cells: str) -> str:
    return f"| {' | '.join(_plain(cell) for cell in cells)} |"


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
