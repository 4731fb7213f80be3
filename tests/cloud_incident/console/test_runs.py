"""Agents watched: what is told of a run, to whom, for how long, and which models are asked."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from cloud_incident.app import build_app_from_variables
from cloud_incident.console.api import ConsoleApi
from cloud_incident.console.refusals import RunsFullError, UnknownRunError
from cloud_incident.console.roster import EndpointGiven, Roster
from cloud_incident.console.runs import NOBODY_WATCHED, STOPPED, RunLimits, Runs
from cloud_incident.evaluation.agents import AGENTS, EXPLOITS, MODEL_AGENTS, Reach, collect_agents
from cloud_incident.settings.serve import ServeSettings
from env_core.selection import Selection
from env_core.service import EpisodeService, Limits
from env_core.stores import CapacityError, UnknownEpisodeError
from tests.cloud_incident.console.listening import listen, start_run, watch_run
from tests.cloud_incident.evaluation.scripted_model import ScriptedModel, serving
from tests.cloud_incident.evaluation.trajectories import played
from tests.http_compat.talking import read_answer
from tests.servers import await_port, free_port, full_server
from tests.servers import started as running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.console.runs import Run
    from scenarios.catalogue import Catalogue

KEY = "secret-key-of-mine"


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with serving() as model:
        yield model


def describe_model(model: ScriptedModel, name: str) -> dict[str, str]:
    return {"base_url": model.address, "model": name, "api_key": KEY}


def test_every_agent_is_described(api: httpx2.Client) -> None:
    answer = read_answer(api.get("/console/agents"))
    agents = {agent["name"]: agent for agent in answer["agents"]}
    assert set(agents) == set(collect_agents())
    assert answer["endpoints"] is True
    assert {name for name, agent in agents.items() if agent["cheat"]} == set(EXPLOITS)
    assert {name for name, agent in agents.items() if agent["model"]} == set(MODEL_AGENTS)
    assert all(20 < len(agent["about"]) < 130 and agent["about"].endswith(".") for agent in agents.values())
    assert len({agent["about"] for agent in agents.values()}) == len(agents) - 3  # the constants are one cheat


@pytest.mark.parametrize("agent", ["oracle", "novice"])
def test_a_run_is_what_an_evaluation_plays(api: httpx2.Client, catalogue: Catalogue, agent: str) -> None:
    (trajectory,) = played(catalogue, [agent], ["RP-001"])
    run = watch_run(api, agent, scenario_id="RP-001")
    assert run.ending == {"frames": len(trajectory["steps"]) + 1, "score": trajectory["score"], "failed": None}
    assert list(run.frames) == list(range(run.ending["frames"]))
    first, *after = run.frames.values()
    assert first["step"] is None
    for frame, step in zip(after, trajectory["steps"], strict=True):
        assert frame["step"]["action"] == step["action"]
        assert (frame["step"]["reward"], frame["step"]["feedback"]) == (step["reward"], step["feedback"])
        shown = [text for of_action in frame["observation"]["queried_data"].values() for text in of_action.values()]
        assert shown == ([step["evidence"]] if step["evidence"] is not None else [])
    assert after[-1]["grade"] == trajectory["grade"]


def test_a_generated_incident_is_chosen_as_a_reset_does(api: httpx2.Client) -> None:
    selected = {"task_id": "root_cause_analysis", "seed": 42, "difficulty": 2}
    run = read_answer(api.post("/console/runs", json={"agent": "responder", **selected}))
    assert (run["task_id"], run["scenario_id"]) == ("root_cause_analysis", "GEN1-RCA-D2-42")
    assert listen(api, run["run_id"]).frames[0]["info"]["seed"] == 42
    indexed = read_answer(api.post("/console/runs", json={"agent": "responder", "split": "curated", "index": 4}))
    assert indexed["scenario_id"] == "RCA-002"


def test_a_listener_resumes_where_it_was(api: httpx2.Client) -> None:
    run_id = start_run(api, "responder", scenario_id="RCA-001")
    whole = listen(api, run_id)
    assert listen(api, run_id) == whole
    rest = listen(api, run_id, after=3)
    assert rest.frames == {number: frame for number, frame in whole.frames.items() if number > 3}
    assert rest.ending == whole.ending
    assert listen(api, run_id, after=max(whole.frames)).frames == {}
    for nonsense in ("", "x", "-1", "9" * 40):
        answer = api.get(f"/console/runs/{run_id}/frames", headers={"Last-Event-ID": nonsense})
        assert answer.text == whole.text


def test_visitors_are_separate(address: str) -> None:
    with httpx2.Client(base_url=address) as first_visitor, httpx2.Client(base_url=address) as second_visitor:
        mine = read_answer(first_visitor.post("/reset", json={"scenario_id": "RP-001", "episode_id": "mine"}))
        runs = [
            start_run(first_visitor, "responder", scenario_id="RCA-002"),
            start_run(second_visitor, "novice", scenario_id="RCA-002"),
        ]
        first, second = (listen(api, run_id) for api, run_id in zip((first_visitor, second_visitor), runs, strict=True))
        handles = [{frame["observation"]["episode_id"] for frame in run.frames.values()} for run in (first, second)]
        assert len(handles[0] | handles[1] | {"mine"}) == 3
        assert first.frames[1]["step"] != second.frames[1]["step"] or first.ending != second.ending
        assert read_answer(first_visitor.get("/state"))["episode_id"] == mine["observation"]["episode_id"]
        assert read_answer(first_visitor.get("/state"))["step_count"] == 0
        for handle in handles[0] | handles[1]:
            read_answer(second_visitor.get("/grader", params={"episode_id": handle}), 404)
        assert not first_visitor.cookies.get("run_id")
        assert (
            "There is no run" in read_answer(second_visitor.get(f"/console/runs/{runs[0][::-1]}/frames"), 404)["detail"]
        )
        assert second_visitor.get("/console/runs").is_client_error  # nobody lists them


def test_the_default_episode_stays_whose_it_is(api: httpx2.Client) -> None:
    api.cookies.clear()
    before = read_answer(api.post("/reset", json={"scenario_id": "AC-001"}))["observation"]["episode_id"]
    api.cookies.clear()
    watch_run(api, "oracle", scenario_id="RP-001")
    assert read_answer(api.get("/state"))["episode_id"] == before


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"agent": "nobody"}, 404, f"Agents: {', '.join(AGENTS)}"),
        ({"agent": "oracle", "scenario_id": "RP-999"}, 404, "Scenarios: AC-001"),
        ({"agent": "oracle", "scenario_id": "RP-001", "seed": 1, "scenario_index": 1}, 409, "contradict"),
        ({"agent": "oracle", "endpoint": {"base_url": "http://localhost", "model": "m"}}, 409, "asks no model"),
        ({"agent": "llm"}, 409, "needs an `endpoint`"),
        ({"agent": "llm", "endpoint": {"base_url": "file:///etc/passwd", "model": "m"}}, 422, "is not an address"),
        ({"agent": "llm", "endpoint": {"base_url": "http://localhost"}}, 422, "`endpoint.model` is required"),
        ({"agent": "llm", "endpoint": {"base_url": "http://localhost", "model": "m", "api_key": "\n"}}, 200, ""),
        ({"agent": "llm", "endpoint": {"base_url": "http://x", "model": "m", "api_key": "sk-\u00e9"}}, 422, "API key"),
        ({"agent": "llm", "endpoint": {"base_url": "http://x", "model": "m", "api_key": "k" * 600}}, 422, "api_key"),
        ({"agent": "oracle", "episode_id": "mine"}, 422, "`episode_id` is not a parameter"),
        ({"scenario_id": "RP-001"}, 422, "`agent` is required"),
        ([], 422, "a JSON object"),
    ],
)
def test_what_is_refused(api: httpx2.Client, asked: Any, status: int, words: str) -> None:
    answer = api.post("/console/runs", json=asked)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "sk-" not in answer.text
    assert "kkk" not in answer.text
    if status != 200:
        assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("agent", list(MODEL_AGENTS))
def test_a_model_is_watched_as_it_decides(api: httpx2.Client, model: ScriptedModel, agent: str) -> None:
    run = watch_run(api, agent, scenario_id="RP-001", endpoint=describe_model(model, "perfect"))
    assert run.ending["score"] == 1.0
    assert KEY not in run.text


def test_what_a_model_was_refused_is_noted(api: httpx2.Client, model: ScriptedModel) -> None:
    run = watch_run(api, "llm-or-responder", scenario_id="AC-001", endpoint=describe_model(model, "missing-argument"))
    assert run.ending["failed"] is None
    assert all("responder decided" in frame["note"] for frame in list(run.frames.values())[1:])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("401", "The model cannot be asked: HTTP 401"),
        ("404", "The model cannot be asked: HTTP 404"),
        ("unknown-tool", "No valid action in 3 replies: 'reboot the world!' is not an action"),
    ],
)
def test_a_model_that_fails_is_told_in_words(api: httpx2.Client, model: ScriptedModel, name: str, words: str) -> None:
    run = watch_run(api, "llm", scenario_id="RCA-001", endpoint=describe_model(model, name))
    assert run.ending["score"] is None
    assert run.ending["failed"].startswith(words)
    assert "API key" not in run.text
    assert list(run.frames) == [0]
    assert KEY not in run.text


@pytest.mark.slow
def test_a_key_is_neither_logged_nor_stored(model: ScriptedModel, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "cloud_incident", "serve", "--port", str(port), "--evaluations", str(tmp_path)]
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=written, stderr=written)
        try:
            await_port(port, process)
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as api:
                for name in ("perfect", "401", "half-characters"):
                    watch_run(api, "llm", scenario_id="AC-001", endpoint=describe_model(model, name))
        finally:
            process.terminate()
            process.wait(10)
    assert "Stopped after" in log.read_text("utf-8")
    assert KEY not in "".join(file.read_text("utf-8") for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        (ServeSettings(), True),
        (ServeSettings(host="::1"), True),
        (ServeSettings(host="0.0.0.0"), False),  # noqa: S104 - nothing listens
        (ServeSettings(host="10.0.0.7"), False),
        (ServeSettings(allow_host=("console.example",)), False),
        (ServeSettings(allow_origin=("https://app.example",)), False),
        (ServeSettings(host="0.0.0.0", model_endpoints=True), True),  # noqa: S104
        (ServeSettings(model_endpoints=False), False),
    ],
)
def test_models_are_asked_where_nobody_else_can_come(settings: ServeSettings, asks: bool) -> None:
    assert settings.asks_models is asks


def test_a_hosted_space_asks_no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "somebody.hf.space")
    assert not ServeSettings().asks_models


@pytest.mark.anyio
async def test_an_application_whose_address_is_not_known_asks_no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """`uvicorn server.app:app --host 0.0.0.0` does not tell it."""

    async def asks() -> bool:
        transport = httpx2.ASGITransport(build_app_from_variables())
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as api:
            allowed: bool = (await api.get("/console/agents")).json()["endpoints"]
        return allowed

    assert not await asks()
    monkeypatch.setenv("CLOUD_INCIDENT_SERVE_MODEL_ENDPOINTS", "1")
    assert await asks()


def test_where_models_are_not_asked_none_is(model: ScriptedModel) -> None:
    with full_server("--no-model-endpoints") as address, httpx2.Client(base_url=address) as api:
        answer = read_answer(api.get("/console/agents"))
        assert not answer["endpoints"]
        assert not any(agent["model"] for agent in answer["agents"])
        before = len(model.requests)
        for agent in MODEL_AGENTS:
            asked = {"agent": agent, "scenario_id": "AC-001", "endpoint": describe_model(model, "perfect")}
            assert "--model-endpoints" in read_answer(api.post("/console/runs", json=asked), 403)["detail"]
        assert len(model.requests) == before
        assert watch_run(api, "oracle", scenario_id="AC-001").ending["score"] == 1.0


def test_there_is_no_console_in_production() -> None:
    with full_server("--mode", "production") as address, httpx2.Client(base_url=address) as api:
        read_answer(api.get("/console/agents"), 404)
        read_answer(api.post("/console/runs", json={"agent": "oracle"}), 404)
        assert not any(path.startswith("/console") for path in read_answer(api.get("/openapi.json"))["paths"])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def find_slow_player(model: ScriptedModel) -> Any:
    return Roster(True, Reach(loopback=True)).find_player(
        "llm", EndpointGiven.model_validate(describe_model(model, "slow"))
    )


async def await_end(run: Run) -> dict[str, Any]:
    async with asyncio.timeout(10):
        async for _ in run.stream_frames():
            pass
    assert run.ending is not None
    return {**run.ending}


@pytest.mark.anyio
async def test_a_run_that_nobody_watches_is_stopped(model: ScriptedModel, catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue)
    runs = Runs(service, RunLimits(unwatched_seconds=0.2))
    run = await runs.start(find_slow_player(model), Selection(scenario_id="RP-001"))
    listening = run.stream_frames()
    moment = await anext(listening)
    assert moment is not None
    handle = json.loads(moment.frame)["observation"]["episode_id"]
    await asyncio.sleep(0.5)
    while_listened_to = run.ending
    assert while_listened_to is None
    await listening.aclose()
    async with asyncio.timeout(10):
        while run.ending is None:  # noqa: ASYNC110 - whoever awaited its end would listen
            await asyncio.sleep(0.02)
    assert run.ending == {"frames": 1, "score": None, "failed": NOBODY_WATCHED}
    assert await await_end(run) == run.ending
    with pytest.raises(UnknownEpisodeError):
        await service.get(handle)
    await runs.close()


@contextmanager
def serve_console(service: EpisodeService, limits: RunLimits) -> Iterator[tuple[str, ConsoleApi]]:
    """A server on a thread of its own, whose runs can be looked at."""
    console, port = (
        ConsoleApi(service, Path("nowhere"), endpoints=True, reach=Reach(loopback=True), limits=limits),
        free_port(),
    )
    app = Starlette(routes=[each.build_route() for each in console.bind_operations()])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}", console
    finally:
        server.should_exit = True
        thread.join(10)


def test_frames_come_as_they_are_made_and_who_hangs_up_listens_no_more(
    model: ScriptedModel, catalogue: Catalogue
) -> None:
    limits = RunLimits(unwatched_seconds=0.3)
    with serve_console(EpisodeService(catalogue), limits) as (address, console), httpx2.Client() as api:
        asked = {"agent": "llm", "scenario_id": "AC-001", "endpoint": describe_model(model, "slow")}
        run = console.runs.find(read_answer(api.post(f"{address}/console/runs", json=asked))["run_id"])
        with api.stream("GET", f"{address}/console/runs/{run.id}/frames") as events:
            lines = events.iter_lines()
            assert next(lines) == "id: 0"
            time.sleep(0.6)
            assert (run.watchers, run.ending) == (1, None)
        deadline = time.monotonic() + 30
        while run.ending is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert run.ending == {"frames": 1, "score": None, "failed": NOBODY_WATCHED}


@pytest.mark.anyio
async def test_runs_are_bounded(model: ScriptedModel, catalogue: Catalogue) -> None:
    clock = Clock()
    runs = Runs(EpisodeService(catalogue), RunLimits(playing=2, kept=3, idle_seconds=60), clock)
    scripted, selection = Roster().find_player("oracle", None), Selection(scenario_id="AC-001")
    ones = [await runs.start(scripted, selection) for _ in range(2)]
    with pytest.raises(RunsFullError, match="2 runs are being played"):
        await runs.start(scripted, selection)
    assert [(await await_end(run))["score"] for run in ones] == [1.0, 1.0]
    third = await runs.start(scripted, selection)
    await await_end(third)
    fourth = await runs.start(scripted, selection)  # the oldest makes room
    await await_end(fourth)
    with pytest.raises(UnknownRunError):
        runs.find(ones[0].id)
    assert [runs.find(run.id) for run in (ones[1], third, fourth)] == [ones[1], third, fourth]
    clock.now = 61.0
    last = await runs.start(scripted, selection)
    await await_end(last)
    for run in (ones[1], third, fourth):
        with pytest.raises(UnknownRunError):
            runs.find(run.id)
    await runs.close()


@pytest.mark.anyio
async def test_many_started_at_once_are_no_more_than_may_be(catalogue: Catalogue) -> None:
    runs = Runs(EpisodeService(catalogue), RunLimits(playing=2))
    player = Roster().find_player("oracle", None)
    asked = [runs.start(player, Selection(task_id="remediation_planning", seed=900 + seed)) for seed in range(5)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(outcome, RunsFullError) for outcome in outcomes].count(False) == 2
    await runs.close()


@pytest.mark.anyio
async def test_a_stop_ends_every_run(model: ScriptedModel, catalogue: Catalogue) -> None:
    runs = Runs(EpisodeService(catalogue))
    run = await runs.start(find_slow_player(model), Selection(scenario_id="RP-001"))
    listening = asyncio.create_task(await_end(run))
    await asyncio.sleep(0.1)
    await runs.close()
    assert (await listening)["failed"] == STOPPED


@pytest.mark.slow
def test_who_listens_hears_that_the_server_was_stopped(model: ScriptedModel) -> None:
    with running("serve") as (address, process), httpx2.Client(base_url=address) as api:
        run_id = start_run(api, "llm", scenario_id="RP-001", endpoint=describe_model(model, "slow"))
        with api.stream("GET", f"/console/runs/{run_id}/frames") as events:
            lines = events.iter_lines()
            assert next(lines) == "id: 0"
            process.terminate()
            *_, end = (line for line in lines if line)
        assert json.loads(end.removeprefix("data: "))["failed"] == STOPPED
        assert process.wait(4) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read().decode()


@pytest.mark.anyio
async def test_a_run_needs_room_among_the_episodes(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=1))
    await service.create(Selection())
    with pytest.raises(CapacityError):
        await Runs(service).start(Roster().find_player("oracle", None), Selection())


@pytest.mark.anyio
async def test_a_run_leaves_nothing_open(catalogue: Catalogue) -> None:
    service = EpisodeService(catalogue, limits=Limits(capacity=1))
    runs = Runs(service)
    for agent in AGENTS:
        run = await runs.start(Roster().find_player(agent, None), Selection(scenario_id="RCA-003"))
        assert (await await_end(run))["failed"] is None
        await asyncio.sleep(0.05)  # it closes its episode behind its last word
    await service.create(Selection())
