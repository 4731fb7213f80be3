"""Rules that watch latency, a backlog or a disk fire for what they watch, and their page says it in its unit."""

from __future__ import annotations

import pytest

from scenarios.telemetry import Silence, describe_page, drop_silences, find_pages, report_changes, update_alert
from scenarios.telemetry.clock import Clock
from scenarios.world import (
    AlertRule,
    Call,
    Change,
    Component,
    Group,
    InvalidSystemError,
    Journey,
    Route,
    Run,
    System,
    Topic,
)

_LAG = AlertRule(name="MailLag", watches="backlog", on="mailer", above=200, lasts=60)
_DISK = AlertRule(name="BusDisk", watches="disk", on="bus", above=0.85, lasts=60)
_SLOW = AlertRule(name="OrderSlow", watches="latency", journeys=("order",), above=0.5, lasts=60)


def _build(*changes: Change) -> System:
    """Orders are published, and a mailer works on them. The noisy first part shifts the places of what is watched."""
    return System(
        name="small",
        components=(
            Component(name="shop", software="go-service", routes=(Route(name="order", work=0.02, cpu=0.01),)),
            Component(
                name="bus",
                software="kafka",
                routes=(Route(name="orders", work=0.002),),
                parameters={"disk": 10000.0, "disk_data": 5000.0},
            ),
            Component(name="mailer", software="go-service", routes=(Route(name="send", work=0.05, cpu=0.01),)),
        ),
        calls=(Call(source="shop/order", target="bus/orders", deadline=2, pool=20),),
        journeys=(Journey(name="order", entry="shop/order", demand=10, deadline=5, worth=1.0),),
        topics=(Topic(name="orders", route="bus/orders"),),
        groups=(Group(name="mailer", topic="orders", route="mailer/send", workers=2),),
        alerts=(_LAG, _DISK, _SLOW),
        changes=changes,
    )


@pytest.mark.parametrize(
    ("change", "name", "symptom"),
    [
        (Change(at=300, what="work", target="mailer", to=30), "MailLag", "Messages that wait for mailer: "),
        (Change(at=300, what="disk_rate", target="bus", to=20), "BusDisk", "Disk in use of bus: "),
        (Change(at=300, what="work", target="shop", to=9), "OrderSlow", "p99 of order: "),
    ],
)
def test_a_rule_fires_for_what_it_watches(change: Change, name: str, symptom: str) -> None:
    run = Run(_build(), _build(change))
    run.advance(900)
    assert find_pages(run, 900, 0) == []
    pages = find_pages(run, 900, 1)
    assert [page.rule.name for page in pages] == [name]
    assert pages[0].fired >= 360
    alone = Run(_build(change))
    alone.advance(900)
    page = describe_page(alone, find_pages(alone, 900)[0], 900)
    assert page["symptoms"][0].startswith(symptom)
    assert page["affected_services"]
    assert not any("requests fail" in symptom for symptom in page["symptoms"])


@pytest.mark.parametrize(("errors", "said"), [(0.3, "order: 30 % of requests fail (normal 0 %)"), (0.0, "")])
def test_only_journeys_that_fail_are_symptoms(errors: float, said: str) -> None:
    shifts = [Change(at=300, what="errors", target="shop", to=errors), Change(at=300, what="work", target="shop", to=9)]
    system = _build(*shifts[: 1 if errors else 2])
    rule = AlertRule(name="OrderFails", watches="failures", journeys=("order",), above=0.1, lasts=60)
    run = Run(system.model_copy(update={"alerts": (rule, _SLOW)}))
    run.advance(900)
    page = describe_page(run, find_pages(run, 900)[0], 900)
    assert [symptom for symptom in page["symptoms"] if "fail" in symptom] == ([said] if said else [])
    if said:
        assert page["description"] == "Requests of users that fail, in the last minute before the page: order 30 %."
        assert page["summary"] == "Share of failing requests above 10 % for 1 minute"


