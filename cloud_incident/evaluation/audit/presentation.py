"""Presents the result of an audit: a Markdown table for readers, JSON for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson

from env_core.reference import RULES_VERSION
from scenarios.generator.naming import GENERATOR_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud_incident.evaluation.audit.auditing import AuditResult
    from cloud_incident.evaluation.audit.check import Check, CheckResult, CheckStatus

FORMAT = 2
"""The version of the JSON. It changes whenever older readers can no longer read it."""

_MARKS: dict[CheckStatus, str] = {
    "pass": "✓ pass",
    "fail": "✗ FAIL",
    "too_small_to_tell": "? too small to tell",
    "skip": "– skip",
    "error": "✗ ERROR",
}
_COUNTED: dict[CheckStatus, str] = {
    "too_small_to_tell": "too small to tell",
    "fail": "failed",
    "error": "could not be made",
    "skip": "skipped",
}
"""The words for a number of checks of each status but `pass`."""


def render_markdown(audited: AuditResult) -> str:
    """Render the result as a Markdown table, followed by examples of what failed and a line of totals."""
    sample = audited.sample
    lines = [
        "| check | result | measured | threshold | note |",
        "|---|---|---|---|---|",
        *(
            _format_row(
                f"`{check.spec.id}`",
                _MARKS[check.status],
                _format_figures(check),
                check.spec.threshold,
                check.note,
            )
            for check in audited.checks
        ),
    ]
    for check in audited.checks:
        if check.examples:
            lines += ["", f"`{check.spec.id}`:", *(f"- {_escape_cell(example)}" for example in check.examples)]
    lines += [
        "",
        f"{_count_checks(audited)}, on {sample.size} incidents from "
        f"{sample.start} on of {', '.join(sample.splits)} at difficulty {', '.join(map(str, sample.difficulties))}, "
        f"each in {', '.join(sample.tasks)}; {audited.seconds:.0f} s.",
        f"Measured on {audited.measured_at} with version {audited.version}, rules {RULES_VERSION} and generator "
        f"{GENERATOR_VERSION}.",
    ]
    return "\n".join(lines) + "\n"


def _count_checks(audited: AuditResult) -> str:
    """How many checks came to which result. Those of which there are none are left out, but for those that passed."""
    counts = audited.count_statuses()
    others = [f"{counts[status]} {words}" for status, words in _COUNTED.items() if counts[status]]
    return ", ".join([f"{counts['pass']} of {len(audited.checks)} checks passed", *others])


def render_json(audited: AuditResult) -> bytes:
    """Render the result as JSON. Ids are those of OpenEnv's reports, and statuses too but for `too_small_to_tell`."""
    content = {
        "format": FORMAT,
        "passed": audited.passed,
        "counts": audited.count_statuses(),
        "measured_at": audited.measured_at,
        "version": audited.version,
        "rules": RULES_VERSION,
        "generator": GENERATOR_VERSION,
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
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def render_inventory(specs: Iterable[Check]) -> str:
    """Render checks as a Markdown table: what each asks and its threshold."""
    rows = [_format_row(f"`{spec.id}`", spec.asks, spec.threshold) for spec in specs]
    return "\n".join(["| check | asks | threshold |", "|---|---|---|", *rows])


def _format_figures(check: CheckResult) -> str:
    return "; ".join(f"{name} {_format_number(value)}" for name, value in check.measured.items())


def _format_number(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _format_row(*cells: str) -> str:
    return f"| {' | '.join(_escape_cell(cell) for cell in cells)} |"


def _escape_cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
