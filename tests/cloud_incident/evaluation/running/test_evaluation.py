"""Evaluations: the same on every surface, whole after every kill, honest about what failed."""

from __future__ import annotations

import asyncio
import json
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from cloud_incident.cli import main
from cloud_incident.evaluation.agents import AGENTS
from cloud_incident.evaluation.agents.agent import Agent, Decision, choose
from cloud_incident.evaluation.running.environments import EnvironmentReply, InProcess
from cloud_incident.evaluation.running.evaluation import Evaluation
from cloud_incident.evaluation.running.execution import run_evaluation
from cloud_incident.evaluation.running.remote import SURFACES
from cloud_incident.evaluation.running.replay import find_differences, render_trajectory
from cloud_incident.evaluation.running.run_file import RunFile, RunInUseError
from cloud_incident.evaluation.running.runner import Runner
from cloud_incident.evaluation.running.schedule import list_attempts
from cloud_incident.evaluation.running.trajectory import dump_trajectory, read_results, read_trajectories
from scenarios.catalogue import Catalogue, UnknownScenarioError
from scenarios.vocabulary import TASKS
from tests.servers import full_server
from tests.slow import count_examples, mark_slow_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from cloud_incident.evaluation.agents.agent import Seat
    from cloud_incident.evaluation.running.trajectory import StepTaken, Trajectory
    from env_core.observation import Observation


def run(path: Path, evaluation: Evaluation) -> list[Trajectory]:
    run_evaluation(evaluation, path)
    return sorted(read_trajectories(path), key=lambda trajectory: trajectory["key"])


def seen(step: StepTaken) -> tuple[object, ...]:
    """What every surface tells of a step."""
    return step["action"], step["evidence"], step["reward"], step["feedback"], step["error"]


def without_time(trajectory: Trajectory) -> dict[str, Any]:
    steps = [{**step, "seconds": 0} for step in trajectory["steps"]]
    return {**trajectory, "seconds": 0, "steps": steps, "played_at": "", "conditions": {}}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with full_server() as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("surface", ["rest", "websocket", "mcp"])
def test_the_same_evaluation_on_every_surface(tmp_path: Path, address: str, surface: str) -> None:
    asked = Evaluation(agents=("oracle", "random"), repeats=2)
    here = run(tmp_path / "here.jsonl", asked)
    there = run(tmp_path / "there.jsonl", replace(asked, url=address, surface=surface))
    for mine, theirs in zip(here, there, strict=True):
        assert "failed" not in theirs, theirs.get("failed")
        if surface != "mcp":
            assert without_time(theirs) == without_time(mine)
            continue
        assert [seen(one) for one in theirs["steps"]] == [seen(one) for one in mine["steps"]]
        assert theirs["briefing"]["available_actions"] == mine["briefing"]["available_actions"]
        assert (theirs["score"], theirs["grade"]) == (mine["score"], mine["grade"])
        assert (theirs["done"], theirs["truncated"]) == (mine["done"], mine["truncated"])


