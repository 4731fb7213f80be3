"""The responder on incidents that run: how it reads counted calls, whom it follows, and that it fares well."""

from __future__ import annotations

from statistics import mean
from typing import TYPE_CHECKING

import pytest

from cloud_incident.evaluation.agents import AGENTS
from cloud_incident.evaluation.agents.responder.running import calls as met
from cloud_incident.evaluation.agents.responder.running.calls import is_running, name_symptom, read_surroundings
from cloud_incident.evaluation.agents.responder.running.hypotheses import HYPOTHESES
from scenarios.generator.naming import DIFFICULTIES, region_of
from scenarios.running import list_proved
from scenarios.vocabulary import REMEDIATIONS
from scenarios.world.operations import OPERATIONS
from tests.cloud_incident.evaluation.agents.test_agents import played

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue

OF_ITS_OWN = {"restart_callers", "warm_caches"}
"""What stands for operations on others than the cause."""
EACH = 3
PANEL = """shop · dependencies · as of 2026-05-20T00:10Z
calls
  store  down · 40 calls/s (normal 20), over 99.9 % fail: Read timed out, p99 2 s (normal 400 ms), failing since 00:05
  prices   failing · 10 calls/s (normal 20), 60 % fail, most of them: 429 Too Many Requests, failing since 23:58
  stock    degraded · 10 calls/s (normal 10), none fail, p99 900 ms (normal 300 ms)
  cache    healthy · 30 calls/s (normal 20), none fail, p99 4 ms (normal 4 ms)
  mailer   unknown · no calls in the last 2 min (normal 7.5)
called by
  door  failing · 8 calls/s (normal 8), 50 % fail: 500 from upstream, p99 2 s (normal 1 s), failing since May 19 20:00
"""


def test_counted_calls_are_read() -> None:
    around = read_surroundings(PANEL)
    store, prices, stock, cache, mailer = around.calls
    assert (store.share, store.symptom, store.lost, store.growth, store.slower) == (100.0, met.SLOW, 40.0, 2.0, 5.0)
    assert (prices.share, prices.symptom, prices.lost) == (60.0, met.THROTTLED, 6.0)
    assert (stock.ill, stock.late, stock.share) == (True, True, 0.0)
    assert (cache.ill, cache.late, mailer.ill, mailer.usual) == (False, False, False, 7.5)
    (door,) = around.callers
    told = [call.since.isoformat(timespec="minutes")[:16] for call in (store, prices, door) if call.since]
    assert told == ["2026-05-20T00:05", "2026-05-19T23:58", "2026-05-19T20:00"]


def test_calls_are_counted_only_where_a_system_runs() -> None:
    assert is_running(PANEL)
    assert not is_running("shop · dependencies · as of 2026-05-20T00:10Z\ncalls\n  store  healthy · 3 req/s, p99 11 ms")


@pytest.mark.parametrize(
    ("reason", "symptom"),
    [
        ("503 UF (TLS error: CERTIFICATE_VERIFY_FAILED)", met.CERTIFICATE),
        ("x509: certificate has expired or is not yet valid", met.CERTIFICATE),
        ("connect() failed (111: Connection refused)", met.UNCONNECTED),
        ("no such host", met.UNRESOLVED),
        ("401 from upstream", met.UNAUTHENTICATED),
        ("status code 403", met.FORBIDDEN),
        ("503 UO (circuit breaker overflow)", met.OVERLOADED),
        ("canceling statement due to statement timeout", met.SLOW),
        ("500 Internal Server Error", met.FAILING),
        ("UniqueViolation", ""),
    ],
)
def test_a_reason_names_what_a_caller_meets(reason: str, symptom: str) -> None:
    assert name_symptom(reason) == symptom


def test_everything_that_mends_can_be_done() -> None:
    known = {*REMEDIATIONS, *OPERATIONS, *OF_ITS_OWN}
    for hypothesis in HYPOTHESES:
        assert {what for mend in hypothesis.mends for what in mend} <= known, hypothesis.name


def _list_draws(difficulty: int) -> list[int]:
    """The first draws of a difficulty that are there to be trained on."""
    return [seed for seed, level in list_proved() if level == difficulty and region_of(seed) == "train"][:EACH]


@pytest.mark.anyio
@pytest.mark.parametrize("difficulty", DIFFICULTIES)
async def test_the_responder_names_causes_better_than_the_novice(difficulty: int, catalogue: Catalogue) -> None:
    await _compare("RCA", difficulty, catalogue)


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("difficulty", DIFFICULTIES)
async def test_the_responder_repairs_better_than_the_novice(difficulty: int, catalogue: Catalogue) -> None:
    await _compare("RP", difficulty, catalogue)


async def _compare(task: str, difficulty: int, catalogue: Catalogue) -> None:
    earned: dict[str, list[float]] = {"responder": [], "novice": []}
    for seed in _list_draws(difficulty):
        scenario = catalogue.get(f"GEN2-{task}-D{difficulty}-{seed}")
        for name, scores in earned.items():
            _, score, submitted = await played(AGENTS[name], scenario, catalogue)
            assert submitted, (name, scenario.id)
            scores.append(score)
    assert mean(earned["responder"]) > mean(earned["novice"]) + 0.2
