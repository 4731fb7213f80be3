"""REST: the document's own examples, the forms of a step, whose episode is meant, what is refused and how."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from env_core.observation import Observation
from env_core.perfect import play_perfectly
from env_core.selection import Selection
from scenarios.vocabulary import ACTIONS, TASKS
from tests.http_compat.talking import ANSWER, QUERY, read_answer
from tests.servers import full_server

if TYPE_CHECKING:
    from scenarios.catalogue import Catalogue


def run_curl(command: str, address: str) -> Any:
    """What a curl line prints, run by a shell as a reader would run it."""
    line = command.replace("http://localhost:7860", address)
    return json.loads(subprocess.run(["bash", "-c", f"curl -s {line}"], capture_output=True, check=True).stdout)


def test_the_curl_lines_of_the_document(address: str) -> None:
    first = run_curl('-X POST "http://localhost:7860/reset?task_id=alert_classification&scenario_index=0"', address)
    assert first["observation"]["scenario_id"] == "AC-001"
    stepped = run_curl(
        """-X POST http://localhost:7860/step -H "Content-Type: application/json" """
        """-d '{"action_type":"query_logs","parameters":{"service":"api-gateway"}}'""",
        address,
    )
    assert stepped["observation"]["queried_data"]["query_logs"]["api-gateway"]
    assert stepped["reward"] == 0.04
    graded = run_curl("http://localhost:7860/grader", address)
    assert (graded["score"], graded["done"]) == (0.0, False)
    assert run_curl("http://localhost:7860/health", address)["status"] == "healthy"


def test_an_episode_from_reset_to_grade(api: httpx2.Client, catalogue: Catalogue) -> None:
    scenario = catalogue.get("RP-001")
    first = read_answer(api.post("/reset", json={"scenario_id": "RP-001"}))
    assert list(first["observation"]) == list(Observation.__annotations__)
    assert (first["reward"], first["done"], first["info"]["reward_events"]) == (0.0, False, {})
    for number, action in enumerate(play_perfectly(scenario.incident, scenario.task), 1):
        stepped = read_answer(api.post("/step", json=action.dump()))
        assert stepped["observation"]["step_count"] == number
        assert stepped["reward"] == pytest.approx(sum(stepped["info"]["reward_events"].values()))
        assert stepped["info"] == stepped["metadata"]
    assert stepped["done"]
    assert stepped["info"]["terminated"]
    assert not stepped["info"]["truncated"]
    graded = read_answer(api.get("/grader"))
    assert graded["score"] == stepped["info"]["grade"]["score"] == 1.0
    assert graded["breakdown"]
    assert graded["debrief"]["root_cause"] == scenario.incident.truth.service
    state = read_answer(api.get("/state"))
    assert len(state["history"]) == state["step_count"] == number


@pytest.mark.parametrize(
    "body",
    [
        QUERY,
        {**QUERY, "metadata": {"a": 1}},
        {"action": QUERY},
        {"action": QUERY, "timeout_s": 30, "request_id": "one"},
        {"action": {"type": "call_tool", "tool_name": "query_logs", "arguments": {"service": " API-Gateway "}}},
        {"type": "call_tool", "tool_name": "query_logs", "arguments": {"service": "api-gateway"}},
        {"action": json.dumps(QUERY)},
        {"action": {**QUERY, "parameters": json.dumps(QUERY["parameters"])}},
        {"action": {"action": QUERY}},
        {"action": {"action": {"action": json.dumps(QUERY)}}, "request_id": "two"},
        {"action": [QUERY]},
        [QUERY],
        json.dumps(QUERY),
        {**QUERY, "metadata": None, "request_id": None, "episode_id": None},
        {"action": {**QUERY, "metadata": None}, "timeout_s": None, "request_id": None, "metadata": None},
        {"action": QUERY, "timeout_s": "30"},
        {"type": "call_tool", "tool_name": "query_logs", "arguments": '{"service": "api-gateway"}', "metadata": None},
        {"action_type": "query_logs", "parameters": {"parameters": QUERY["parameters"]}, "type": None},
    ],
)
def test_the_forms_of_a_step_mean_the_same(api: httpx2.Client, body: Any) -> None:
    read_answer(api.post("/reset"))
    stepped = read_answer(api.post("/step", json=body))
    assert stepped["reward"] == 0.04
    evidence = read_answer(api.get("/evidence"))["evidence"]
    assert [(item["action"], item["service"]) for item in evidence] == [("query_logs", "api-gateway")]
    text = read_answer(api.get("/state"))["queried_data"]["query_logs"]["api-gateway"]
    assert all(line in text for line in evidence[0]["evidence"]["lines"])
    if "tool_name" in stepped["observation"]:
        assert stepped["observation"]["error"] is None
        assert text in stepped["observation"]["result"]["content"][0]["text"]
        assert stepped["observation"]["result"]["data"]["reward"] == 0.04