def test_trajectories_replay_to_what_they_say_and_to_nothing_else(tmp_path: Path, catalogue: Catalogue) -> None:
    for trajectory in run(tmp_path / "run.jsonl", Evaluation(agents=("oracle", "random"), repeats=2)):
        assert find_differences(trajectory, catalogue) == []
        assert f"{trajectory['score']:.4f}" in next(render_trajectory(trajectory))
        forged: Trajectory = {**trajectory, "score": 0.1234}
        assert "the score was 0.1234 and is" in find_differences(forged, catalogue)[0]
        stale: Trajectory = {**trajectory, "reference": {**trajectory["reference"], "digest": "another"}}
        assert "content digest" in find_differences(stale, catalogue)[0]
        reference: Any = {**trajectory["reference"], "hints": 3}
        foreign: Trajectory = {**trajectory, "reference": reference}
        assert (
            "does not know what the reference of this episode says of hints" in find_differences(foreign, catalogue)[0]
        )
        first = trajectory["steps"][0]
        richer: Trajectory = {**trajectory, "steps": [{**first, "reward": 0.5}, *trajectory["steps"][1:]]}
        assert "step 1: the reward was 0.5" in find_differences(richer, catalogue)[0]


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_has_every_episode_once(tmp_path: Path) -> None:
    kills = count_examples(20, least=6)
    repeats = 6 * kills
    path = tmp_path / "run.jsonl"
    command = [sys.executable, "-m", "cloud_incident", "evaluate", "--agent", "oracle", "--agent", "random"]
    command += ["--repeats", str(repeats), "--out", str(path), "--concurrency", "3"]
    chance = random.Random(7)  # noqa: S311 - when to kill
    cut_short = 0
    for _ in range(kills):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        size = path.stat().st_size if path.exists() else 0
        while process.poll() is None and (not path.exists() or path.stat().st_size == size):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.wait()
        # A write that the kill cut in half, which the next run has to cut off.
        if chance.random() < 0.5:
            with path.open("ab") as file:
                file.write(b'{"format":1,"key":"oracle/RP-0')
            cut_short += 1
    assert cut_short
    killed_at = path.read_bytes().count(b"\n")
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    keys = Counter(trajectory["key"] for trajectory in read_trajectories(path))
    wanted = {attempt.key for attempt in list_attempts(["oracle", "random"], list(SCENARIOS), (0,), repeats)}
    assert set(keys) == wanted
    assert set(keys.values()) == {1}
    assert killed_at > 0


SCENARIOS = ("AC-001", "AC-002", "AC-003", "RCA-001", "RCA-002", "RCA-003", "RP-001", "RP-002", "RP-003")


def test_a_file_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunFile(path), pytest.raises(RunInUseError, match="another evaluation"), RunFile(path):
        pass
    with RunFile(path) as again:
        assert again.done == set()


class Stubborn(Agent):
    """Offers what is no action at all, some times before it offers one."""

    def __init__(self, times: int) -> None:
        self._times = times

    async def decide(self, shown: Observation) -> Decision:  # noqa: ARG002 - whatever is shown
        self._times -= 1
        return choose("guess") if self._times >= 0 else choose("submit_severity", severity="P1")


class Broken(Agent):
    async def decide(self, shown: Observation) -> Decision:  # noqa: ARG002 - whatever is shown
        raise ConnectionError("the model is gone")


def unmakeable(_: Seat) -> Agent:
    raise RuntimeError("cannot be made today")


def test_refusals_are_written_down_and_too_many_are_a_failure(tmp_path: Path) -> None:
    agents: dict[str, Callable[[Seat], Agent]] = {
        "twice": lambda _: Stubborn(2),
        "always": lambda _: Stubborn(99),
        "broken": lambda _: Broken(),
        "unmakeable": unmakeable,
        "oracle": AGENTS["oracle"],
    }
    attempts = list_attempts(list(agents), ["AC-001"])
    runner = Runner(Evaluation(agents=()).catalogue, agents, lambda: InProcess(Evaluation(agents=()).catalogue))
    with RunFile(tmp_path / "run.jsonl") as file:
        asyncio.run(runner.run(attempts, file))
    by_agent = {trajectory["agent"]: trajectory for trajectory in read_trajectories(tmp_path / "run.jsonl")}
    assert [len(one["refused"]) for one in by_agent["twice"]["steps"]] == [2]
    assert "Valid actions" in by_agent["twice"]["steps"][0]["refused"][0]
    assert by_agent["twice"]["score"] == 1.0
    assert "3 actions in a row were refused" in by_agent["always"]["gave_up"]
    assert by_agent["always"]["score"] == 0.0
    assert "failed" not in by_agent["always"]
    assert "the model is gone" in by_agent["broken"]["failed"]
    assert by_agent["broken"]["score"] is None
    assert "cannot be made today" in by_agent["unmakeable"]["failed"]
    assert by_agent["oracle"]["score"] == 1.0


