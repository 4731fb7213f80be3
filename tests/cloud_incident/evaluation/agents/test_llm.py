"""A language model as an agent, against a real server with every kind of trouble."""

from __future__ import annotations

import socket
import threading
import traceback
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import AsyncRetrying, RetryCallState

from cloud_incident.evaluation.agents import pacing
from cloud_incident.evaluation.agents.agent import Seat, Usage
from cloud_incident.evaluation.agents.endpoint import EndpointSettings, ModelEndpoint, ModelError
from cloud_incident.evaluation.agents.fallback import Fallback
from cloud_incident.evaluation.agents.llm import LLM
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.agents.pacing import make_backoff, read_retry_after
from cloud_incident.evaluation.agents.prompting import build_function_tools
from cloud_incident.evaluation.agents.random_agent import RandomAgent
from cloud_incident.evaluation.agents.replies import Prices
from cloud_incident.evaluation.running.environments import InProcess
from cloud_incident.evaluation.running.episode_loop import play_attempt
from cloud_incident.evaluation.running.schedule import Attempt
from env_core.selection import Selection
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import ACTIONS, TASKS
from tests.cloud_incident.evaluation.scripted_model import SLOW_SECONDS, TOKENS, ScriptedModel, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloud_incident.evaluation.agents.agent import Agent, Decision
    from cloud_incident.evaluation.running.trajectory import Trajectory
    from env_core.observation import Observation
    from scenarios.catalogue import Catalogue, Scenario

pytestmark = pytest.mark.anyio

KEY = "secret-key-of-mine"


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with serving() as model:
        yield model


def settings(model: ScriptedModel, name: str, **changes: Any) -> EndpointSettings:
    shrunk = {"first_wait": 0.001, "request_seconds": 5.0}
    return EndpointSettings(**{"base_url": model.address, "model": name, "api_key": KEY, **shrunk, **changes})


async def play(agent: Agent, scenario: Scenario, catalogue: Catalogue) -> Trajectory:
    with anyio.fail_after(20):
        return await play_attempt(Attempt("llm", scenario.id), scenario, agent, InProcess(catalogue))


async def first(scenario: Scenario, catalogue: Catalogue) -> Observation:
    return (await InProcess(catalogue).reset(Selection(scenario_id=scenario.id))).observation


async def decided(endpoint: ModelEndpoint, catalogue: Catalogue, scenario_id: str = "RP-001") -> Decision:
    with anyio.fail_after(20):
        try:
            return await LLM(endpoint).decide(await first(catalogue.get(scenario_id), catalogue))
        finally:
            await endpoint.close()


async def failure(endpoint: ModelEndpoint, catalogue: Catalogue) -> ModelError:
    with pytest.raises(ModelError) as raised:
        await decided(endpoint, catalogue)
    return raised.value