def test_tools_can_be_listed_before_any_reset(address: str) -> None:
    with full_server() as fresh, httpx2.Client(base_url=fresh) as api:
        listed = read_answer(api.post("/step", json={"action": {"type": "list_tools"}}))
        assert [tool["name"] for tool in listed["observation"]["tools"]] == list(ACTIONS)
        assert all(tool["input_schema"]["type"] == "object" for tool in listed["observation"]["tools"])
        assert (listed["reward"], listed["done"]) == (0.0, False)
        for path in ("/state", "/grader", "/evidence"):
            assert "POST /reset starts one" in read_answer(api.get(path), 404)["detail"]
        assert "POST /reset starts one" in read_answer(api.post("/step", json=QUERY), 404)["detail"]


def test_a_tool_that_cannot_be_called_is_told_and_is_no_step(api: httpx2.Client) -> None:
    read_answer(api.post("/reset"))
    for name, arguments, kind in (
        ("reboot_everything", {}, "tool_not_found"),
        ("query_logs", {"service": ""}, "invalid_args"),
        ("scale_service", {"service": "api-gateway", "replicas": "many"}, "invalid_args"),
    ):
        body = {"type": "call_tool", "tool_name": name, "arguments": arguments}
        shown = read_answer(api.post("/step", json=body))["observation"]
        assert shown["error"]["error_type"] == kind
        assert shown["result"] is None
    assert read_answer(api.get("/state"))["step_count"] == 0


def test_episodes_are_named_by_query_body_or_header(address: str) -> None:
    with httpx2.Client(base_url=address) as api:
        handles = [
            read_answer(api.post("/reset", json={"scenario_id": "RP-001"}))["observation"]["episode_id"]
            for _ in range(4)
        ]
        api.cookies.clear()
        read_answer(api.post("/step", params={"episode_id": handles[0]}, json=QUERY))
        read_answer(api.post("/step", json={**QUERY, "episode_id": handles[1]}))
        read_answer(api.post("/step", json={"action": QUERY, "episode_id": handles[2]}))
        read_answer(api.post("/step", headers={"X-Episode-Id": handles[3]}, json=QUERY))
        for handle in handles:
            state = read_answer(api.get("/state", params={"episode_id": handle}))
            assert (state["episode_id"], state["step_count"]) == (handle, 1)
        wrong = api.get("/state", params={"episode_id": handles[0]}, headers={"X-Episode-Id": "no handle"})
        assert "episode_id" in read_answer(wrong, 422)["detail"]
        first, second, *_ = handles
        conflicting: tuple[dict[str, Any], ...] = (
            {"json": {**QUERY, "episode_id": second}},
            {"json": QUERY, "headers": {"X-Episode-Id": second}},
        )
        for sent in conflicting:
            assert "name one" in read_answer(api.post("/step", params={"episode_id": first}, **sent), 409)["detail"]
        assert (
            "name one"
            in read_answer(api.post("/reset", json={"episode_id": "a"}, headers={"X-Episode-Id": "b"}), 409)["detail"]
        )
        assert "`episodeid`" in read_answer(api.get("/state", params={"episodeid": first}), 422)["detail"]
        assert [
            read_answer(api.get("/state", params={"episode_id": name}))["step_count"] for name in (first, second)
        ] == [1, 1]
        missing = read_answer(api.get("/state", params={"episode_id": "never-was"}), 404)["detail"]
        assert "'never-was'" in missing
        assert "POST /reset" in missing


