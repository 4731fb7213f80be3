"""The control tools as people use them: what is started, what a drill says, and what is left after its end."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from mcp import Client

from env_core.selection import Selection
from env_core.service import EpisodeService, Limits
from mcp_server import build_server
from mcp_server.binding import bind_to
from scenarios.vocabulary import TASKS
from tests.mcp_server.playing import LEGACY, MODERN, read_numbers, read_text, start

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from mcp_server.binding import Callers
    from scenarios.catalogue import Catalogue

pytestmark = pytest.mark.anyio

VALID = {"service": "postgres-db", "flag": "none", "replicas": 2, "severity": "P1", "failure_mode": "It failed."}
VALID |= {"summary": "It failed.", "runbook_action": "verify_db_health"}
"""A valid value of each parameter that is required."""

REWARD = re.compile(r"[+-]0\.\d\d\)|Past half|[Rr]eward|[Ee]pisode(?!_id)|\bsplit\b|observation")
"""Words of training, and figures of rewards."""


@pytest.fixture
def training(service: EpisodeService) -> Server[Callers]:
    return build_server(service, version="test", training=True)


def make_strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as the OpenAI Agents SDK and Responses make it strict: every property is required, no others."""
    return {**schema, "required": list(schema["properties"]), "additionalProperties": False}


def fill(schema: dict[str, Any]) -> dict[str, Any]:
    """What a client sends that has to send everything: defaults, and where there is none a valid value."""
    required = schema.get("required", [])
    return {
        name: VALID[name] if name in required else declared["default"]
        for name, declared in schema["properties"].items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["operator", "training", "agent"])
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_every_tool_works_with_all_its_parameters_sent(service: EpisodeService, profile: str, era: str) -> None:
    async def list_names() -> list[str]:
        async with Client(build_server(service, version="test"), mode=era) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    for name in await list_names():
        episode = await service.create(Selection(scenario_id=_choose_scenario(name)))
        bound = bind_to(episode) if profile == "agent" else None
        server = build_server(service, version="test", bound=bound, training=profile == "training")
        async with Client(server, mode=era) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            if name not in tools:
                assert profile == "agent"
                continue
            if profile != "agent" and name != "start_drill":
                handle = await start(client, _choose_scenario(name))
                if name == "grade_drill":
                    await client.call_tool("submit_severity", {"severity": "P1", "episode_id": handle})
            schema = tools[name].input_schema
            arguments = fill(schema)
            jsonschema.validate(arguments, make_strict(schema))
            result = await client.call_tool(name, arguments)
            assert "is not a parameter" not in read_text(result)
            took_part = result.structured_content is not None
            assert took_part, (name, arguments, read_text(result))