def test_a_rule_that_fires_while_it_is_silenced_pages_when_that_ends() -> None:
    run = Run(_build(Change(at=300, what="work", target="shop", to=9)))
    run.advance(900)
    page = find_pages(run, 900)[0]
    alert = describe_page(run, page, 900)
    silence = Silence("OrderSlow", page.fired - 60, 780)
    early, late = (report_changes(run, "OrderSlow", 300, until, [silence]) for until in (720, 900))
    assert "Page OrderSlow fired" not in early
    assert "and paged nobody: it is silenced until 09:13." in early
    assert ", silenced until 09:13: the p99 of requests is still above" in early
    assert "Silence of OrderSlow ended at 09:13, and its page fires. Page OrderSlow is still firing, since" in late
    muted = update_alert(alert, run, 720, [silence])
    assert muted["silenced_until"].endswith("T09:13Z")
    assert drop_silences(muted) == alert == update_alert(muted, run, 900, [silence])
    longer = report_changes(run, "OrderSlow", 300, 900, [silence, silence._replace(until=1200)])
    assert "ended" not in longer
    assert "silenced until 09:20: the p99" in longer


@pytest.mark.parametrize("own", ["OrderFails", "MailLag"])
def test_of_a_page_that_fired_and_cleared_while_on_call_watched_both_are_told_in_order(own: str) -> None:
    changes = [Change(at=at, what="errors", target="shop", to=share) for at, share in ((400, 0.3), (500, 0.0))]
    changes += [Change(at=700, what="errors", target="shop", to=0.3)]
    rule = AlertRule(name="OrderFails", watches="failures", journeys=("order",), above=0.1, lasts=60)
    run = Run(_build(*changes).model_copy(update={"alerts": (rule, _LAG)}))
    run.advance(1200)
    (first, second), clock = find_pages(run, 1200), Clock(run.layout.systems[0])
    assert first.cleared is not None
    fired, cleared, again = (clock.get_time_of_day(at) for at in (first.fired, first.cleared, second.fired))
    whole = report_changes(run, own, 300, 1200)
    one, two = f"Page OrderFails fired at {fired}.", f"Page OrderFails cleared at {cleared}."
    assert f"{one} {two} Page OrderFails fired at {again}." in whole
    assert whole.endswith(f"is still firing, since {again}: the share of failing requests is still above 10 %.")
    within = report_changes(run, own, 300, first.cleared)
    assert within.endswith(f"{one} {two}")
    late = report_changes(run, own, first.fired, first.cleared)
    assert late.endswith(f" Page OrderFails, which fired at {fired}, cleared at {cleared}.")
    assert late.count("Page ") == 1


def test_a_page_says_since_when_what_it_watches_is_well_again() -> None:
    changes = [Change(at=at, what="errors", target="shop", to=share) for at, share in ((400, 0.3), (600, 0.0))]
    rule = AlertRule(name="OrderFails", watches="failures", journeys=("order",), above=0.1, lasts=120)
    run = Run(_build(*changes).model_copy(update={"alerts": (rule,)}))
    run.advance(660)
    ended = Clock(run.layout.systems[0]).get_time_of_day(600)
    assert report_changes(run, "OrderFails", 540, 660).endswith(
        f": the share of failing requests was last above 10 % at {ended}, and the page clears once that is 2 minutes "
        "ago."
    )


def test_a_rule_is_on_what_there_is() -> None:
    with pytest.raises(InvalidSystemError, match="'bus' is not in the system"):
        _build().model_validate(
            {**_build().model_dump(), "alerts": [_LAG.model_copy(update={"on": "bus"}).model_dump()]}
        )
    with pytest.raises(InvalidSystemError, match="says what it is on"):
        AlertRule(name="Lag", watches="backlog", above=5)
    with pytest.raises(InvalidSystemError, match="is no share"):
        AlertRule(name="Failing", journeys=("order",), above=5)
