"""What somebody can know over REST and WebSocket who sees only `/tasks` and the lists of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from env_core.guide import describe_scoring
from scenarios.library import load_runbook_catalogue
from scenarios.vocabulary import RUNBOOK_STEP, SEVERITY_MATRIX, SUBMIT_SEVERITY, TASKS
from tests.http_compat.talking import open_talk, read_answer

if TYPE_CHECKING:
    import httpx2


def check_submissions(described: dict[str, str]) -> None:
    """Every submission says what earns points, and that of a severity what makes one."""
    assert all(row.criterion in described[SUBMIT_SEVERITY.name] for row in SEVERITY_MATRIX)
    for task in TASKS.values():
        assert describe_scoring(task) in described[task.submission.name]


def test_the_tasks_say_what_makes_each_severity_which_steps_exist_and_what_earns_points(api: httpx2.Client) -> None:
    told = read_answer(api.get("/tasks"))
    assert [row["criterion"] for row in told["severities"]] == [row.criterion for row in SEVERITY_MATRIX]
    assert [step["name"] for step in told["runbook_steps"]] == list(load_runbook_catalogue())
    actions = [action for task in told["tasks"] for action in task["actions"]]
    check_submissions({action["action_type"]: action["description"] for action in actions})


@pytest.mark.parametrize("over", ["WebSocket", "JSON-RPC"])
def test_the_lists_of_tools_say_it_too(api: httpx2.Client, address: str, over: str) -> None:
    tools: list[dict[str, Any]]
    if over == "WebSocket":
        with open_talk(address) as talk:
            tools = talk.step({"type": "list_tools"})["observation"]["tools"]
    else:
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        tools = read_answer(api.post("/mcp", json=request))["result"]["tools"]
    check_submissions({tool["name"]: tool["description"] for tool in tools})
    (runbook,) = (tool for tool in tools if tool["name"] == "execute_runbook_step")
    schema = runbook.get("input_schema") or runbook["inputSchema"]
    assert set(load_runbook_catalogue()) <= set(schema["properties"][RUNBOOK_STEP.parameter]["enum"])


def test_the_list_of_tools_of_an_episode_names_the_steps_of_its_own_runbook(address: str) -> None:
    with open_talk(address) as talk:
        talk.reset(scenario_id="LIVE-RP-001")
        tools = talk.step({"type": "list_tools"})["observation"]["tools"]
    (runbook,) = (tool for tool in tools if tool["name"] == "execute_runbook_step")
    assert {"watch", "block_client"} <= set(runbook["input_schema"]["properties"][RUNBOOK_STEP.parameter]["enum"])


def test_the_runbook_is_told_by_a_step_that_is_refused(api: httpx2.Client) -> None:
    read_answer(api.post("/reset?scenario_id=RP-001"))
    asked = {"action_type": "execute_runbook_step", "parameters": {RUNBOOK_STEP.parameter: "list"}}
    refused = api.post("/step", json=asked)
    assert refused.status_code == 422
    for step in load_runbook_catalogue().values():
        assert step.does in refused.json()["detail"]
    assert read_answer(api.get("/state"))["step_count"] == 0
