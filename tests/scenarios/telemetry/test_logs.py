"""Lines follow from counts: none where nothing is counted, as many as are counted, and the same whoever asks."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from scenarios.drawing import draw
from scenarios.telemetry import SampledLogs, look
from scenarios.telemetry.texts import FIXED, OF_CALL, OF_CALLER, VARYING
from scenarios.vocabulary import DIAGNOSTICS
from scenarios.world import SOFTWARE, Change, Run, System
from scenarios.world.reasons import Reason
from tests.scenarios.telemetry.test_looking import NAMES, SYSTEM
from tests.scenarios.world.small import build

_TIME = re.compile(r"14:(\d\d):(\d\d)\.(\d\d\d)")


@pytest.fixture(scope="module")
def run() -> Run:
    run = Run(SYSTEM)
    run.advance(1920)
    return run


def read(run: Run, name: str, contains: str = "") -> SampledLogs:
    logs = look(run, "query_logs", name, contains=contains)
    assert isinstance(logs, SampledLogs)
    return logs


@pytest.mark.parametrize("name", NAMES)
def test_the_heading_says_what_was_printed_kept_and_shown(run: Run, name: str) -> None:
    logs = read(run, name)
    assert logs.logged >= logs.sampled >= len(logs.lines)
    assert len(logs.lines) == min(40, logs.sampled)
    assert logs.sampled <= 4000
    assert f"{logs.sampled:,} of {logs.logged:,} lines sampled · newest {len(logs.lines)} shown" in logs.heading


@pytest.mark.parametrize("name", ["api-gateway", "auth-service", "order-service", "redis-cache"])
def test_what_is_printed_is_what_is_counted(run: Run, name: str) -> None:
    """As many lines as requests that ended, give or take its events and what rounding by chance leaves."""
    record, layout = run.record, run.layout
    place = layout.component_names.index(name)
    counted = 0.0
    for tick in range(8, 128):
        for route in [r for r, owner in enumerate(layout.route_component) if owner == place]:
            counted += record.ticks["good"][tick][route] if name != "redis-cache" else 0.0
        for call, source in enumerate(layout.call_source):
            if layout.route_component[source] == place:
                counted += record.ticks["given_up" if name == "api-gateway" else "sent"][tick][call]
                if name != "api-gateway":
                    counted -= record.ticks["succeeded"][tick][call]
    assert abs(read(run, name).logged - counted) <= 60


def test_a_filter_finds_what_the_window_keeps(run: Run) -> None:
    everything = read(run, "postgres-db")
    some = read(run, "postgres-db", contains="terminated by signal 9")
    assert list(some.lines) == [line for line in everything.lines if "terminated by signal 9" in line]
    place = run.layout.component_names.index("postgres-db")
    deaths = [event for event in run.state.events if event.component == place and event.what == "oom"]
    assert some.matched == len(some.lines) == len(deaths) > 0
    assert read(run, "postgres-db", contains="no such text").body() == "(no log lines in this window)"
    page = read(run, "api-gateway")
    for line in page.lines[::8]:
        assert read(run, "api-gateway", contains=line).lines == (line,)


def test_a_search_takes_any_case_and_finds_lines_that_are_no_longer_shown(run: Run) -> None:
    assert read(run, "order-service", "CONNECTION").lines == read(run, "order-service", "connection").lines
    newest = read(run, "order-service").lines
    sought = read(run, "order-service", "info").lines
    assert all("INFO" in line for line in sought)
    assert set(sought) - set(newest)


def test_lines_stand_in_the_order_of_their_times(run: Run) -> None:
    for name in ("api-gateway", "order-service", "catalog-service"):
        times = [match.groups() for line in read(run, name).lines if (match := _TIME.search(line))]
        assert len(times) == 40
        assert times == sorted(times)


def test_nothing_is_printed_for_what_does_not_happen(run: Run) -> None:
    for text in ("call failed", "request failed"):  # now and then that happens by itself
        failing = read(run, "catalog-service", contains=text)
        assert 0 < failing.matched < 0.001 * failing.logged
    assert not read(run, "catalog-service", contains="connection refused").lines
    assert not read(run, "redis-cache", contains="Ready").lines


def test_few_errors_among_many_lines_are_kept(run: Run) -> None:
    """A hundredth of the calls is lost: sampling keeps one line of 250, and five of these a tick all the same."""
    change = SYSTEM.changes[0].model_copy(
        update={"at": 0, "what": "loss", "target": "catalog-service/items redis-cache/get", "to": 0.01}
    )
    few = Run(SYSTEM.model_copy(update={"changes": (change,)}))
    few.advance(900)
    found = read(few, "catalog-service", contains="i/o timeout").matched
    assert 5 * 55 <= found <= 5 * 60


def test_an_instance_that_is_down_prints_nothing() -> None:
    """One after the other is down for five seconds; the others print what there is to print."""
    run = Run(SYSTEM)
    run.advance(300)
    run.order("restart_service", "catalog-service")
    run.advance(15)
    started = read(run, "catalog-service", contains="msg=starting ").lines
    stopped = read(run, "catalog-service", contains="signal received").lines
    assert len(started) == len(stopped) == 3
    for instance in range(3):
        old, new = (re.findall(r"pod=(\S+)", lines[instance])[0] for lines in (stopped, started))
        assert old != new
        for pod, lives in ((old, range(5 * instance)), (new, range(5 * instance + 5, 60))):
            lines = read(run, "catalog-service", contains=f"msg=request pod={pod} ").lines
            seconds = [int(match.group(1)) for line in lines if (match := re.search(r"13:51:(\d\d)", line))]
            assert seconds or not lives or pod == new
            assert set(seconds) <= set(lives)


@pytest.mark.parametrize("software", list(SOFTWARE))
def test_templates_have_only_fields_that_there_are(software: str) -> None:
    of_event = {
        "memory_kb",
        "virtual_kb",
        "startup_pid",
        "epoch",
        "version",
        "job",
        "flag",
        "value",
        "seconds",
        "memory",
        "statement",
        "node",
        "process",
        "unit",
        "again",
        "ordinal",
        "available_kb",
        "used_kb",
        "before",
        "after",
    }
    for line in SOFTWARE[software].lines:
        fields = {name for _, name, _, _ in Formatter().parse(line.text) if name is not None}
        known = VARYING | FIXED
        if line.when.startswith(("call.", "given_up.")):
            known = known | OF_CALL
            reasons = ("no_space", "too_many", *(reason.name.lower() for reason in Reason))
            assert line.when.partition(".")[2] in reasons
        elif line.when.startswith("caller."):
            known = known | OF_CALLER
            assert line.when.partition(".")[2] in ("locked", *(reason.name.lower() for reason in Reason))
        elif line.when.startswith("event."):
            known = known | OF_CALL | of_event
        assert fields <= known, line.text


def _change_system(*changes: Change) -> System:
    return SYSTEM.model_copy(update={"changes": changes})


def test_two_causes_with_the_same_effect_look_the_same_there() -> None:
    """Whether a release or a setting makes it slow, its callers and its own lines and metrics show the same."""
    slow = Change(at=600, what="work", target="payment-service", to=3.0)
    part = next(component for component in SYSTEM.components if component.name == "payment-service")
    worse = part.releases[0].model_copy(update={"work": 3.0})
    parts = tuple(c.model_copy(update={"releases": (worse,)}) if c is part else c for c in SYSTEM.components)
    always = SYSTEM.model_copy(update={"components": parts, "changes": ()})
    first, second = Run(_change_system(slow.model_copy(update={"at": 0}))), Run(always)
    for run in (first, second):
        run.advance(900)
    for diagnostic in DIAGNOSTICS:
        for name in ("payment-service", "order-service", "api-gateway"):
            assert look(first, diagnostic, name).text == look(second, diagnostic, name).text


@pytest.mark.parametrize(("software", "said"), [("postgres", "No space left on device"), ("mysql", "' is full!")])
@pytest.mark.parametrize("level", [0.6, 1.0])
def test_a_store_whose_disk_is_full_says_so_of_each_write(software: str, said: str, level: float) -> None:
    store = {
        "name": "shop",
        "software": software,
        "routes": [{"name": "orders", "work": 0.004, "writes": 0.5}],
        "parameters": {"disk": 10000.0, "disk_data": 5000.0},
    }
    journeys = ({"name": "order", "entry": "shop/orders", "demand": 30, "deadline": 5, "worth": 1.0},)
    change = Change(at=300, what="disk_data", target="shop", to=level)
    run = Run(build([store], (), journeys=journeys, changes=(change,)))
    run.advance(600)
    found = read(run, "shop", contains=said).matched
    assert (found > 90) == (level == 1.0)
    assert found > 90 or not found


@pytest.mark.parametrize(("what", "code", "metric"), [("blocked", "403", "denied"), ("shed", "429", "limit")])
def test_who_turns_users_away_at_the_edge_says_so(what: str, code: str, metric: str) -> None:
    system = draw(7001, 2).background
    edge = next(part.name for part in system.components if part.software == "envoy")
    entering = [each.name for each in system.journeys if each.entry.startswith(f"{edge}/")]
    changes = [Change.model_validate({"at": 600, "what": what, "target": name, "to": 0.5}) for name in entering]
    if what == "shed":
        changes = [Change(at=600, what="shed", target=edge, to=0.5)]
    run = Run(system.model_copy(update={"changes": tuple(changes)}))
    run.advance(1200)
    assert f" {code} " in look(run, "query_logs", edge).text
    counted = next(line for line in look(run, "check_metrics", edge).text.splitlines() if metric in line)
    assert float(counted.split()[3]) > 10.0


@pytest.mark.parametrize("name", ["api-gateway", "catalog-service"])
def test_the_heading_says_how_many_lines_are_bad(run: Run, name: str) -> None:
    """Sampling keeps a larger part of them than of others, so a page shows more of them than there are."""
    logs = read(run, name)
    assert f" · warnings and errors: {logs.bad_sampled:,} of {logs.bad_logged:,} sampled" in logs.heading
    assert 0 < logs.bad_sampled <= logs.bad_logged < logs.logged
    assert logs.bad_sampled / logs.bad_logged >= 0.9 * logs.sampled / logs.logged
    record, layout = run.record, run.layout
    place = layout.component_names.index(name)
    failed = 0.0
    for tick in range(8, 128):
        for call, source in enumerate(layout.call_source):
            if layout.route_component[source] == place:
                ended = record.ticks["given_up"][tick][call]
                failed += ended if name == "api-gateway" else record.ticks["failed"][tick][:, call].sum()
        if name != "api-gateway":
            failed += sum(record.ticks["faulty"][tick][layout.route_component == place].tolist())
    assert abs(logs.bad_logged - failed) <= 60