def test_callers_who_keep_cookies_have_an_episode_of_their_own(address: str) -> None:
    with httpx2.Client(base_url=address) as first, httpx2.Client(base_url=address) as second:
        read_answer(first.post("/reset", json={"scenario_id": "RP-001"}))
        read_answer(second.post("/reset", json={"scenario_id": "RP-003"}))
        assert read_answer(first.get("/state"))["scenario_id"] == "RP-001"
        assert read_answer(second.get("/state"))["scenario_id"] == "RP-003"
        assert read_answer(httpx2.get(f"{address}/state"))["scenario_id"] == "RP-003"


def test_an_episode_that_was_named_is_nobody_elses_default() -> None:
    with full_server() as address, httpx2.Client(base_url=address) as mine:
        read_answer(mine.post("/reset", json={"scenario_id": "RP-001", "episode_id": "mine"}))
        assert read_answer(mine.get("/state"))["episode_id"] == "mine"
        assert "`episode_id`" in read_answer(httpx2.get(f"{address}/state"), 404)["detail"]
        read_answer(httpx2.post(f"{address}/reset", json={"scenario_id": "RP-002"}))
        read_answer(mine.post("/reset", json={"scenario_id": "RP-003", "episode_id": "mine"}))
        assert read_answer(httpx2.get(f"{address}/state"))["scenario_id"] == "RP-002"


def test_a_server_may_have_no_shared_default() -> None:
    with full_server("--no-shared-default") as address:
        handle = read_answer(httpx2.post(f"{address}/reset"))["observation"]["episode_id"]
        assert "episode_id" in read_answer(httpx2.get(f"{address}/grader"), 404)["detail"]
        assert read_answer(httpx2.get(f"{address}/grader", params={"episode_id": handle}))["episode_id"] == handle


def test_resets_take_their_options_from_query_and_body(api: httpx2.Client) -> None:
    by_query = read_answer(api.post("/reset?task_id=remediation_planning&scenario_index=1&seed=&random=false"))
    by_body = read_answer(
        api.post("/reset", json={"task_id": "remediation_planning", "scenario_index": 1.0, "seed": None})
    )
    mixed = read_answer(api.post("/reset?task_id=remediation_planning", json={"scenario_index": 1, "episode_id": None}))
    scenarios = {reset["observation"]["scenario_id"] for reset in (by_query, by_body, mixed)}
    assert scenarios == {"RP-002"}
    assert (
        read_answer(api.post("/reset", json={"split": "curated", "index": 4}))["observation"]["scenario_id"]
        == "RCA-002"
    )
    generated = read_answer(api.post("/reset?seed=11&difficulty=2", json={"task_id": "root_cause_analysis"}))
    assert (generated["observation"]["scenario_id"], generated["info"]["seed"]) == ("GEN1-RCA-D2-11", 11)
    drawn = read_answer(api.post("/reset", json={"difficulty": 4}))
    assert drawn["observation"]["scenario_id"] == f"GEN1-AC-D4-{drawn['info']['seed']}"
    at_random = read_answer(api.post("/reset", params={"split": "curated"}))
    again = read_answer(api.post("/reset", json={"split": "curated", "seed": at_random["info"]["seed"]}))
    assert again["observation"]["scenario_id"] == at_random["observation"]["scenario_id"]