def test_attempts_draw_apart_and_are_the_same_again(tmp_path: Path) -> None:
    asked = Evaluation(agents=("random",), scenarios=("RCA-001",), seeds=(0, 1), repeats=5)
    first = run(tmp_path / "one.jsonl", asked)
    second = run(tmp_path / "two.jsonl", asked)
    assert [without_time(one) for one in first] == [without_time(one) for one in second]
    assert len({json.dumps([step["action"] for step in one["steps"]]) for one in first}) > 5


def test_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    said = CliRunner().invoke(
        main, ["evaluate", "--agent", "oracle", "--task", "root_cause_analysis", "--out", str(path)]
    )
    assert said.exit_code == 0, said.output
    assert {trajectory["scenario_id"] for trajectory in read_trajectories(path)} == {"RCA-001", "RCA-002", "RCA-003"}
    again = CliRunner().invoke(main, ["evaluate", "--agent", "oracle", "--out", str(path)])
    assert "3 of 9 episodes are in" in again.output
    page, chat = tmp_path / "page.html", tmp_path / "chat.jsonl"
    more = ["--report", str(page), "--export", str(chat), "--export-from", "0.9", "--compare", str(path)]
    told_again = CliRunner().invoke(main, ["evaluate", "--agent", "random", "--out", str(path), *more])
    assert told_again.exit_code == 0, told_again.output
    assert "Ranking by first attempts" in told_again.output
    assert "0, tied 9, lost 0" in told_again.output
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert len(chat.read_bytes().splitlines()) == 9
    replayed = CliRunner().invoke(main, ["replay", str(path), "--key", "oracle/RP-001/0/0"])
    assert replayed.exit_code == 0
    assert "1 of 1 replay to the same" in replayed.output
    for arguments, hint in (
        (["evaluate", "--agent", "nobody"], "Agents: "),
        (["evaluate", "--agent", "oracle", "--task", "nothing"], "Tasks: "),
        (["evaluate", "--agent", "oracle", "--scenario", "RP-404"], "Scenarios: "),
        (["replay", str(path), "--key", "nobody"], "has no trajectory called nobody"),
    ):
        refused = CliRunner().invoke(main, [*arguments, *(["--out", str(path)] if arguments[0] == "evaluate" else [])])
        assert refused.exit_code == 1
        assert hint in refused.output
    forged = next(iter(read_trajectories(path)))
    path.write_bytes(dump_trajectory({**forged, "score": 0.5}))
    wrong = CliRunner().invoke(main, ["replay", str(path), "--quiet"])
    assert wrong.exit_code == 1
    assert "0 of 1 replay" in wrong.output
    path.write_text("{}\n")
    assert "is not a trajectory" in CliRunner().invoke(main, ["replay", str(path)]).output


class Flaky(InProcess):
    """Breaks in the middle of as many episodes as it is told, one after another."""

    left = 0

    async def step(self, action: Mapping[str, Any]) -> EnvironmentReply:
        if Flaky.left:
            Flaky.left -= 1
            raise ConnectionError("the server is gone")
        return await super().step(action)


@pytest.mark.parametrize(("times", "whole"), [(2, True), (99, False)])
def test_what_breaks_the_environment_is_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue, times: int, whole: bool
) -> None:
    monkeypatch.setattr("cloud_incident.evaluation.running.runner._WAITS", (0.0, 0.0))
    monkeypatch.setattr(Flaky, "left", times)
    runner = Runner(catalogue, AGENTS, lambda: Flaky(catalogue), 1)
    attempts, path = list_attempts(["oracle"], ["AC-001", "RP-001"]), tmp_path / "run.jsonl"
    with RunFile(path) as file:
        stopped = asyncio.run(runner.run(attempts, file))
        assert file.done == ({attempt.key for attempt in attempts} if whole else set())
        assert file.failed == (set() if whole else {attempt.key for attempt in attempts})
    assert stopped == ""
    found = list(read_trajectories(path))
    assert [one["score"] for one in found] == ([1.0, 1.0] if whole else [None, None])
    told = {one.get("failed") for one in found}
    assert told == {None if whole else "ConnectionError: the server is gone"}


