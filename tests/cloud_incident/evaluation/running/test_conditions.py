"""Results belong to the conditions they were measured under: others are not taken for them, nor mixed with them."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cloud_incident.about import describe_server
from cloud_incident.cli import main
from cloud_incident.evaluation.agents import identify_address
from cloud_incident.evaluation.running import dump_trajectory, read_trajectories
from scenarios.catalogue import Catalogue
from scenarios.generator.salt import Salt
from scenarios.vocabulary import ALERT_CLASSIFICATION, REMEDIATION_PLANNING, ROOT_CAUSE_ANALYSIS
from tests.cloud_incident.evaluation.scripted_model import serving
from tests.servers import full_server, http_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from cloud_incident.evaluation.running import Trajectory
    from tests.cloud_incident.evaluation.scripted_model import ScriptedModel

WRITTEN = "a secret of some length"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with serving() as model:
        yield model


def evaluate(path: Path, *arguments: str, agent: str = "oracle", scenario: str = "AC-001", **variables: str) -> Result:
    asked = ["evaluate", "--agent", agent, "--scenario", scenario, "--out", str(path), *arguments]
    known = {"API_BASE_URL": None, "MODEL_NAME": None, "API_KEY": "a-key", "RETRY_SECONDS": "0.001"}
    return CliRunner().invoke(main, asked, env={**known, **variables})


def only(path: Path) -> Trajectory:
    (trajectory,) = read_trajectories(path)
    return trajectory


def test_a_port_where_nothing_listens_gives_no_table(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert evaluate(path).exit_code == 0
    before = path.read_bytes()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for surface in ("rest", "websocket", "mcp"):
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            said = evaluate(path, "--url", url, "--surface", surface)
            assert said.exit_code == 1
            assert f"{url} cannot be played on over {surface}" in said.output
            assert "Nothing was played" in said.output
            assert said.stdout == ""
    assert path.read_bytes() == before


def test_what_answers_and_is_no_server_of_incidents_is_told(tmp_path: Path, model: ScriptedModel) -> None:
    said = evaluate(tmp_path / "run.jsonl", "--url", model.address)
    assert said.exit_code == 1
    assert "/health answered 404 and /metadata answered 404" in said.output
    assert not (tmp_path / "run.jsonl").exists()


@pytest.mark.parametrize("surface", ["rest", "websocket", "mcp"])
def test_each_surface_is_recorded_and_is_another_result(tmp_path: Path, address: str, surface: str) -> None:
    path = tmp_path / "run.jsonl"
    assert evaluate(path).exit_code == 0
    here = only(path)["conditions"]
    version = describe_server().version
    assert here == {
        "version": version,
        "generator": "1",
        "surface": "in process",
        "address": "",
        "server": "",
        "split": "curated",
        "salt": "",
        "parameters": {},
    }
    before, over = path.read_bytes(), ("--url", f"{address}/", "--surface", surface)
    refused = evaluate(path, *over)
    assert refused.exit_code == 1
    assert f"surface in process, now {surface}" in refused.output
    assert "Name another file as --out, or start this one over with --start-over." in refused.output
    assert refused.stdout == ""
    assert path.read_bytes() == before
    assert evaluate(path, *over, scenario="AC-002").exit_code == 1
    said = evaluate(path, *over, "--start-over")
    assert said.exit_code == 0, said.output
    assert only(path)["conditions"] == {**here, "surface": surface, "address": address, "server": version}
    assert f"{surface} at {address}, version {version}" in said.output
    assert "1 of 1 episodes are in" in evaluate(path, *over).output


@pytest.mark.slow
def test_a_server_of_mcp_alone_tells_its_version_too(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with http_server("--transport", "streamable-http") as address:
        said = evaluate(path, "--url", address, "--surface", "mcp")
    assert said.exit_code == 0, said.output
    assert only(path)["conditions"]["server"] == describe_server().version


def test_another_endpoint_is_another_result_and_another_model_another_agent(
    tmp_path: Path, model: ScriptedModel
) -> None:
    path = tmp_path / "run.jsonl"
    asked = {"API_BASE_URL": model.address, "MODEL_NAME": "perfect"}
    said = evaluate(path, agent="llm", **asked)
    assert said.exit_code == 0, said.output
    assert only(path)["conditions"]["parameters"] == {
        "model": "perfect",
        "endpoint": model.address,
        "temperature": 0.0,
        "max_tokens": 2048,
    }
    assert f"perfect at {model.address}, temperature 0.0, max_tokens 2048" in " ".join(said.output.split())
    assert "a-key" not in path.read_text()
    with serving() as other:
        refused = evaluate(path, agent="llm", **{**asked, "API_BASE_URL": other.address})
        assert refused.exit_code == 1
        assert f"endpoint {model.address}, now {other.address}" in refused.output
        assert other.requests == []
    more = evaluate(path, agent="llm", **{**asked, "MODEL_NAME": "prose"})
    assert more.exit_code == 0, more.output
    assert [trajectory["agent"] for trajectory in read_trajectories(path)] == ["llm:perfect", "llm:prose"]


@pytest.mark.slow
@pytest.mark.parametrize("surface", ["", "rest", "websocket", "mcp"])
def test_a_model_sees_the_tools_of_its_task_and_no_others(
    tmp_path: Path, address: str, model: ScriptedModel, surface: str
) -> None:
    name, over = f"perfect:{surface}", ("--url", address, "--surface", surface) if surface else ()
    asked = {"API_BASE_URL": model.address, "MODEL_NAME": name}
    scenarios = {"AC-002": ALERT_CLASSIFICATION, "RCA-002": ROOT_CAUSE_ANALYSIS, "RP-002": REMEDIATION_PLANNING}
    for number, (scenario_id, task) in enumerate(scenarios.items()):
        before = len(model.of(name))
        path = tmp_path / f"{number}.jsonl"
        said = evaluate(path, *over, agent="llm", scenario=scenario_id, **asked)
        assert said.exit_code == 0, said.output
        assert only(path)["score"] == 1.0
        requests = model.of(name)[before:]
        assert requests
        for request in requests:
            assert [tool["function"]["name"] for tool in request["tools"]] == task.available_actions


@pytest.mark.parametrize(
    ("place", "changes", "told"),
    [
        ("conditions", {"version": "0.0.9"}, "version 0.0.9, now"),
        ("conditions", {"generator": "0"}, "generator 0, now 1"),
        ("conditions", {"salt": "0123456789abcdef"}, "salt 0123456789abcdef, now none"),
        ("conditions", {"parameters": {"temperature": 0.7}}, "temperature 0.7, now none"),
        ("reference", {"rules": "0"}, "rules 0, now"),
        ("reference", {"reward_mode": "terminal"}, "rewards terminal, now dense"),
        ("reference", {"digest": "another"}, "AC-001 has changed since oracle/AC-001/0/0 was played"),
    ],
)
def test_results_of_other_conditions_are_refused(
    tmp_path: Path, place: str, changes: dict[str, Any], told: str
) -> None:
    path = tmp_path / "run.jsonl"
    evaluate(path)
    line = json.loads(path.read_bytes())
    line[place].update(changes)
    path.write_text(f"{json.dumps(line, separators=(',', ':'))}\n")
    before = path.read_bytes()
    refused = evaluate(path)
    assert refused.exit_code == 1
    assert told in refused.output
    assert "--start-over" in refused.output
    assert refused.stdout == ""
    assert path.read_bytes() == before
    assert evaluate(path, "--start-over").exit_code == 0


def test_the_salt_is_recorded_as_a_fingerprint(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert evaluate(path, CLOUD_INCIDENT_SALT=WRITTEN).exit_code == 0
    salt = only(path)["conditions"]["salt"]
    assert salt == Catalogue((), Salt.of(WRITTEN)).salt_fingerprint
    assert len(salt) == 16
    assert WRITTEN not in path.read_text()
    refused = evaluate(path, CLOUD_INCIDENT_SALT="another secret of a length")
    assert refused.exit_code == 1
    assert f"salt {salt}, now " in refused.output


def test_a_file_of_an_older_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    evaluate(path)
    path.write_bytes(dump_trajectory({**only(path), "format": 2}))
    refused = evaluate(path)
    assert refused.exit_code == 1
    assert ":1 is of format 2; this release reads" in refused.output
    assert "--start-over" in refused.output
    assert evaluate(path, "--start-over").exit_code == 0


def test_the_split_is_that_of_the_scenario(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    asked = ["evaluate", "--agent", "oracle", "--split", "validation", "--count", "1", "--out", str(path)]
    said = CliRunner().invoke(main, asked)
    assert said.exit_code == 0, said.output
    assert {trajectory["conditions"]["split"] for trajectory in read_trajectories(path)} == {"validation"}
    named = next(read_trajectories(path))["scenario_id"]
    assert "1 of 1 episodes are in" in evaluate(path, scenario=named).output
    assert evaluate(path, scenario="GEN1-AC-D1-1").exit_code == 0
    assert {trajectory["conditions"]["split"] for trajectory in read_trajectories(path)} == {"validation", "open"}


@pytest.mark.parametrize(
    ("written", "identified"),
    [
        ("http://127.0.0.1:7860/", "http://127.0.0.1:7860"),
        ("HTTPS://Example.ORG:443/env/", "https://example.org/env"),
        ("https://user:password@example.org/v1?key=secret#part", "https://example.org/v1"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_what_of_an_address_says_which_server_is_meant(written: str, identified: str) -> None:
    assert identify_address(written) == identified


@pytest.mark.parametrize("written", ["localhost:7860", "ftp://example.org", "http://", "http://host:port", ""])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address such as http://127\.0\.0\.1:7860\."):
        identify_address(written)