@pytest.mark.parametrize(
    ("sent", "plain"),
    [
        (None, {}),
        ("{}", {}),
        (dict.fromkeys(Selection.model_fields), {}),
        ({"task_id": ""}, {}),
        ({"scenario_index": "1", "random": "False"}, {"scenario_index": 1}),
        ({"seed": "7", "difficulty": "2", "task_id": None}, {"seed": 7, "difficulty": 2}),
        (json.dumps({"scenario_id": "RP-001"}), {"scenario_id": "RP-001"}),
    ],
)
def test_what_a_reset_means_does_not_depend_on_how_it_is_written(api: httpx2.Client, sent: Any, plain: Any) -> None:
    started = [read_answer(api.post("/reset", content=json.dumps(body))) for body in (sent, plain)]
    for answer in started:
        del answer["observation"]["episode_id"]
        for each in (answer["info"], answer["metadata"]):
            assert each.pop("incarnation")
            assert each.pop("agent_url").startswith("http://")
    assert started[0] == started[1]


def test_a_requested_handle_is_used_and_is_refused_while_it_is_in_use(address: str) -> None:
    with httpx2.Client(base_url=address) as api:
        body = {"episode_id": "mine:1", "task_id": "alert_classification"}
        assert read_answer(api.post("/reset", json=body))["observation"]["episode_id"] == "mine:1"
        read_answer(api.post("/step", json=QUERY))
        assert read_answer(api.post("/reset", json=body))["observation"]["step_count"] == 0, (
            "the caller's own may be reset"
        )
        api.cookies.clear()
        assert "Close it or choose another" in read_answer(api.post("/reset", json=body), 409)["detail"]
        read_answer(api.post("/step", json={**ANSWER, "episode_id": "mine:1"}))
        assert "finished or not" in read_answer(api.post("/reset", json=body), 409)["detail"]
        assert read_answer(api.get("/grader", params={"episode_id": "mine:1"}))["done"], "it is as it was"
        again = read_answer(api.post("/reset", json={**body, "replace": True}))
        assert again["observation"]["step_count"] == 0, "it is closed for whoever says so"
        assert read_answer(api.post("/close", json={"episode_id": "mine:1"})) == {
            "episode_id": "mine:1",
            "closed": True,
        }
        read_answer(api.get("/state", params={"episode_id": "mine:1"}), 404)
        read_answer(api.post("/close", params={"episode_id": "mine:1"}), 404)


def test_delta_observations_show_the_last_step_alone(api: httpx2.Client) -> None:
    read_answer(api.post("/reset", json={"scenario_id": "RP-001", "observation": "delta"}))
    metrics = {"action_type": "check_metrics", "parameters": {"service": "postgres-db"}}
    read_answer(api.post("/step", json=QUERY))
    shown = read_answer(api.post("/step", json=metrics))["observation"]["queried_data"]
    assert {action: list(services) for action, services in shown.items()} == {"check_metrics": ["postgres-db"]}
    fix = {"action_type": "restart_service", "parameters": {"service": "postgres-db"}}
    assert read_answer(api.post("/step", json=fix))["observation"]["queried_data"] == {}
    assert set(read_answer(api.get("/state"))["queried_data"]) == {"query_logs", "check_metrics"}


def test_terminal_rewards_tell_nothing_before_the_end(api: httpx2.Client) -> None:
    read_answer(api.post("/reset", json={"reward_mode": "terminal"}))
    looked = read_answer(api.post("/step", json=QUERY))
    assert (looked["reward"], looked["info"]["reward_events"]) == (0.0, {})
    ended = read_answer(api.post("/step", json=ANSWER))
    assert ended["reward"] == ended["info"]["grade"]["score"] == 1.0


