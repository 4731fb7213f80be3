"""Metrics: what is counted, on which surface, and what is never told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import promql_parser
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from websockets.exceptions import InvalidStatus

from cloud_incident.app import build_app
from cloud_incident.settings.serve import ServeSettings
from cloud_incident.telemetry.metrics import MetricName, MetricsSink
from cloud_incident.telemetry.sharing import SHARED_DIRECTORY
from cloud_incident.telemetry.storing import WatchedStore
from env_core.selection import Selection
from env_core.service import EpisodeService, Limits
from env_core.stores import MemoryStore, StoreUnavailableError
from scenarios.errors import ERRORS
from tests.cloud_incident.telemetry.playing import play_by_every_door, play_over_rest
from tests.cloud_incident.tokens.holding import Tokens, bearer, guarded_server
from tests.http_compat.talking import ANSWER, QUERY, open_talk, read_answer
from tests.servers import free_port, full_server, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.metrics_core import Metric

pytestmark = pytest.mark.anyio

_parse_openmetrics: Callable[[str], Iterable[Metric]] = parse_openmetrics

DASHBOARD = Path(__file__).parents[3] / "deploy" / "grafana" / "dashboard.json"


def read_metrics(address: str) -> dict[str, Metric]:
    """The metrics of a server, by name."""
    return {family.name: family for family in parse_text(httpx2.get(f"{address}/metrics").text)}


def value_of(families: dict[str, Metric], name: str, **labels: str) -> float:
    """The sum of the samples of a name that have some labels."""
    samples = [sample for family in families.values() for sample in family.samples if sample.name == name]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


@pytest.fixture(scope="module")
def played() -> dict[str, Metric]:
    """The metrics of a server on which something was played by every door."""
    with full_server("--metrics") as address:
        anyio.run(play_by_every_door, address)
        return read_metrics(address)


def test_steps_are_counted_by_task_action_and_surface(played: dict[str, Metric]) -> None:
    steps = {
        sample.labels["surface"]: sample.value
        for sample in played["cloud_incident_steps"].samples
        if sample.labels["action"] == "query_logs"
    }
    assert steps == {"rest": 1, "websocket": 1, "mcp": 2, "agent": 2, "sse": 1}
    ended = {"action": "submit_severity", "task": "alert_classification"}
    assert value_of(played, "cloud_incident_steps_total", **ended) == 2


def test_what_became_of_episodes_is_counted(played: dict[str, Metric]) -> None:
    assert value_of(played, "cloud_incident_episodes_started_total", how="forked") == 1
    assert value_of(played, "cloud_incident_episodes_started_total", how="opened") == 7
    assert value_of(played, "cloud_incident_episodes_over_total", how="ended") == 2
    assert value_of(played, "cloud_incident_episodes_over_total", how="closed") == 2  # the fork, and the socket's own
    assert value_of(played, "cloud_incident_episodes_open") == 5
    assert value_of(played, "cloud_incident_score_count") == 2
    assert value_of(played, "cloud_incident_step_reward_count") == 4
    assert value_of(played, "cloud_incident_generation_seconds_count") == 1


def test_refusals_are_counted_by_code_on_every_surface(played: dict[str, Metric]) -> None:
    refusals = {
        (sample.labels["surface"], sample.labels["code"]): sample.value
        for sample in played["cloud_incident_refusals"].samples
        if sample.name.endswith("_total")
    }
    assert refusals == {
        ("rest", "invalid_action"): 1,
        ("rest", "http_404"): 1,
        ("websocket", "unknown_method"): 1,
        ("mcp", "invalid_action"): 2,
        ("sse", "invalid_action"): 1,
    }


def test_the_store_is_timed(played: dict[str, Metric]) -> None:
    assert value_of(played, "cloud_incident_store_seconds_count", operation="append") == 9
    assert value_of(played, "cloud_incident_store_failures_total") == 0


def test_nothing_that_somebody_chose_is_a_label() -> None:
    secret = "chosen-by-a-client"  # noqa: S105 - a text to look for
    with full_server("--metrics") as address, httpx2.Client(base_url=address) as api:
        read_answer(api.post("/reset", json={"scenario_id": "AC-001", "episode_id": secret}))
        api.post("/step", params={"episode_id": secret}, json={"action_type": secret})
        api.get(f"/{secret}", headers={"X-Request-ID": secret})
        api.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": secret})
        called = {"jsonrpc": "2.0", "id": 1, "method": secret, "params": {}}
        api.post(f"/agent/{secret}/mcp", json=called, headers={"Accept": "application/json, text/event-stream"})
        with open_talk(address) as talk:
            talk.expect_error({"type": secret})
        before = len(api.get("/metrics").text.splitlines())
        for number in range(50):
            api.get(f"/{secret}/{number}")
        text = api.get("/metrics").text
    assert secret not in text
    assert len(text.splitlines()) <= before + 20  # the route of the metrics themselves is new


def test_labels_come_from_fixed_sets(played: dict[str, Metric]) -> None:
    codes = {*ERRORS, "http_404"}
    for sample in played["cloud_incident_refusals"].samples:
        assert sample.labels["code"] in codes
    declared = {member.value.name.removesuffix("_total"): member.value for member in MetricName}
    for name, family in played.items():
        if name.startswith("process_"):
            continue
        assert (family.type, family.documentation) == (declared[name].kind, declared[name].about)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(declared[name].labels)


@pytest.mark.parametrize("task", ["alert_classification", "root_cause_analysis", "remediation_planning"])
def test_metrics_tell_nothing_of_an_open_episode_but_its_steps(task: str) -> None:
    """Two episodes, of which one earns and the other loses, look the same until they end."""
    texts = []
    for services in (["api-gateway", "api-gateway"], ["api-gateway", "no-such-service"]):
        with full_server("--metrics") as address, httpx2.Client(base_url=address) as api:
            read_answer(api.post("/reset", json={"task_id": task}))
            earned = [
                read_answer(api.post("/step", json={"action_type": "query_logs", "parameters": {"service": service}}))
                for service in services
            ]
            counts = re.sub(r"(?m)^(.*_(seconds|bytes|fds).*)\n", "", api.get("/metrics").text)
            texts.append((counts, [step["reward"] for step in earned]))
    (first, rewards), (second, other_rewards) = texts
    assert rewards != other_rewards
    assert first == second


def test_there_are_no_metrics_unless_asked_for() -> None:
    with full_server() as address:
        assert httpx2.get(f"{address}/metrics").status_code == 404
        assert "x-request-id" not in httpx2.get(f"{address}/health").headers


def test_openmetrics_are_given_to_whoever_asks() -> None:
    with full_server("--metrics") as address:
        wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
        answer = httpx2.get(f"{address}/metrics", headers=wanted)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "cloud_incident_episodes_open" in {family.name for family in _parse_openmetrics(answer.text)}


async def test_a_port_of_its_own_has_the_metrics_alone() -> None:
    app = build_app(ServeSettings(metrics_port=9100, store="memory"))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:9100") as own:
        assert "cloud_incident_episodes_open" in (await own.get("/metrics")).text
        # Whoever reads metrics names the server as its network does.
        assert (await own.get("/metrics", headers={"Host": "10.1.2.3:9100"})).status_code == 200
        for method, path in (("POST", "/metrics"), ("GET", "/health"), ("POST", "/reset"), ("GET", "/")):
            assert (await own.request(method, path)).status_code == 404
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as others:
        assert (await others.get("/metrics")).status_code == 404
        assert (await others.get("/health")).status_code == 200


@pytest.mark.slow
def test_a_server_listens_on_the_port_of_its_metrics() -> None:
    port = free_port()
    with started("serve", "--metrics-port", str(port)) as (address, _):
        own = f"http://127.0.0.1:{port}"
        assert "cloud_incident_episodes_open 0.0" in httpx2.get(f"{own}/metrics").text
        assert httpx2.get(f"{address}/metrics").status_code == 404
        with pytest.raises(InvalidStatus, match="403"), open_talk(own):
            pass


def test_open_sockets_are_counted() -> None:
    with full_server("--metrics") as address:
        with open_talk(address) as talk:
            talk.state()
            assert value_of(read_metrics(address), "cloud_incident_sessions", kind="websocket") == 1
        with open_talk(address) as talk:
            talk.state()
            assert value_of(read_metrics(address), "cloud_incident_sessions", kind="websocket") == 1


class FailingStore(MemoryStore):
    """A store that does not answer when an action is to be written."""

    async def append(self, *_: Any) -> None:
        raise StoreUnavailableError("The store is down.")


async def test_calls_that_the_store_does_not_answer_are_counted(catalogue: Any) -> None:
    sink = MetricsSink()
    service = EpisodeService(catalogue, WatchedStore(FailingStore(), [sink]), Limits())
    await service.create(Selection(scenario_id="AC-001", episode_id="a"))
    with pytest.raises(StoreUnavailableError):
        await service.step("a", QUERY)
    transport = httpx2.ASGITransport(sink.serve)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        told = (await client.get("/metrics")).text
    families = {family.name: family for family in parse_text(told)}
    assert value_of(families, "cloud_incident_store_failures_total", operation="append") == 1
    assert value_of(families, "cloud_incident_store_failures_total", operation="load") == 0


@pytest.fixture
def two_processes(tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of two servers that share a store and their metrics."""
    shared = tmp_path / "metrics"
    shared.mkdir()
    options = ("serve", "--metrics", "--store", str(tmp_path / "episodes.db"))
    variables = {SHARED_DIRECTORY: str(shared)}
    with started(*options, **variables) as (first, process), started(*options, **variables) as (second, _):
        yield [first, second]
        process.kill()
        process.wait()
        left = read_metrics(second)
        # What a process has counted stays when it ends; what it holds does not.
        assert value_of(left, "cloud_incident_steps_total") == 4
        assert value_of(left, "cloud_incident_sessions", kind="websocket") == 0


