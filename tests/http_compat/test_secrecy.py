"""Until an episode is over nothing that REST, the Task API or a WebSocket answers reveals the truth."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from pydantic import TypeAdapter

from env_core.perfect import play_perfectly
from http_compat.shapes import Debrief
from scenarios.running.listed import list_proofs
from scenarios.vocabulary import ACTIONS
from tests.http_compat.talking import open_talk, read_answer
from tests.secrets_of import MISSTEPS, secrets_of, telling

_AGENT_KEY = re.compile(r"/agent/[\w-]+(?:/[\w-]+)*/mcp")
"""What is drawn for an address may look like a severity by chance."""

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.catalogue import Catalogue, Scenario

PAGES = (
    "/",
    "/health",
    "/metadata",
    "/tasks",
    "/schema",
    "/openapi.json",
    "/list_environments",
    "/cloud-incident/splits",
)
LOOKS = ("/state", "/grader", "/evidence")
MESSAGES: list[dict[str, Any]] = [
    {"type": "state"},
    {"type": "step", "data": {"type": "list_tools"}},
    {"type": "step", "data": {}},
    {"type": "mcp", "data": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}},
    {"type": "truth"},
]


def build_misstep(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"action_type": name, "parameters": parameters}


def everything(address: str, scenario: Scenario) -> set[str]:
    """All that is answered about a scenario of which nothing was queried: pages, looks, refusals, steps in vain."""
    pieces: list[str] = []
    steps = [build_misstep(*step) for step in MISSTEPS[: scenario.task.max_steps - 1]]
    with httpx2.Client(base_url=address) as api:

        def heard(method: str, path: str, **sent: Any) -> None:
            answer = api.request(method, path, **sent)
            pieces.extend([answer.text, str(answer.headers)])

        started = read_answer(api.post("/reset", json={"scenario_id": scenario.id, "seed": 1}))
        handle = started["observation"]["episode_id"]
        pieces.append(json.dumps(started, ensure_ascii=False))
        for path in (*PAGES, *LOOKS):
            heard("GET", path)
        for path in ("tasks", "num_tasks", "task", "task_range"):
            heard("POST", f"/cloud-incident/{path}", json={"split": "curated", "index": 0})
            heard("POST", f"/cloud-incident/{path}", json={"split": "curated"})
        for name in ACTIONS:
            heard("POST", "/step", json=build_misstep(name, {}))
            heard("POST", "/step", json={"type": "call_tool", "tool_name": name, "arguments": {"nonsense": 1}})
        for body in steps:
            heard("POST", "/step", json=body)
        for path in LOOKS:
            heard("GET", path)
    with open_talk(address) as talk:
        second = talk.reset(scenario_id=scenario.id)["observation"]["episode_id"]
        pieces += [json.dumps(talk.say(message), ensure_ascii=False) for message in MESSAGES]
        pieces += [json.dumps(talk.step(step), ensure_ascii=False) for step in steps]
    lines = (line for piece in pieces for line in re.split(r"\\n|\n|(?<=[}\]]),", piece))
    return {_AGENT_KEY.sub("/agent/KEY/mcp", re.sub(f"{handle}|{second}", "HANDLE", line)) for line in lines}


@pytest.fixture(scope="module")
def tell_all(address: str, catalogue: Catalogue) -> Callable[[str], set[str]]:
    """`everything` by the id of a scenario, asked for once."""
    return cache(lambda scenario_id: everything(address, catalogue.get(scenario_id)))


def test_nothing_before_the_end(tell_all: Callable[[str], set[str]], scenario: Scenario, catalogue: Catalogue) -> None:
    other = next(candidate for candidate in catalogue.of_task(scenario.task.id) if candidate.id != scenario.id)
    text = telling(scenario, tell_all(scenario.id), tell_all(other.id))
    assert scenario.incident.alert["name"] in text
    for name, pattern in secrets_of(scenario).items():
        assert not (found := pattern.search(text)), (name, text[found.start() - 80 : found.end() + 80])


@pytest.mark.parametrize("mode", ["dense", "terminal"])
def test_the_grade_and_the_debrief_come_with_the_end(address: str, scenario: Scenario, mode: str) -> None:
    with httpx2.Client(base_url=address) as api:
        read_answer(api.post("/reset", json={"scenario_id": scenario.id, "reward_mode": mode}))
        *before, last = play_perfectly(scenario.incident, scenario.task)
        for action in before:
            assert "grade" not in read_answer(api.post("/step", json=action.dump()))["info"]
        graded = read_answer(api.get("/grader"))
        assert (graded["score"], graded["breakdown"], graded["debrief"]) == (0.0, [], None)
        assert read_answer(api.post("/step", json=last.dump()))["info"]["grade"]["score"] == 1.0
        assert read_answer(api.get("/grader"))["debrief"]["causal_chain"][0] == scenario.incident.account.chain[0]


def test_what_a_drawn_incident_tells_at_the_end_comes_with_the_end(address: str, catalogue: Catalogue) -> None:
    seed, difficulty = min(list_proofs(), key=lambda key: (key[1] != 3, key))
    scenario = catalogue.get(f"GEN2-RCA-D{difficulty}-{seed}")
    first, *_, last = play_perfectly(scenario.incident, scenario.task)
    account = scenario.incident.account
    secrets = [*account.chain[:-1], *(aside.text for aside in account.beside), "ruled_out_by"]
    with httpx2.Client(base_url=address, timeout=60) as api:
        read_answer(api.post("/reset", json={"scenario_id": scenario.id}))
        told = [api.post("/step", json=first.dump()).text, *(api.get(path).text for path in (*LOOKS, "/frames"))]
        assert not any(json.dumps(secret, ensure_ascii=False)[1:-1] in text for secret in secrets for text in told)
        read_answer(api.post("/step", json=last.dump()))
        debrief = read_answer(api.get("/grader"))["debrief"]
        TypeAdapter(Debrief).validate_python(debrief, strict=True, extra="forbid")
        assert debrief["causal_chain"] == list(account.chain)
        assert [aside["text"] for aside in debrief["beside"]] == [aside.text for aside in account.beside]
        assert debrief["review"]["explanations"]
        assert read_answer(api.get("/frames"))["frames"][-1]["debrief"] == debrief


def test_what_users_lost_is_drawn_at_the_end_only(address: str, catalogue: Catalogue) -> None:
    seed, difficulty = min(list_proofs(), key=lambda key: (key[1] != 2, key))
    scenario = catalogue.get(f"GEN2-RP-D{difficulty}-{seed}")
    *before, last = play_perfectly(scenario.incident, scenario.task)
    secrets = ("curves", "with_nothing_done", "with_the_best_repair", "minutes_lost", "fault_at")
    with httpx2.Client(base_url=address, timeout=60) as api:
        read_answer(api.post("/reset", json={"scenario_id": scenario.id}))
        for action in before:
            told = [api.post("/step", json=action.dump()).text, *(api.get(path).text for path in (*LOOKS, "/frames"))]
            assert not any(secret in text for secret in secrets for text in told)
        read_answer(api.post("/step", json=last.dump()))
        debrief = read_answer(api.get("/grader"))["debrief"]
        TypeAdapter(Debrief).validate_python(debrief, strict=True, extra="forbid")
        curves = debrief["review"]["curves"]
        assert len(curves["as_left"]) == len(curves["with_nothing_done"]) == len(curves["with_the_best_repair"])
        assert "effective" in {mark["verdict"] for mark in curves["remediations"]}
        assert read_answer(api.get("/frames"))["frames"][-1]["debrief"] == debrief