def test_a_request_sent_again_is_not_taken_again(api: httpx2.Client) -> None:
    read_answer(api.post("/reset"))
    body = {"action": QUERY, "request_id": "r-1"}
    first = api.post("/step", json=body)
    read_answer(api.post("/step", json={"action": {**QUERY, "parameters": {"service": "cdn-edge"}}}))
    again = api.post("/step", json=body)
    assert again.content == first.content
    assert read_answer(api.get("/state"))["step_count"] == 2
    assert (
        "was used for query_logs" in read_answer(api.post("/step", json={**ANSWER, "request_id": "r-1"}), 409)["detail"]
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"action_type": NaN}', "not JSON"),
        (b"[]", "A step is one action, and a list of 0 was sent"),
        (b'[{"action_type": "query_logs"}, {"action_type": "query_logs"}]', "a list of 2 was sent; no step was taken"),
        (
            b'{"action": [{}, {}, {}]}',
            'Send them one after the other, each as {"action_type": "query_logs", "parameters"',
        ),
        (b'{"action": "query_logs"}', 'Send {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}'),
        (b'{"action": null}', "`action` is required"),
        (b"{}", "`action_type` and `parameters`"),
        (b'"x"', "A step is a JSON object"),
        (b'{"action_type": "nonsense", "parameters": {}}', "Valid actions: query_logs"),
        (b'{"action_type": "query_logs"}', "`parameters` are missing"),
        (b'{"action_type": "query_logs", "parameters": {}, "speed": 1}', "'speed' cannot stand here"),
        (b'{"action_type": "query_logs", "parameters": {"service": ""}}', "service"),
        (b'{"action_type": "query_logs", "parameters": {"service": "a", "since": 1}}', "`since` is not a parameter"),
        (b'{"action_type": "submit_severity", "parameters": {"severity": "P9"}}', "P1"),
        (b'{"action": {"action_type": "query_logs", "parameters": {"service": 7}}}', "`service` must be text"),
        (b'{"action": {}, "render": true}', "`render` is not a parameter"),
        (b'{"action": {}, "timeout_s": 0}', "timeout_s"),
        (b'{"action_type": "query_logs", "parameters": {"service": "a"}, "episode_id": "/"}', "episode_id"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_malformed_steps_are_refused_and_change_nothing(api: httpx2.Client, content: bytes, said: str) -> None:
    read_answer(api.post("/reset"))
    assert said in read_answer(api.post("/step", content=content), 422)["detail"]
    assert read_answer(api.get("/state"))["step_count"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/reset", {"task_id": "nonsense"}, 422, "alert_classification"),
        ("/reset", {"unheard_of": 1}, 422, "`unheard_of` is not a parameter of reset"),
        ("/reset", {"scenario_id": "RP-404"}, 404, "Scenarios: AC-001"),
        ("/reset", {"split": "secret"}, 404, "Splits: curated"),
        ("/reset", {"split": "curated", "index": 99}, 404, "0 to 8"),
        ("/reset", {"scenario_id": "RP-001", "random": True}, 409, "contradict"),
        ("/reset?scenario_index=1", {"scenario_index": 2}, 409, "differs between"),
        ("/reset?seed=tomorrow", {}, 422, "seed"),
        ("/reset?seed=-1", {}, 422, "`seed` must be 0 or more; -1 was given; nothing was started"),
        ("/reset?seed=281474976710656", {}, 422, "`seed` must be 0 to 281474976710655"),
        ("/reset?random=yes", {}, 422, "`random` must be true or false; nothing was started"),
        ("/reset", {"random": "yes"}, 422, "`random` must be true or false; nothing was started"),
        ("/reset", {"difficulty": 9}, 422, "must be 1 (easy) to 5 (hard); 9 was given; nothing was started"),
        ("/reset", {"scenario": "RP-001"}, 422, "Did you mean scenario_id?"),
        ("/reset", {"episode_id": "current"}, 409, "stands for"),
        ("/reset", {"episode_id": "a" * 129}, 422, "episode_id"),
        ("/reset", ["RP-001"], 422, "object is expected"),
    ],
)
def test_resets_that_cannot_be_are_refused(api: httpx2.Client, path: str, body: Any, status: int, said: str) -> None:
    before = read_answer(api.post("/reset"))["observation"]
    assert said in read_answer(api.post(path, json=body), status)["detail"]
    assert read_answer(api.get("/state"))["episode_id"] == before["episode_id"]