@pytest.mark.slow
def test_any_process_gives_the_metrics_of_all(two_processes: list[str]) -> None:
    for address in two_processes:
        with httpx2.Client(base_url=address) as api:
            play_over_rest(api)
    with open_talk(two_processes[0]) as talk:
        talk.state()
        for address in two_processes:
            families = read_metrics(address)
            assert value_of(families, "cloud_incident_steps_total") == 4
            assert value_of(families, "cloud_incident_score_count") == 2
            assert value_of(families, "cloud_incident_episodes_open") == 2
            assert value_of(families, "cloud_incident_sessions", kind="websocket") in {0, 1}
            assert value_of(families, "process_resident_memory_bytes") > 100 << 20


def list_queries() -> list[tuple[str, str]]:
    """The panels of the dashboard, by title, with each query."""
    board = json.loads(DASHBOARD.read_text("utf-8"))
    panels = [panel for row in board["panels"] for panel in (row, *row.get("panels", ()))]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", ())]


def list_selected(node: Any) -> Iterator[Any]:
    """Every selector of metrics in a query."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vector_selector", "vs", "param"):
        child = getattr(node, name, None)
        if child is not None:
            yield from list_selected(child)
    for child in getattr(node, "args", None) or ():
        yield from list_selected(child)


@pytest.mark.parametrize(("title", "query"), list_queries())
def test_each_panel_queries_metrics_that_there_are(title: str, query: str, played: dict[str, Metric]) -> None:
    selected = list(list_selected(promql_parser.parse(query.replace("$__rate_interval", "5m"))))
    assert selected, title
    samples = [sample for family in played.values() for sample in family.samples]
    for selector in selected:
        named = [sample for sample in samples if sample.name == selector.name]
        if not named:  # a counter of what did not happen has no sample yet, but is declared
            assert selector.name in {member.value.name for member in MetricName}
        for sample in named[:1]:
            matched = {matcher.name for matcher in selector.matchers.matchers} - {"instance", "job"}
            assert matched <= set(sample.labels)


def test_each_metric_has_a_panel() -> None:
    queried = " ".join(query for _, query in list_queries())
    assert [member.value.name for member in MetricName if member.value.name not in queried] == []


@pytest.mark.slow
def test_workers_share_their_metrics(tmp_path: Path) -> None:
    options = ("--metrics", "--workers", "2", "--store", str(tmp_path / "episodes.db"))
    with started("serve", *options) as (address, _):
        for _ in range(6):  # each on a connection of its own, which either worker may take
            play_over_rest_once(address)
        counted = read_metrics(address)
    assert value_of(counted, "cloud_incident_steps_total") == 12
    assert value_of(counted, "cloud_incident_score_count") == 6


def play_over_rest_once(address: str) -> None:
    """Two steps of AC-001, the second of which ends it."""
    handle = read_answer(httpx2.post(f"{address}/reset", json={"scenario_id": "AC-001"}))["observation"]["episode_id"]
    for action in (QUERY, ANSWER):
        read_answer(httpx2.post(f"{address}/step", params={"episode_id": handle}, json=action))


def test_metrics_need_admin_where_there_are_tokens(tmp_path: Path) -> None:
    tokens = Tokens.write(tmp_path / "tokens")
    with guarded_server(tokens, metrics=True) as address:
        statuses = {
            scope: httpx2.get(f"{address}/metrics", headers=bearer(token)).status_code
            for scope, token in {"": "", **tokens.alice}.items()
        }
    assert statuses == {"": 401, "play": 403, "operate": 403, "admin": 200}
