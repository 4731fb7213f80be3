"""Every law has a check, a sound system passes it, and a run that is broken in that way does not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from scenarios.catalogue import Catalogue
from scenarios.laws import LAWS, Subject, find_breaches, printing
from scenarios.laws.acting import ActionWitness
from scenarios.laws.bytes import find_other_bytes
from scenarios.laws.gradual import GradualWitness
from scenarios.laws.history import HistoryWitness
from scenarios.laws.latencies import LatencyWitness
from scenarios.laws.ledgers import LedgerWitness
from scenarios.laws.levels import LevelWitness
from scenarios.laws.likeness import find_unlike, list_twins
from scenarios.laws.passing import TimeWitness, find_timeless
from scenarios.laws.playing import Witness, follow
from scenarios.laws.printing import PrintWitness
from scenarios.laws.returning import find_no_return, find_step_dependence
from scenarios.running import incident as running_incident
from scenarios.running.incident import RunningCourse, RunningIncident
from scenarios.telemetry import logs, look
from scenarios.vocabulary.diagnostics import Logs, ScrapedMetrics, Status
from tests.scenarios.laws import broken
from tests.slow import mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.evidence import Evidence
    from scenarios.laws.subject import Play
    from scenarios.world import Run


SECONDS = 480.0
"""How much of a play is played where something is broken."""


def find(subject: Subject, *kinds: type[Witness], play: int = 2) -> list[str]:
    """The findings of some witnesses in the first minutes of a play; of the hostile one if not said otherwise."""
    witnesses = [kind(subject) for kind in kinds]
    whole = (subject.play_honestly, subject.play_at_random, subject.play_to_hurt)[play]()
    end = subject.begins + SECONDS
    follow(subject, whole._replace(moves=tuple(move for move in whole.moves if move.at < end), until=end), witnesses)
    return [finding for witness in witnesses for finding in witness.findings]


@pytest.fixture(scope="module")
def live() -> Subject:
    incident = Catalogue().get("LIVE-RP-001").incident
    assert isinstance(incident, RunningIncident)
    return Subject.of_incident(incident)


@pytest.mark.slow
def test_a_sound_system_keeps_each_law() -> None:
    """So nothing is found in the small system but what is broken in it below."""
    assert find_breaches(broken.make_subject()) == {law: [] for law in LAWS}


if "WORLD_SYSTEMS" in os.environ:  # in the wide run and in `scripts/laws-check`; `.ci/run` audits the same incident

    @pytest.mark.slow
    def test_the_incident_that_runs_keeps_each_law(live: Subject) -> None:
        assert find_breaches(live) == {law: [] for law in LAWS}


@pytest.mark.parametrize("tampering", [broken.rewrite_record, broken.tell_late])
def test_a_past_that_changes_is_found(tampering: Callable[[Run], None]) -> None:
    assert find(broken.make_subject(broken.tamper(tampering)), HistoryWitness, play=0)


def test_what_is_complete_up_to_another_moment_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def show_later(run: Run, diagnostic: str, component: str, *, as_of: float | None = None) -> Evidence:
        return look(run, diagnostic, component, as_of=as_of).model_copy(update={"as_of": "2026-01-05T10:00Z"})

    monkeypatch.setattr("scenarios.laws.history.look", show_later)
    assert any("complete up to" in finding for finding in find(broken.make_subject(), HistoryWitness, play=0))


@pytest.mark.parametrize("tampering", mark_slow_after(3, broken.UNEXPLAINED))
def test_what_is_made_or_lost_is_found(tampering: Callable[[Run], None]) -> None:
    subject = broken.make_subject(broken.tamper(tampering))
    assert find(subject, LedgerWitness, LatencyWitness, LevelWitness, play=0)


def test_an_entry_that_names_the_fault_is_found() -> None:
    assert find(broken.make_subject(broken.tamper(broken.betray)), PrintWitness, play=0)


@pytest.mark.parametrize(
    ("kind", "update"),
    [
        (Logs, {"lines": ("a fault was injected here",)}),
        (Status, {"flags": (("injected", "on"),)}),
        (Status, {"state": "running, struck by a fault"}),
    ],
)
def test_what_the_software_does_not_print_is_found(
    monkeypatch: pytest.MonkeyPatch, kind: type[Evidence], update: dict[str, object]
) -> None:
    def show_more(run: Run, diagnostic: str, component: str) -> Evidence:
        shown = look(run, diagnostic, component)
        return shown.model_copy(update=update) if isinstance(shown, kind) else shown

    monkeypatch.setattr(printing, "look", show_more)
    assert find(broken.make_subject(), PrintWitness, play=0)


def test_a_metric_that_the_software_does_not_have_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def show_more(run: Run, diagnostic: str, component: str) -> Evidence:
        shown = look(run, diagnostic, component)
        if not isinstance(shown, ScrapedMetrics):
            return shown
        other = shown.series[0].model_copy(update={"name": "fault_strength"})
        return shown.model_copy(update={"series": (*shown.series, other)})

    monkeypatch.setattr(printing, "look", show_more)
    assert find(broken.make_subject(), PrintWitness, play=0)


@pytest.mark.slow
def test_a_cause_that_prints_is_found() -> None:
    assert len(list(list_twins(broken.SYSTEM))) == 3
    assert find_unlike(broken.make_subject(broken.tamper(broken.print_cause)))


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        (broken.ignore, "leaves no entry"),
        (broken.pretend, "does nothing, and does not say so"),
        (broken.rush, "acts at once"),
    ],
)
def test_an_action_that_does_not_act_is_found(tampering: Callable[[Run, str, str], None], told: str) -> None:
    found = find(broken.make_subject(broken.tamper_orders(tampering)), ActionWitness, play=0)
    assert any(told in finding for finding in found), found


@pytest.mark.parametrize("tampering", mark_slow_after(3, broken.SUDDEN))
def test_what_happens_at_once_is_found(tampering: Callable[[Run], None]) -> None:
    subject = broken.make_subject(broken.tamper(tampering))
    assert find(subject, GradualWitness) or find(subject, GradualWitness, play=0)


def test_an_operation_in_half_its_time_is_found() -> None:
    assert find(broken.make_subject(broken.tamper_orders(broken.shorten)), TimeWitness)


def _look_for_nothing(self: RunningCourse, diagnostic: str, service: str) -> tuple[Evidence, RunningCourse]:
    return look(self.incident.runs.get(self.orders, self.now), diagnostic, service, as_of=self.now), self


def _repair_nothing(subject: Subject, play: Play, _: object) -> Run:
    run = subject.start()
    run.advance(play.until)
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "name", "instead", "told"),
    [
        (RunningCourse, "look", _look_for_nothing, "a look at"),
        (running_incident.RunningIncident, "count_seconds", lambda *_: 0, "a restart of"),
        ("scenarios.laws.passing", "find_pages", lambda *_: [], "nobody is paged"),
        ("scenarios.laws.passing", "follow", _repair_nothing, "does not clear"),
        (logs, "WINDOW_TICKS", 12, "begin after the onset"),
    ],
)
def test_an_incident_in_which_no_time_passes_is_found(
    monkeypatch: pytest.MonkeyPatch, live: Subject, target: object, name: str, instead: object, told: str
) -> None:
    if isinstance(target, str):
        monkeypatch.setattr(f"{target}.{name}", instead)
    else:
        monkeypatch.setattr(target, name, instead)
    assert any(told in finding for finding in find_timeless(live))


@pytest.mark.slow
def test_other_bytes_in_another_process_are_found() -> None:
    subject = broken.make_subject()
    plays = [subject.play_at_random(4)]
    found = find_other_bytes(subject, plays, elsewhere="tests.scenarios.laws.hashing")
    assert any("hashes otherwise" in finding for finding in found)
    assert any("wide registers" in finding for finding in found)


@pytest.mark.slow
def test_other_bytes_beside_another_system_are_found() -> None:
    subject = broken.make_subject(broken.Crowded)
    (finding,) = find_other_bytes(subject, [subject.play_at_random(4)])
    assert "beside another system" in finding


@pytest.mark.slow
def test_a_system_that_does_not_come_back_is_found() -> None:
    assert find_no_return(broken.make_subject(broken.tamper(broken.never_heal)))


@pytest.mark.slow
def test_a_page_that_follows_from_the_step_is_found() -> None:
    assert find_step_dependence(broken.make_subject(broken.tamper(broken.follow_the_step)))