def test_an_environment_that_keeps_failing_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue
) -> None:
    monkeypatch.setattr("cloud_incident.evaluation.running.runner._WAITS", ())
    monkeypatch.setattr(Flaky, "left", 3)
    runner = Runner(catalogue, AGENTS, lambda: Flaky(catalogue), 1)
    attempts, path = list_attempts(["oracle"], list(SCENARIOS)), tmp_path / "run.jsonl"
    with RunFile(path) as file:
        stopped = asyncio.run(runner.run(attempts, file))
        assert stopped == "the environment failed in 3 episodes in a row: ConnectionError: the server is gone"
        assert len(file.failed) == 3
    with RunFile(path) as file:
        assert file.failed == {attempt.key for attempt in attempts[:3]}
        assert asyncio.run(runner.run(attempts, file)) == ""
        assert file.failed == set()
    assert [one["score"] for one in read_results(path)] == [1.0] * 9
    assert len(list(read_trajectories(path))) == 12


def test_what_cannot_be_written_or_set_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MAX_SECONDS", "soon")
    out = ["--out", str(tmp_path / "run.jsonl")]
    for arguments, hint in (
        (["--out", str(tmp_path / "file" / "run.jsonl")], "file"),
        (["--out", str(tmp_path)], "is a directory"),
        (["--out", "/sys/run.jsonl"], "cannot be written"),
        ([*out, "--report", str(tmp_path / "none" / "page.html")], "does not exist"),
        ([*out, "--report", str(tmp_path / "file" / "page.html")], "is a file"),
        ([*out, "--report", str(tmp_path)], "is a directory"),
        ([*out, "--export", "/sys/chat.jsonl"], "cannot be written"),
        ([*out, "--export", str(tmp_path / "run.jsonl")], "name the same file"),
        ([*out, "--report", str(tmp_path / "file"), "--compare", str(tmp_path / "file")], "name the same file"),
        ([*out, "--surface", "mcp"], "give its --url"),
        ([*out, "--agent", "llm"], "MAX_SECONDS takes a number"),
        ([*out, "--url", "localhost:7860"], "is not an address"),
    ):
        refused = CliRunner().invoke(main, ["evaluate", "--scenario", "AC-001", *arguments])
        assert refused.exit_code in {1, 2}
        assert refused.output.splitlines()[-1].startswith("Error: ")
        assert hint in refused.output
        assert "Ranking" not in refused.output
        assert not (tmp_path / "run.jsonl").exists()


def test_every_attempt_is_scheduled_once() -> None:
    assert len(list_attempts(["oracle", "oracle"], ["AC-001", "AC-001"], (0, 0), 2)) == 2


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    for content, *more in (
        ("my only notes",),
        ('{"an": "object"}',),
        ('{"format":1}\nnotes',),
        ("my only notes\n", "--start-over"),
        ("my only notes\n{", "--start-over"),
    ):
        path = tmp_path / "other"
        path.write_text(content)
        refused = CliRunner().invoke(main, ["evaluate", "--scenario", "AC-001", "--out", str(path), *more])
        assert refused.exit_code == 1
        assert "no file of trajectories" in refused.output
        assert path.read_text() == content


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    (one,) = run(path, Evaluation(agents=("oracle",), scenarios=("AC-001",)))
    path.write_bytes(dump_trajectory({**one, "format": 99}))
    assert "is of format 99" in CliRunner().invoke(main, ["replay", str(path)]).output


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first, second = run(tmp_path / "whole.jsonl", Evaluation(agents=("oracle",), scenarios=("AC-001", "RP-001")))
    with RunFile(path) as file:
        file.append(first)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                file.append(second)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == dump_trajectory(first)