def test_a_finished_episode_cannot_be_stepped(api: httpx2.Client) -> None:
    read_answer(api.post("/reset"))
    read_answer(api.post("/step", json=ANSWER))
    refused = read_answer(api.post("/step", json=QUERY), 409)["detail"]
    assert "is over" in refused
    assert "1.0000" in refused
    assert "POST /reset" in refused


def test_large_bodies_wrong_methods_and_unknown_paths(api: httpx2.Client) -> None:
    assert "1048576" in read_answer(api.post("/step", content=b" " * (2 << 20)), 413)["detail"]
    chunks = (b" " * 65_536 for _ in range(64))
    assert "1048576" in read_answer(api.post("/reset", content=chunks), 413)["detail"]
    wrong = api.get("/step")
    read_answer(wrong, 405)
    assert wrong.headers["Allow"] == "POST"
    read_answer(api.get("/nothing/here"), 404)


def test_no_room_and_room_again() -> None:
    with full_server("--capacity", "2") as address, httpx2.Client(base_url=address) as api:
        for handle in ("one", "two"):
            read_answer(api.post("/reset", json={"episode_id": handle}))
        refused = api.post("/reset")
        assert "close one" in read_answer(refused, 503)["detail"]
        assert int(refused.headers["Retry-After"]) > 0
        read_answer(api.post("/close", json={"episode_id": "one"}))
        read_answer(api.post("/reset", json={"episode_id": "three"}))
        read_answer(api.post("/step", json={**ANSWER, "episode_id": "two"}))
        read_answer(api.post("/reset", json={"episode_id": "four"}))
        read_answer(api.get("/grader", params={"episode_id": "two"}), 404)


