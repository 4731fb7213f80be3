"""The change log tells all changes alike: those from before the run, those in it, and those of on-call."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from scenarios.telemetry import look
from scenarios.vocabulary.diagnostics import Change as Entry
from scenarios.vocabulary.diagnostics import Deploys
from scenarios.world import Change, Run, System
from scenarios.world.system import PastChange
from tests.scenarios.world.small import build

_BEGINS = datetime(2026, 1, 5, 9, tzinfo=UTC)


def _build(*revisions: str) -> System:
    return build(
        [{"name": "shop", "software": "go-service", "routes": [{"name": "order", "work": 0.02, "cpu": 0.01}]}],
        (),
        begins=_BEGINS,
        history=tuple(
            PastChange(
                at=_BEGINS - timedelta(days=9 - day, seconds=17 * day),
                component="shop",
                kind="config",
                version=revision,
                by="shop",
                note="Limits tuned.",
            )
            for day, revision in enumerate(revisions)
        ),
        changes=(Change(at=305, what="shed", target="shop", to=0.0, by="shop", note="Thresholds tuned."),),
    )


def _read(run: Run) -> tuple[Entry, ...]:
    shown = look(run, "check_recent_deploys", "shop")
    assert isinstance(shown, Deploys)
    return shown.history


def test_all_times_have_the_same_form() -> None:
    run = Run(_build("conf r301", "conf r302"))
    run.advance(400)
    run.order("restart_service", "shop")
    run.advance(65)
    entries = _read(run)
    assert len(entries) == 4
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", entry.at) for entry in entries)
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    assert entries[1].at == "2026-01-05T09:05Z"


@pytest.mark.parametrize("revisions", [("conf r301", "conf r840", "conf r173"), ("conf r990", "conf r991"), ()])
def test_revisions_grow_and_stay_what_they_were(revisions: tuple[str, ...]) -> None:
    run = Run(_build(*revisions))
    run.advance(200)
    before = _read(run)
    run.advance(200)
    entries = _read(run)
    assert entries[1:] == before
    numbers = [int(entry.version.removeprefix("conf r")) for entry in reversed(entries)]
    assert len(numbers) == len(revisions) + 1
    assert numbers == sorted(set(numbers))
    assert all(later - earlier <= 20 for earlier, later in pairwise(numbers))
    if revisions:
        assert entries[-1].version == revisions[0]