def test_forgeries_that_earlier_passed(tmp_path: Path, catalogue: Catalogue) -> None:
    (one,) = run(tmp_path / "run.jsonl", Evaluation(agents=("oracle",), scenarios=("RCA-001",)))
    cut: Trajectory = {**one, "steps": one["steps"][:-1], "done": False}
    forgeries: list[tuple[Trajectory, str]] = [
        ({**one, "failed": "so it says"}, "the score"),
        ({**one, "truncated": True}, "run out of steps"),
        ({**one, "task_id": "alert_classification"}, "the task_id"),
        ({**cut, "score": 0.0}, "breakdown"),
        ({**one, "steps": [*one["steps"], one["steps"][-1]]}, "finished"),
        ({**one, "steps": [{**one["steps"][0], "action": {}}]}, "action_type"),
    ]
    for forged, hint in forgeries:
        assert any(hint in difference for difference in find_differences(forged, catalogue)), hint


class Foreign(Agent):
    async def decide(self, shown: Observation) -> Decision:  # noqa: ARG002 - whatever is shown
        return choose("submit_severity", severity="P1")


@pytest.mark.parametrize("surface", ["", "rest", "websocket", "mcp"])
def test_who_offers_another_task_s_submission_alone_gives_up(
    tmp_path: Path, address: str, catalogue: Catalogue, surface: str
) -> None:
    make = partial(SURFACES[surface], address) if surface else partial(InProcess, catalogue)
    runner = Runner(catalogue, {"foreign": lambda _: Foreign()}, make)
    with RunFile(tmp_path / "run.jsonl") as file:
        asyncio.run(runner.run(list_attempts(["foreign"], ["RCA-001"]), file))
    (one,) = read_trajectories(tmp_path / "run.jsonl")
    assert one["gave_up"].startswith("3 actions in a row were refused, the last: ")
    assert (one["score"], one["steps"]) == (0.0, [])
    assert find_differences(one, catalogue) == []


def test_scores_of_an_incident_that_has_changed_since_are_not_taken_for_new_ones(tmp_path: Path) -> None:
    path, asked = tmp_path / "run.jsonl", Evaluation(agents=("oracle",), scenarios=("AC-001",))
    (one,) = run(path, asked)
    path.write_bytes(dump_trajectory({**one, "reference": {**one["reference"], "digest": "another"}}))
    with pytest.raises(ValueError, match="AC-001 has changed since oracle/AC-001/0/0 was played"):
        run(path, asked)


def test_many_attempts_at_one_generated_incident_do_not_hide_a_change_of_another(tmp_path: Path) -> None:
    scenarios = ("GEN1-AC-D1-1", "GEN1-AC-D1-2")
    path, asked = tmp_path / "run.jsonl", Evaluation(agents=("oracle",), scenarios=scenarios, seeds=range(25))
    *others, last = run(path, asked)
    last = {**last, "reference": {**last["reference"], "digest": "another"}}
    path.write_bytes(b"".join(map(dump_trajectory, [*others, last])))
    with pytest.raises(ValueError, match="GEN1-AC-D1-2 has changed since oracle/GEN1-AC-D1-2/"):
        run(path, asked)


def test_a_model_without_a_key_is_refused_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODEL_NAME", "some/model")
    path = tmp_path / "run.jsonl"
    refused = CliRunner().invoke(main, ["evaluate", "--agent", "llm", "--out", str(path)])
    assert refused.exit_code == 1
    assert "no API key is set" in refused.output
    assert not path.exists()
    asked = ["evaluate", "--agent", "llm-or-responder", "--scenario", "AC-001", "--out", str(path)]
    assert CliRunner().invoke(main, asked).exit_code == 0
    (played,) = read_trajectories(path)
    assert played["agent"] == "llm-or-responder:some/model"
    assert "no API key is set" in played["steps"][0]["note"]