def test_production_has_no_reset_step_or_state() -> None:
    with full_server(OPENENV_MODE="production") as address, httpx2.Client(base_url=address) as api:
        for path in ("/reset", "/step", "/close"):
            read_answer(api.post(path), 404)
        for path in ("/state", "/grader", "/evidence"):
            read_answer(api.get(path), 404)
        paths = read_answer(api.get("/openapi.json"))["paths"]
        assert not {"/reset", "/step", "/state"} & set(paths)
        assert api.get("/").headers["Location"] == "docs"
        assert read_answer(api.get("/health"))["status"] == "healthy"
        assert read_answer(api.get("/schema"))["action"]
        created = read_answer(api.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "openenv/session/create"}))
        call = {"name": "query_logs", "arguments": {"service": "api-gateway"}, **created["result"]}
        called = read_answer(api.post("/mcp", json={"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}))
        assert called["result"]["data"]["step_count"] == 1


def test_what_the_environment_says_of_itself(api: httpx2.Client, catalogue: Catalogue) -> None:
    about = read_answer(api.get("/metadata"))
    assert about["name"] == "cloud-incident"
    assert about["author"]
    assert all(
        api.get(path).status_code == 200 for name, path in about["links"].items() if name not in {"mcp", "websocket"}
    )
    tasks = read_answer(api.get("/tasks"))
    assert [task["task_id"] for task in tasks["tasks"]] == list(TASKS)
    for task in tasks["tasks"]:
        assert [action["action_type"] for action in task["actions"]] == TASKS[task["task_id"]].available_actions
    assert len(tasks["runbook_steps"]) > 20
    listed = read_answer(api.post("/Cloud-Incident/tasks", json={"split": "curated"}))["tasks"]
    assert [task["id"] for task in listed] == list(catalogue.scenarios)
    assert "this server has cloud-incident" in read_answer(api.get("/other/splits"), 404)["detail"]
    assert "<title>" in api.get("/").text  # the console


def test_generated_splits_are_listed_in_parts_and_what_is_listed_starts(api: httpx2.Client) -> None:
    splits = {split["name"]: split["type"] for split in read_answer(api.get("/cloud-incident/splits"))}
    assert splits == {"curated": "test", "test-ood": "test", **{name: name for name in ("train", "validation", "test")}}

    def ask(path: str, status: int = 200, **body: Any) -> Any:
        return read_answer(api.post(f"/cloud-incident/{path}", json={"split": "train", **body}), status)

    assert ask("num_tasks") == {"num_tasks": 1_000_000}
    first = ask("tasks")["tasks"]
    assert len(first) == 1_000
    assert ask("task_range", start=0, stop=1_000)["tasks"] == first
    assert "at most 1000" in ask("task_range", 409)["detail"]
    assert "at most 1000" in ask("task_range", 409, start=5, stop=1_006)["detail"]
    assert len({spec["id"] for spec in first}) == len(first)
    assert {spec["difficulty"] for spec in first} == {1, 2, 3, 4, 5}
    (last,) = ask("task_range", start=-1)["tasks"]
    assert last == ask("task", index=999_999)["task"]
    assert "0 to 999999" in ask("task", 404, index=1_000_000)["detail"]
    for spec in (*first[:3], last):
        observation = read_answer(api.post("/reset", json=spec["reset"]))["observation"]
        assert (observation["scenario_id"], observation["task_id"]) == (spec["id"], spec["task_id"])
        assert observation["max_steps"] == spec["max_steps"]


def test_the_page_asks_no_other_host(api: httpx2.Client) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.text.replace("<!doctype html>", "").replace("http-equiv", "")
    for asset in ("docs.js", "swagger-ui/swagger-ui-bundle.js", "swagger-ui/swagger-ui.css", "swagger-ui/LICENSE"):
        assert api.get(f"/static/{asset}").status_code == 200


def test_a_path_or_a_method_that_there_is_not_is_told_with_what_there_is(api: httpx2.Client) -> None:
    assert "/docs shows the paths" in read_answer(api.get("/nothing"), 404)["detail"]
    assert "GET is not a method of this path; POST is." in read_answer(api.get("/step"), 405)["detail"]


def test_an_old_cookie_means_nobody_elses_episode(address: str) -> None:
    with httpx2.Client(base_url=address) as first, httpx2.Client(base_url=address) as second:
        read_answer(first.post("/reset", json={"episode_id": "shared-name"}))
        read_answer(first.post("/step", json=ANSWER))
        read_answer(second.post("/reset", json={"episode_id": "shared-name", "replace": True}))
        read_answer(second.post("/step", json=QUERY))
        assert (
            "Close it or choose another"
            in read_answer(first.post("/reset", json={"episode_id": "shared-name"}), 409)["detail"]
        )
        assert "POST /reset starts one" in read_answer(first.post("/step", json=QUERY), 409)["detail"]
        assert read_answer(second.get("/state"))["step_count"] == 1


def test_a_fork_is_an_episode_of_its_own(api: httpx2.Client) -> None:
    first = read_answer(api.post("/reset", json={"scenario_id": "RCA-001"}))
    source = first["observation"]["episode_id"]
    for service in ("api-gateway", "postgres-db"):
        read_answer(api.post("/step", json={"action_type": "query_logs", "parameters": {"service": service}}))
    fork = read_answer(api.post("/fork", json={"after": 1, "fork_id": "what-if"}))
    assert (fork["observation"]["episode_id"], fork["observation"]["step_count"]) == ("what-if", 1)
    assert list(fork["observation"]["queried_data"]["query_logs"]) == ["api-gateway"]
    answer = {"action_type": "submit_root_cause", "parameters": {"service": "postgres-db", "failure_mode": "?"}}
    assert read_answer(api.post("/step?episode_id=what-if", json=answer))["done"]
    assert read_answer(api.get("/state", params={"episode_id": source}))["step_count"] == 2
    refused = api.post("/fork", json={"episode_id": source, "after": 3})
    assert refused.status_code == 422
    assert "has 2 steps; 3 were asked for" in refused.text