def _choose_scenario(tool: str) -> str:
    ends_with = {task.submission.name: f"{task.code}-001" for task in TASKS.values()}
    return ends_with.get(tool, "AC-001" if tool == "grade_drill" else "RP-001")


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        ({}, "AC-001"),
        ({"incident": "", "task_id": "", "difficulty": 0}, "AC-001"),
        ({"incident": " rp-001 "}, "RP-001"),
        ({"incident": "RP-001", "task_id": "remediation_planning"}, "RP-001"),
        ({"task_id": "root_cause_analysis"}, "RCA-001"),
        ({"incident": "42"}, "GEN1-AC-D3-42"),
        ({"incident": 42, "task_id": "root_cause_analysis"}, "GEN1-RCA-D3-42"),
        ({"incident": "007", "difficulty": 1}, "GEN1-AC-D1-7"),
        ({"incident": 7.0, "difficulty": "1", "task_id": None}, "GEN1-AC-D1-7"),
        ({"incident": "0", "difficulty": 1}, "GEN1-AC-D1-0"),
        ({"incident": "GEN1-RCA-D3-42", "task_id": "root_cause_analysis", "difficulty": 3}, "GEN1-RCA-D3-42"),
        ({"incident": "random", "task_id": "root_cause_analysis"}, r"GEN1-RCA-D3-\d+"),
        ({"incident": "Random", "difficulty": 2}, r"GEN1-(AC|RCA|RP)-D2-\d+"),
        ({"difficulty": 1}, r"GEN1-(AC|RCA|RP)-D1-\d+"),
        ({"incident": "42", "generator": 1}, "GEN1-AC-D3-42"),
        ({"incident": "2", "generator": "2", "difficulty": 1, "task_id": "root_cause_analysis"}, "GEN2-RCA-D1-2"),
        ({"incident": "random", "generator": 2, "difficulty": 1}, r"GEN2-(AC|RCA|RP)-D1-\d+"),
        ({"generator": 2, "task_id": "remediation_planning", "difficulty": 2}, r"GEN2-RP-D2-\d+"),
    ],
)
async def test_what_is_started(server: Server[Callers], arguments: dict[str, Any], started: str) -> None:
    async with Client(server) as client:
        result = await client.call_tool("start_drill", arguments)
        assert re.fullmatch(started, read_numbers(result)["scenario_id"])
        assert read_text(result).startswith(f"episode_id: {read_numbers(result)['episode_id']}\n\n")


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        ({"split": "curated", "index": 6}, "RP-001"),
        ({"split": "train", "index": 3, "task_id": "root_cause_analysis", "difficulty": 2}, r"GEN1-RCA-D2-\d+"),
        ({"split": "test", "incident": "5"}, r"GEN1-.*"),
        ({"split": "test", "incident": "random", "task_id": "alert_classification"}, r"GEN1-AC-.*"),
        ({"split": "validation"}, r"GEN1-.*"),
        ({"split": "test", "generator": 2, "index": 0, "task_id": "root_cause_analysis"}, r"GEN2-RCA-.*"),
        ({"incident": "RP-001", "reward_mode": "terminal", "observation": "delta", "episode_id": "mine"}, "RP-001"),
    ],
)
async def test_what_trainers_start(training: Server[Callers], arguments: dict[str, Any], started: str) -> None:
    async with Client(training) as client:
        result = await client.call_tool("start_drill", arguments)
        assert re.fullmatch(started, read_numbers(result)["scenario_id"])
        again = await client.call_tool("start_drill", arguments)
        if "random" not in arguments.values() and len(arguments) > 1 and "episode_id" not in arguments:
            assert read_numbers(again)["scenario_id"] == read_numbers(result)["scenario_id"]
        if "episode_id" in arguments:
            assert again.is_error
            assert "already exists" in read_text(again)