def test_a_task_and_a_scenario_of_another_contradict(tmp_path: Path) -> None:
    asked = ["evaluate", "--agent", "oracle", "--task", "alert_classification", "--scenario", "RP-001"]
    refused = CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "run.jsonl")])
    assert refused.exit_code == 1
    assert "belongs to none of" in refused.output


@pytest.mark.slow
@pytest.mark.parametrize("surface", mark_slow_after(2, ["", "mcp", "rest", "websocket"]))
def test_generated_incidents_are_played_and_replay(
    tmp_path: Path, address: str, catalogue: Catalogue, surface: str
) -> None:
    everywhere = Evaluation(agents=("oracle", "responder"), split="validation", start=7, count=2, difficulties=(1, 5))
    asked = replace(everywhere, url=address, surface=surface) if surface else everywhere
    played = run(tmp_path / "run.jsonl", asked)
    assert len(played) == 2 * 3 * 2 * 2
    assert {one["scenario_id"] for one in played} == {
        catalogue.entry_in("validation", task_id, index, difficulty).id
        for task_id in TASKS
        for index in (7, 8)
        for difficulty in (1, 5)
    }
    for one in played:
        assert "failed" not in one, one.get("failed")
        assert one["agent"] != "oracle" or one["score"] == 1.0
        if surface != "mcp":
            assert find_differences(one, Catalogue()) == []


def test_what_is_played_of_a_split() -> None:
    asked = Evaluation(agents=("oracle",), split="train", tasks=("root_cause_analysis",))
    assert len(asked.list_attempts()) == 100
    assert len(replace(asked, split="curated", tasks=()).list_attempts()) == 9
    assert [one.scenario_id for one in replace(asked, split="curated", start=1, count=2).list_attempts()] == [
        "RCA-002",
        "RCA-003",
    ]
    for wrong, hint in (
        (replace(asked, split="curated", start=2, count=2), "there is no index 3"),
        (replace(asked, split="curated", start=3), "there is no index 3"),
        (replace(asked, split="curated", difficulties=(1,)), "no difficulty"),
        (replace(asked, split="private"), "Splits: curated, train"),
        (replace(asked, scenarios=("RP-001",)), "leave one of the two out"),
        (replace(asked, split="", count=3), "give split as well"),
    ):
        with pytest.raises(UnknownScenarioError, match=hint):
            wrong.list_attempts()


def test_the_salt_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    salt, path = tmp_path / "salt", tmp_path / "run.jsonl"
    salt.write_text("a secret of some length\n")
    salted = ["--salt-file", str(salt)]
    asked = ["evaluate", "--agent", "oracle", "--split", "private", "--count", "1", "--out", str(path)]
    said = CliRunner().invoke(main, [*asked, *salted])
    assert said.exit_code == 0, said.output
    assert {one["scenario_id"][:4] for one in read_trajectories(path)} == {"GX1-"}
    again = CliRunner().invoke(main, [*asked, *salted])
    assert "3 of 3 episodes are in" in again.output
    assert "3 of 3 replay" in CliRunner().invoke(main, ["replay", str(path), "--quiet", *salted]).output
    monkeypatch.setenv("CLOUD_INCIDENT_SALT", "a secret of some length")
    assert "3 of 3 replay" in CliRunner().invoke(main, ["replay", str(path), "--quiet"]).output
    monkeypatch.setenv("CLOUD_INCIDENT_SALT", "another secret of a length")
    wrong = CliRunner().invoke(main, ["replay", str(path), "--quiet"])
    assert wrong.exit_code == 1
    assert "known only where the salt that made them is set" in wrong.output
    salt.write_text("hunter2")
    refused = CliRunner().invoke(main, [*asked, *salted])
    assert refused.exit_code == 2
    assert "needs 16 or more" in refused.output
    assert "hunter2" not in refused.output