async def test_a_good_model_earns_everything(model: ScriptedModel, scenario: Scenario, catalogue: Catalogue) -> None:
    endpoint = ModelEndpoint(settings(model, "perfect", prices=Prices(1.0, 10.0)))
    trajectory = await play(LLM(endpoint), scenario, catalogue)
    await endpoint.close()
    assert "failed" not in trajectory
    assert trajectory["score"] == 1.0
    count = len(trajectory["steps"])
    cost = (TOKENS[0] * 1.0 + TOKENS[1] * 10.0) / 1_000_000
    assert trajectory["usage"]["prompt_tokens"] == count * TOKENS[0]
    assert trajectory["usage"]["completion_tokens"] == count * TOKENS[1]
    assert trajectory["usage"]["cost"] == pytest.approx(count * cost)
    assert not any(step["note"] for step in trajectory["steps"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fenced", "prose", "no-tools", "silent", "no-temperature"])
async def test_a_model_without_tools_earns_everything_too(
    model: ScriptedModel, name: str, catalogue: Catalogue
) -> None:
    endpoint = ModelEndpoint(settings(model, name))
    trajectory = await play(LLM(endpoint), catalogue.get("RP-002"), catalogue)
    await endpoint.close()
    assert trajectory["score"] == 1.0
    notes = [step["note"] for step in trajectory["steps"] if step["note"]]
    assert notes == ([] if endpoint.tools else ["the model takes no tools: asked for JSON in text"])
    assert endpoint.tools == (name == "no-temperature")


ONCE = (
    "mumbling unknown-tool missing-argument broken-arguments half-characters no-choices not-json page dropped 429 500"
)


@pytest.mark.parametrize("name", ONCE.split())
async def test_trouble_that_passes_is_survived(model: ScriptedModel, name: str, catalogue: Catalogue) -> None:
    endpoint = ModelEndpoint(settings(model, f"{name}*2"))
    trajectory = await play(LLM(endpoint), catalogue.get("RCA-001"), catalogue)
    await endpoint.close()
    assert trajectory["score"] == 1.0
    assert trajectory.get("failed") is None


LASTING = {
    "mumbling": ("no valid action in 3 replies: There is no JSON object with an action_type in the reply.", False),
    "unknown-tool": ("no valid action in 3 replies: 'reboot the world!' is not an action of this task.", False),
    "missing-argument": ("no valid action in 3 replies: query_logs: `service` is required;", False),
    "broken-arguments": ("no valid action in 3 replies: query_logs: the arguments are not valid JSON", False),
    "no-choices": ("an answer without choices after 4 attempts", False),
    "not-json": ("an answer that is not JSON after 4 attempts", False),
    "page": ("an answer that is not JSON after 4 attempts", False),
    "dropped": ("the connection broke", False),
    "400": ("HTTP 400 (context length exceeded)", False),
    "401": ("HTTP 401 (Incorrect API key provided: …)", True),
    "403": ("HTTP 403 ([31mForbidden)", True),
    "404": ("HTTP 404 (The model does not exist)", True),
    "429-hour": ("HTTP 429 (Slow down), wait 3600 s after 1 attempt", False),
    "429-quota": ("HTTP 429 (You exceeded your quota)", True),
    "500": ("HTTP 500 (Internal error) after 4 attempts", False),
}


@pytest.mark.parametrize("name", LASTING)
async def test_trouble_that_lasts_is_told(model: ScriptedModel, name: str, catalogue: Catalogue) -> None:
    error = await failure(ModelEndpoint(settings(model, name)), catalogue)
    reason, final = LASTING[name]
    assert str(error).startswith(reason)
    assert error.final == final
    assert KEY not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("name", ["slow:late", "dripping:late"])
async def test_a_slow_model_is_not_waited_for(model: ScriptedModel, name: str, catalogue: Catalogue) -> None:
    with anyio.fail_after(SLOW_SECONDS):
        error = await failure(ModelEndpoint(settings(model, name, request_seconds=0.1, attempts=2)), catalogue)
    assert str(error).startswith("no answer")
    assert str(error).endswith("after 2 attempts")
    assert len(model.of(name)) == 2


async def test_the_time_budget_ends_everything(model: ScriptedModel, catalogue: Catalogue) -> None:
    endpoint = ModelEndpoint(settings(model, "slow", total_seconds=0.2))
    error = await failure(endpoint, catalogue)
    assert str(error) == "the time budget of 0.2 s is spent"
    assert error.final
    asked = len(model.requests)
    await failure(endpoint, catalogue)
    assert len(model.requests) == asked


async def test_a_wait_beyond_the_budget_is_not_begun(model: ScriptedModel, catalogue: Catalogue) -> None:
    with anyio.fail_after(20):
        error = await failure(ModelEndpoint(settings(model, "500:budget", first_wait=50, total_seconds=5)), catalogue)
    assert str(error) == "the time budget of 5 s is spent"
    assert len(model.of("500:budget")) == 1


class Clock:
    """Time that passes only while somebody sleeps, and every sleep in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which models are asked."""
    clock = Clock()
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(pacing, "anyio", clock)
    return clock


async def test_retry_after_is_honoured(model: ScriptedModel, catalogue: Catalogue, clock: Clock) -> None:
    await decided(ModelEndpoint(settings(model, "429*1:honoured")), catalogue)
    assert [seconds for seconds in clock.slept if seconds] == [0.3]


async def test_no_connection_is_final(catalogue: Catalogue, model: ScriptedModel) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        error = await failure(ModelEndpoint(settings(model, "perfect", base_url=address)), catalogue)
    assert str(error).startswith("no connection")
    assert error.final


async def test_a_server_that_hangs_up_without_a_word(catalogue: Catalogue, model: ScriptedModel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as rude:
        threading.Thread(target=_hang_up, args=(rude, 4), daemon=True).start()
        address = f"http://127.0.0.1:{rude.getsockname()[1]}/v1"
        error = await failure(ModelEndpoint(settings(model, "perfect", base_url=address)), catalogue)
    assert str(error).startswith("the connection broke")
    assert not error.final


def _hang_up(server: socket.socket, times: int) -> None:
    for _ in range(times):
        connection, _ = server.accept()
        connection.close()


async def test_without_a_key_nobody_is_asked(model: ScriptedModel, catalogue: Catalogue) -> None:
    away = "https://router.example/v1"
    error = await failure(ModelEndpoint(settings(model, "perfect", base_url=away, api_key="")), catalogue)
    assert str(error) == "no API key is set"
    assert error.final


async def test_a_model_on_this_machine_needs_no_key(model: ScriptedModel, catalogue: Catalogue) -> None:
    assert (await decided(ModelEndpoint(settings(model, "perfect", api_key="")), catalogue)).action["action_type"]


@pytest.mark.parametrize(
    "changes",
    [
        {"base_url": "router"},
        {"base_url": "http://[x"},
        {"base_url": "http://x:99999"},
        {"base_url": "ftp://x"},
        {"api_key": "a\nb"},
        {"api_key": "ключ"},
    ],
)
def test_settings_that_cannot_work_are_refused(model: ScriptedModel, changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"address|key"):
        settings(model, "perfect", **changes)


async def test_a_rate_limit_is_shared(model: ScriptedModel, catalogue: Catalogue, clock: Clock) -> None:
    endpoint = ModelEndpoint(settings(model, "perfect:limited", requests_per_minute=600))
    shown = await first(catalogue.get("AC-001"), catalogue)
    for _ in range(4):
        await LLM(endpoint).decide(shown)
    await endpoint.close()
    assert len(model.of("perfect:limited")) == 4
    assert [seconds for seconds in clock.slept if seconds] == [0.1, 0.1, 0.1]


async def test_a_model_that_keeps_failing_is_given_up(model: ScriptedModel, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RP-003")
    endpoint = ModelEndpoint(settings(model, "500:given-up", attempts=2))
    trajectory = await play(Fallback(LLM(endpoint), Oracle(Seat(scenario)), "oracle"), scenario, catalogue)
    await endpoint.close()
    assert trajectory["score"] == 1.0
    notes = [step["note"] for step in trajectory["steps"]]
    assert notes[:3] == ["oracle decided: HTTP 500 (Internal error) after 2 attempts"] * 3
    assert notes[3].startswith("oracle decided: given up after 3 failures in a row, the last one HTTP 500")
    assert len(model.of("500:given-up")) == 6


async def test_after_a_final_failure_the_model_is_not_asked_again(model: ScriptedModel, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RCA-002")
    endpoint = ModelEndpoint(settings(model, "401:once"))
    for _ in range(2):
        trajectory = await play(Fallback(LLM(endpoint), RandomAgent(Seat(scenario)), "random"), scenario, catalogue)
        assert trajectory["done"]
        assert all(step["note"].startswith("random decided: HTTP 401") for step in trajectory["steps"])
    await endpoint.close()
    assert len(model.of("401:once")) == 1


async def test_a_model_that_comes_round_is_told_what_was_done_meanwhile(
    model: ScriptedModel, catalogue: Catalogue
) -> None:
    scenario = catalogue.get("RP-001")
    endpoint = ModelEndpoint(settings(model, "mumbling*3:round"))
    trajectory = await play(Fallback(LLM(endpoint), Oracle(Seat(scenario)), "oracle"), scenario, catalogue)
    await endpoint.close()
    assert trajectory["score"] == 1.0
    steps = trajectory["steps"]
    assert [bool(step["note"]) for step in steps] == [True, *[False] * (len(steps) - 1)]
    assert steps[0]["usage"]["prompt_tokens"] == 3 * TOKENS[0]
    assert len(steps[0]["messages"]) == 8
    sent = model.of("mumbling*3:round")[3]["messages"]
    assert [message["role"] for message in sent] == ["system", "user"]
    assert "a colleague took this step" in sent[1]["content"]
    assert steps[0]["evidence"]
    assert steps[0]["evidence"] in sent[1]["content"]


async def test_messages_of_a_step_are_those_of_that_step(model: ScriptedModel, catalogue: Catalogue) -> None:
    endpoint = ModelEndpoint(settings(model, "perfect:messages"))
    trajectory = await play(LLM(endpoint), catalogue.get("RP-001"), catalogue)
    await endpoint.close()
    steps = trajectory["steps"]
    assert [message["role"] for message in steps[0]["messages"]] == ["system", "user", "assistant"]
    for before, step in pairwise(steps):
        told, said = step["messages"]
        assert (told["role"], said["role"]) == ("tool", "assistant")
        assert before["feedback"] in told["content"]
        if before["evidence"]:
            assert before["evidence"] in told["content"]
    recorded = [message for step in steps for message in step["messages"]]
    assert recorded[:-1] == model.of("perfect:messages")[-1]["messages"]


async def test_roles_alternate_whatever_happens(model: ScriptedModel, catalogue: Catalogue) -> None:
    for name in ("unknown-tool*1:roles", "silent:roles", "mumbling*2:roles"):
        endpoint = ModelEndpoint(settings(model, name))
        await play(LLM(endpoint), catalogue.get("RCA-001"), catalogue)
        await endpoint.close()
        for body in model.of(name):
            roles = [message["role"] == "assistant" for message in body["messages"]]
            assert roles == [False, *([False, True] * len(roles))[: len(roles) - 1]]


async def test_a_refused_action_is_told_to_the_model(model: ScriptedModel, catalogue: Catalogue) -> None:
    endpoint = ModelEndpoint(settings(model, "perfect:refused"))
    agent = LLM(endpoint)
    shown = await first(catalogue.get("AC-001"), catalogue)
    await agent.decide(shown)
    decision = await agent.decide({**shown, "last_action_error": "No such thing."})
    await endpoint.close()
    assert decision.messages[0]["content"].startswith("That was no step: No such thing.")


async def test_only_the_actions_of_the_task_are_offered(
    model: ScriptedModel, scenario: Scenario, catalogue: Catalogue
) -> None:
    shown = await first(scenario, catalogue)
    tools = build_function_tools(shown["available_actions"])
    assert [tool["function"]["name"] for tool in tools] == scenario.task.available_actions
    submission = tools[-1]["function"]
    assert submission["name"] == TASKS[scenario.task.id].submission.name
    assert submission["parameters"] == build_arguments_schema(ACTIONS[submission["name"]].parameters)


async def test_usage_of_failed_steps_is_kept(model: ScriptedModel, catalogue: Catalogue) -> None:
    error = await failure(ModelEndpoint(settings(model, "mumbling")), catalogue)
    assert error.usage == Usage(3 * TOKENS[0], 3 * TOKENS[1])


@given(attempt=st.integers(1, 2000))
def test_waits_double_up_to_the_longest(attempt: int) -> None:
    state = RetryCallState(AsyncRetrying(), None, (), {})
    state.attempt_number = attempt
    most = min(5.0, 2.0 ** min(attempt - 1, 10))
    assert most / 2 <= make_backoff(1.0, 5.0)(state) <= most


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        ("0.5", 0.5),
        ("-1", None),
        ("inf", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read(value: str, seconds: float | None) -> None:
    assert read_retry_after({"retry-after": value}) == seconds