async def test_a_random_incident_that_runs_is_proved_and_of_the_split_to_train_on(
    server: Server[Callers], service: EpisodeService
) -> None:
    proved = {entry.id for entry in service.catalogue.split("train", "remediation_planning", 2, "2")}
    async with Client(server) as client:
        chosen = {"task_id": "remediation_planning", "difficulty": 2, "generator": 2}
        started = read_numbers(await client.call_tool("start_drill", chosen))
    assert started["scenario_id"] in proved


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"incident": "RP-001", "task_id": "alert_classification"}, "RP-001 belongs to remediation_planning"),
        ({"incident": "RP-001", "difficulty": 2}, "RP-001 is hand-written and has no difficulty"),
        ({"incident": "GEN1-RCA-D3-42", "difficulty": 2}, "GEN1-RCA-D3-42 has difficulty 3"),
        ({"incident": "RP-404"}, "Scenarios: AC-001"),
        ({"incident": "9" * 30}, "The number of an incident is 0 to"),
        ({"incident": "x" * 65}, "`incident` must have at most 64 characters"),
        ({"incident": True}, "`incident` must be text"),
        ({"task_id": "guessing"}, "There is no task 'guessing'. Tasks: alert_classification, root_cause_analysis"),
        ({"task_id": "root_cause"}, "Did you mean root_cause_analysis?"),
        ({"difficulty": 9}, "`difficulty` must be 1 (easy) to 5 (hard); 9 was given"),
        ({"generator": 3}, "`generator` must be 1 or 2; 3 was given"),
        ({"generator": 2, "incident": "RP-001"}, "Leave generator out."),
        ({"split": "train"}, "`split` is not a parameter of start_drill"),
    ],
)
async def test_what_contradicts_itself_or_does_not_exist_starts_nothing(
    server: Server[Callers], arguments: dict[str, Any], said: str
) -> None:
    async with Client(server) as client:
        refused = await client.call_tool("start_drill", arguments)
        assert refused.is_error
        assert said in read_text(refused)
        assert "nothing was started" in read_text(refused).casefold()
        assert "You have no drill here yet." in read_text(await client.call_tool("list_drills", {}))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"index": 3}, "give split with it"),
        ({"index": 3, "split": "train", "incident": "4"}, "leave incident out"),
        ({"split": "train", "incident": "RP-001"}, "RP-001 names an incident by itself; leave split out."),
        ({"split": "curated", "index": 99}, "there is no index 99"),
        ({"split": "curated", "index": 0, "difficulty": 2}, "leave difficulty out"),
        ({"split": "nowhere"}, "Splits: curated"),
        ({"episode_id": "current"}, "choose another episode_id"),
    ],
)
async def test_what_contradicts_itself_in_training(
    training: Server[Callers], arguments: dict[str, Any], said: str
) -> None:
    async with Client(training) as client:
        refused = await client.call_tool("start_drill", arguments)
        assert refused.is_error
        assert said in read_text(refused)
        assert "nothing was started" in read_text(refused).casefold()


async def test_a_drill_tells_people_no_words_of_training(server: Server[Callers]) -> None:
    """All texts of a drill with every kind of step: right, wrong, repeated, unknown, another task's, past half."""
    moves: list[tuple[str, dict[str, Any]]] = [
        ("query_logs", {"service": "postgres-db"}),
        ("query_logs", {"service": "postgres-db"}),
        ("check_metrics", {"service": "postgres-db"}),
        ("query_logs", {"service": "nowhere"}),
        ("restart_service", {"service": "api-gateway"}),
        ("restart_service", {"service": "postgres-db"}),
        ("disable_feature_flag", {"flag": "no_such_flag"}),
        ("disable_feature_flag", {"flag": "full_history_export"}),
        ("show_drill", {}),
        ("list_drills", {}),
        ("grade_drill", {}),
        ("submit_resolution", {"summary": "Something failed."}),
        ("query_logs", {"service": "postgres-db"}),
        ("grade_drill", {}),
        ("show_drill", {}),
        ("list_drills", {}),
        ("close_drill", {}),
        ("show_drill", {}),
    ]
    async with Client(server) as client:
        pieces = [client.instructions or "", json.dumps((await client.list_prompts()).model_dump(mode="json"))]
        pieces += [tool.model_dump_json() for tool in (await client.list_tools()).tools]
        handle = await start(client, "RP-001")
        pieces.append((await client.list_resource_templates()).model_dump_json())
        pieces.append((await client.list_resources()).model_dump_json())
        for name in ("take_the_pager", "classify_alert", "find_root_cause", "write_summary"):
            pieces.append((await client.get_prompt(name)).model_dump_json())
        for name, arguments in moves:
            pieces.append(read_text(await client.call_tool(name, arguments)))
            if name == "list_drills":
                for path in (f"incident://{handle}/timeline", "oncall://guide"):
                    pieces += [getattr(item, "text", "") for item in (await client.read_resource(path)).contents]
    for piece in pieces:
        assert not (found := REWARD.search(piece)), piece[found.start() - 80 : found.end() + 80]


async def test_a_full_server_says_what_to_do(catalogue: Catalogue) -> None:
    full = EpisodeService(catalogue, limits=Limits(capacity=1))
    async with Client(build_server(full, version="test")) as client:
        await start(client, "RP-001")
        refused = await client.call_tool("start_drill", {})
        assert read_text(refused) == (
            "All 1 drills that this server keeps are open. Close one with close_drill, or try again later. "
            "Nothing was started."
        )


