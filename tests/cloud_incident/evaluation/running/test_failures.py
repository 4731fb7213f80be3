"""What was not measured is no score: it is told, in no mean, and played again. Bad play is a score."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from cloud_incident.console.evaluations import Evaluations
from cloud_incident.evaluation.agents.oracle import Oracle
from cloud_incident.evaluation.running import RunFile, Runner, dump_trajectory, list_attempts, read_results
from cloud_incident.evaluation.running.remote import SURFACES
from cloud_incident.evaluation.running.trajectory import read_score, read_trajectories
from cloud_incident.evaluation.statistics import compare_runs, summarise
from tests.cloud_incident.evaluation.scripted_model import serving
from tests.cloud_incident.evaluation.trajectories import failed, made_up
from tests.servers import started

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from cloud_incident.evaluation.agents import Decision, Seat
    from cloud_incident.evaluation.running import Trajectory
    from env_core.observation import Observation
    from scenarios.catalogue import Catalogue
    from tests.cloud_incident.evaluation.scripted_model import ScriptedModel

INCOMPLETE = 3


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with serving() as model:
        yield model


def evaluate(path: Path, model: ScriptedModel, name: str, *arguments: str, **variables: str) -> Result:
    known = {"API_BASE_URL": model.address, "MODEL_NAME": name, "API_KEY": "a-key", "RETRY_SECONDS": "0.001"}
    asked = ["evaluate", "--agent", "llm", "--out", str(path), "--concurrency", "1", *arguments]
    return CliRunner().invoke(main, asked, env={**known, **variables})


FAILED = {
    "500": "HTTP 500 (Internal error) after 4 attempts",
    "400": "HTTP 400 (context length exceeded)",
    "not-json": "an answer that is not JSON after 4 attempts",
    "page": "an answer that is not JSON after 4 attempts",
    "no-choices": "an answer without choices after 4 attempts",
    "dropped": "the connection broke",
    "slow": "no answer",
    "401": "HTTP 401 (Incorrect API key provided",
    "429-quota": "HTTP 429 (You exceeded your quota)",
}


@pytest.mark.parametrize("name", FAILED)
def test_a_model_that_does_not_answer_has_no_score(tmp_path: Path, model: ScriptedModel, name: str) -> None:
    path = tmp_path / "run.jsonl"
    said = evaluate(path, model, f"{name}:{tmp_path.name}", "--scenario", "AC-001", REQUEST_SECONDS="0.5")
    assert said.exit_code == INCOMPLETE, said.output
    (trajectory,) = read_trajectories(path)
    assert trajectory["score"] is None
    assert FAILED[name] in trajectory["failed"]
    assert "0 episodes measured, 1 failed. There is no score to report." in said.output
    assert f"llm:{name}" in said.output
    assert FAILED[name] in " ".join(said.output.split())
    assert "1 episodes failed and are in no mean" in said.stderr
    assert "0.000" not in said.output


@pytest.mark.parametrize("name", ["mumbling", "unknown-tool", "missing-argument", "broken-arguments"])
def test_a_model_that_plays_badly_has_one(tmp_path: Path, model: ScriptedModel, name: str) -> None:
    path = tmp_path / "run.jsonl"
    said = evaluate(path, model, f"{name}:bad", "--scenario", "AC-001")
    assert said.exit_code == 0, said.output
    (trajectory,) = read_trajectories(path)
    assert trajectory["score"] == 0.0
    assert trajectory["gave_up"].startswith("no valid action in 3 replies: ")
    assert trajectory["usage"]["prompt_tokens"] > 0
    assert "failed" not in trajectory
    assert "1 episode measured, 0 failed" in said.output
    assert "1 of 1 episodes are in" in evaluate(path, model, f"{name}:bad", "--scenario", "AC-001").output
    replayed = CliRunner().invoke(main, ["replay", str(path)])
    assert replayed.exit_code == 0, replayed.output
    assert "the agent gave up: no valid action in 3 replies" in replayed.output


def test_what_failed_is_played_again_by_the_same_command(tmp_path: Path, model: ScriptedModel) -> None:
    path, page, chat = tmp_path / "run.jsonl", tmp_path / "page.html", tmp_path / "chat.jsonl"
    asked = ("--scenario", "AC-001", "--scenario", "AC-002", "--report", str(page), "--export", str(chat))
    # The third request, which is the submission of the first episode, and its three repetitions are not answered.
    first = evaluate(path, model, "500*4:again", *asked)
    assert first.exit_code == INCOMPLETE, first.output
    assert "1 episode measured, 1 failed" in first.output
    assert "1 episode failed, without a score and in no mean" in first.output
    assert "llm:500*4:again/AC-001/0/0: ModelError: HTTP 500" in first.output
    assert "1 failed and is not among them" in first.output
    assert "Failed: ModelError: HTTP 500" in page.read_text("utf-8")
    assert len(chat.read_bytes().splitlines()) == 1
    assert summarise(read_results(path)).agents[0].score.mean == 1.0
    second = evaluate(path, model, "500*4:again", *asked)
    assert second.exit_code == 0, second.output
    assert "1 of 2 episodes are in" in second.output
    assert "1 failed before and is played again." in second.output
    assert "2 episodes measured, 0 failed" in second.output
    assert "failed and" not in second.output
    assert [trajectory["score"] for trajectory in read_trajectories(path)] == [None, 1.0, 1.0]
    assert [read_score(result) for result in read_results(path)] == [1.0, 1.0]
    assert len(chat.read_bytes().splitlines()) == 2
    replayed = CliRunner().invoke(main, ["replay", str(path), "--quiet"])
    assert replayed.exit_code == 0
    assert "3 of 3 replay to the same evidence, rewards and score. 1 of them failed" in replayed.output


def test_a_model_that_is_gone_stops_the_run(tmp_path: Path, model: ScriptedModel) -> None:
    path = tmp_path / "run.jsonl"
    said = evaluate(path, model, "500:gone")
    assert said.exit_code == INCOMPLETE, said.output
    found = list(read_trajectories(path))
    assert len(found) == 3
    assert all(trajectory["score"] is None for trajectory in found)
    assert "The run was stopped: The model cannot be asked: HTTP 500 (Internal error) after 4 attempts." in said.stderr
    assert "3 episodes failed and are in no mean. 6 were not played. The same command tries them again." in said.stderr


def test_where_another_decides_the_model_s_failure_is_none_of_the_episode(tmp_path: Path, model: ScriptedModel) -> None:
    path = tmp_path / "run.jsonl"
    said = evaluate(path, model, "500:other", "--agent", "llm-or-responder", "--scenario", "AC-001")
    by_agent = {trajectory["agent"].partition(":")[0]: trajectory for trajectory in read_trajectories(path)}
    assert said.exit_code == INCOMPLETE
    assert by_agent["llm"]["score"] is None
    assert by_agent["llm-or-responder"]["score"] == 1.0
    assert "responder decided: " in by_agent["llm-or-responder"]["steps"][0]["note"]
    assert "request_seconds" in by_agent["llm-or-responder"]["conditions"]["parameters"]


class Killer(Oracle):
    """Ends the server in the middle of its second episode, and plays perfectly otherwise."""

    process: subprocess.Popen[bytes]
    episodes = 0

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        Killer.episodes += 1

    async def decide(self, shown: Observation) -> Decision:
        if Killer.episodes == 2 and shown["step_count"] == 1:
            self.process.kill()
            self.process.wait()
        return await super().decide(shown)


@pytest.mark.slow
@pytest.mark.parametrize("surface", ["rest", "websocket", "mcp"])
def test_a_server_that_dies_during_a_run_is_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue, surface: str
) -> None:
    monkeypatch.setattr("cloud_incident.evaluation.running.runner._WAITS", (0.01,))
    monkeypatch.setattr(Killer, "episodes", 0)
    path, attempts = tmp_path / "run.jsonl", list_attempts(["killer"], list(catalogue.scenarios))
    agents: dict[str, Any] = {"killer": Killer}
    with started("serve") as (address, process), RunFile(path) as file:
        Killer.process = process
        runner = Runner(catalogue, agents, lambda: SURFACES[surface](address), 1)
        stopped = asyncio.run(asyncio.wait_for(runner.run(attempts, file), 60))
        assert stopped.startswith("the environment failed in 3 episodes in a row: ")
        assert (len(file.done), len(file.failed)) == (1, 3)
    assert [trajectory["score"] for trajectory in read_trajectories(path)] == [1.0, None, None, None]
    summary = summarise(read_results(path))
    assert summary.agents[0].score.mean == 1.0
    assert len(summary.failures) == 3


RUN = [made_up(0.5, scenario_id="A"), made_up(1.0, scenario_id="B"), failed(scenario_id="C"), failed(scenario_id="D")]


def test_a_failed_episode_is_in_no_mean() -> None:
    with_failed, without = summarise(RUN), summarise(RUN[:2])
    (agent,), (alone,) = with_failed.agents, without.agents
    assert agent.score == alone.score
    assert agent.first == alone.first
    assert agent.passes == alone.passes
    assert agent.costs == alone.costs
    assert agent.losses == alone.losses
    assert (agent.episodes, agent.failed, agent.tasks[0].failed) == (2, 2, 2)
    assert with_failed.scenarios == without.scenarios
    assert [failure.key for failure in with_failed.failures] == ["agent/C/0/0", "agent/D/0/0"]


def test_a_failed_episode_is_in_no_pair() -> None:
    after = [failed(scenario_id="A"), made_up(1.0, scenario_id="B"), made_up(1.0, scenario_id="C")]
    (compared,) = compare_runs(RUN, after).comparisons
    assert (compared.pairs, compared.ties) == (1, 1)
    assert compared.difference.mean == 0.0
    assert compared.failed_first == ("C seed 0 repeat 0", "D seed 0 repeat 0")
    assert compared.failed_second == ("A seed 0 repeat 0",)
    assert compared.only_first == compared.only_second == ()


def test_an_agent_of_which_nothing_was_measured_is_compared_with_nobody() -> None:
    before = [*RUN, made_up(0.5, agent="other")]
    after = [failed(scenario_id="A"), made_up(1.0, agent="other")]
    found = compare_runs(before, after)
    assert found.unmeasured == ("agent",)
    assert [comparison.difference.mean for comparison in found.comparisons] == [0.5]
    with pytest.raises(ValueError, match="that both measured"):
        compare_runs(RUN, after[:1])


def test_runs_of_other_conditions_are_told_apart() -> None:
    later: Trajectory = made_up(1.0, scenario_id="B")
    later["conditions"] = {**later["conditions"], "version": "0.2.0", "surface": "rest", "address": "http://h:1"}
    (compared,) = compare_runs(RUN, [later]).comparisons
    assert compared.conditions == (
        "version: 0.1.0 against 0.2.0",
        "surface: in process against rest at http://h:1, version ",
    )


@pytest.mark.anyio
async def test_the_console_tells_what_failed(tmp_path: Path) -> None:
    (tmp_path / "mixed.jsonl").write_bytes(b"".join(map(dump_trajectory, RUN)))
    (tmp_path / "none.jsonl").write_bytes(dump_trajectory(RUN[-1]))
    again = [failed(scenario_id="A"), failed("ModelError: HTTP 503", scenario_id="A"), made_up(1.0, scenario_id="A")]
    (tmp_path / "again.jsonl").write_bytes(b"".join(map(dump_trajectory, again)))
    evaluations = Evaluations(tmp_path)
    found = {report["name"]: report for report in (await evaluations.list_latest())["evaluations"]}
    mixed = found["mixed"]
    assert (mixed["episodes"], len(mixed["failures"]), mixed["agents"][0]["failed"]) == (2, 2, 2)
    assert mixed["agents"][0]["score"]["mean"] == 0.75
    assert mixed["origin"]["version"] == ["0.1.0"]
    assert mixed["origin"]["measured"] == ["2026-07-01 12:00 UTC"]
    assert mixed["failures"][0] == {"key": "agent/C/0/0", "agent": "agent", "reason": "ModelError: HTTP 500"}
    assert (found["none"]["episodes"], found["none"]["agents"], len(found["none"]["failures"])) == (0, [], 1)
    assert (found["again"]["episodes"], found["again"]["failures"]) == (1, [])
    assert "No episode was measured" in (await evaluations.render_page("none")).decode()
    assert "2 episodes could not be measured" in (await evaluations.render_page("mixed")).decode()


def test_a_line_that_was_cut_off_is_left_out_wherever_a_file_is_read(tmp_path: Path) -> None:
    path, earlier = tmp_path / "run.jsonl", tmp_path / "earlier.jsonl"
    asked = ["evaluate", "--agent", "oracle", "--scenario", "AC-001", "--out", str(path)]
    assert CliRunner().invoke(main, asked).exit_code == 0
    line = path.read_bytes()
    earlier.write_bytes(line + line[: len(line) // 2])
    said = CliRunner().invoke(main, [*asked, "--compare", str(earlier)])
    assert said.exit_code == 0, said.output
    assert "1 pair: the second won 0, tied 1" in said.output
    assert "1 of 1 replay" in CliRunner().invoke(main, ["replay", str(earlier), "--quiet"]).output
    assert earlier.read_bytes() == line + line[: len(line) // 2]
    path.write_bytes(line + line[: len(line) // 2] + b"\n" + line)
    refused = CliRunner().invoke(main, asked)
    assert refused.exit_code == 1
    assert f"{path}:2 is not a trajectory" in refused.output
    assert "If the line is broken, remove it" in refused.output
    path.write_bytes(line + line)
    doubled = CliRunner().invoke(main, asked)
    assert doubled.exit_code == 1
    assert "There are two results of oracle/AC-001/0/0" in doubled.output


def test_what_cannot_be_compared_with_is_told_before_the_run(tmp_path: Path) -> None:
    path, notes, page = tmp_path / "run.jsonl", tmp_path / "notes.txt", tmp_path / "page.html"
    asked = ["evaluate", "--agent", "oracle", "--scenario", "AC-001", "--out", str(path), "--report", str(page)]
    notes.write_text("my only notes\n")
    refused = CliRunner().invoke(main, [*asked, "--compare", str(notes)])
    assert refused.exit_code == 1
    assert f"{notes}:1 is not a trajectory" in refused.output
    assert not path.exists()
    notes.write_bytes(dump_trajectory(failed(scenario_id="AC-001", agent="oracle")))
    late = CliRunner().invoke(main, [*asked, "--compare", str(notes)])
    assert late.exit_code == 1
    assert "that both measured" in late.output
    assert page.exists()


def test_a_score_and_a_failure_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    for forged in ({**made_up(0.0), "failed": "so it says"}, {**made_up(0.0), "score": None}):
        path.write_text(f"{json.dumps(forged)}\n")
        refused = CliRunner().invoke(main, ["replay", str(path)])
        assert refused.exit_code == 1
        assert "an episode has no score where it failed, and one where it did not" in refused.output


@pytest.mark.slow
def test_the_agents_of_a_run_are_made_anew(tmp_path: Path, model: ScriptedModel) -> None:
    """A model that was given up in one run is asked in the next, and the first run's connections are closed."""
    name = "500*12:anew"
    assert evaluate(tmp_path / "run.jsonl", model, name).exit_code == INCOMPLETE
    said = evaluate(tmp_path / "run.jsonl", model, name)
    assert said.exit_code == 0, said.output
    assert [read_score(result) for result in read_results(tmp_path / "run.jsonl")] == [1.0] * 9