async def test_grading_says_more_than_the_end_did(server: Server[Callers]) -> None:
    async with Client(server) as client:
        await start(client, "RCA-001")
        await client.call_tool("query_logs", {"service": "postgres-db"})
        await client.call_tool("restart_service", {"service": "api-gateway"})
        await client.call_tool("check_metrics", {"service": "nowhere"})
        answer = {"service": "api-gateway", "failure_mode": "It was overloaded."}
        end = read_text(await client.call_tool("submit_root_cause", answer))
        graded = read_text(await client.call_tool("grade_drill", {}))
    assert end.partition("\nepisode_id: ")[0] in graded
    assert " 1. query_logs postgres-db · First look at postgres-db.\n" in graded
    assert " 2. restart_service api-gateway · was executed and did not help.\n" in graded
    assert " 3. check_metrics nowhere · There is no service 'nowhere'. Known services" in graded
    assert "One way to the full score: " in graded
    assert graded.endswith("→ submit_root_cause")


async def test_closing_keeps_the_grade_in_sight(server: Server[Callers]) -> None:
    async with Client(server) as client:
        handle = await start(client, "AC-001")
        await client.call_tool("submit_severity", {"severity": "P1"})
        closed = await client.call_tool("close_drill", {})
        assert f"Closed AC-001 ({handle})." in read_text(closed)
        assert "Score 1.0000 of 1.0" in read_text(closed)
        assert read_numbers(closed)["grade"]["score"] == 1.0
        await start(client, "AC-002")
        early = await client.call_tool("close_drill", {})
        assert "before its end, so it has no score" in read_text(early)
        assert "grade" not in read_numbers(early)


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_every_drill_of_a_caller_is_listed(server: Server[Callers], era: str) -> None:
    async with Client(server, mode=era) as client:
        finished = [await start(client, scenario_id) for scenario_id in ["AC-001", "AC-002"] * 3]
        for handle in finished:
            await client.call_tool("submit_severity", {"severity": "P1", "episode_id": handle})
        unfinished = await start(client, "RP-001")
        listed = await client.call_tool("list_drills", {})
        opened, ended = read_text(listed).split("\n\n")[:2]
        assert opened.startswith(f"Your open drills:\n- episode_id {unfinished}: RP-001.")
        assert [line.split()[2].rstrip(":") for line in ended.splitlines()[1:]] == finished
        assert [report["episode_id"] for report in read_numbers(listed)["open"]] == [unfinished]
        assert [report["episode_id"] for report in read_numbers(listed)["finished"]] == finished
        resources = {resource.uri.split("/")[2] for resource in (await client.list_resources()).resources}
        assert {unfinished, *finished[-3:]} <= resources
        assert not resources & set(finished[:-3])


async def test_a_fork_begins_as_a_drill_did_and_leaves_it_alone(training: Server[Callers]) -> None:
    async with Client(training) as client:
        source = await start(client, "RCA-001")
        await client.call_tool("query_logs", {"service": "postgres-db", "episode_id": source})
        await client.call_tool("check_metrics", {"service": "postgres-db", "episode_id": source})
        told = await client.call_tool("fork_drill", {"episode_id": source, "after": 1})
        fork = read_numbers(told)["episode_id"]
        assert fork != source
        assert "query_logs postgres-db" in read_text(told)
        assert "check_metrics postgres-db" not in read_text(told)
        wrong = {"service": "api-gateway", "failure_mode": "It failed.", "episode_id": fork}
        await client.call_tool("submit_root_cause", wrong)
        standing = read_text(await client.call_tool("show_drill", {"episode_id": source}))
        assert "check_metrics postgres-db" in standing
        assert "is over" not in standing
        refused = await client.call_tool("fork_drill", {"episode_id": source, "after": 3})
        assert refused.is_error
        assert "has 2 steps; 3 were asked for" in read_text(refused)
