"""The last evaluations: which are listed, and that their tables and reports are those of `evaluate`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cloud_incident.console import stored
from cloud_incident.console.evaluations import Evaluations
from cloud_incident.console.refusals import UnknownStoredError, UnreadableFileError
from cloud_incident.evaluation.reporting import render_report
from cloud_incident.evaluation.running import dump_trajectory
from cloud_incident.evaluation.statistics import summarise
from tests.cloud_incident.evaluation.trajectories import hostile, made_up
from tests.http_compat.talking import read_answer

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from cloud_incident.evaluation.running import Trajectory

pytestmark = pytest.mark.anyio


def write(directory: Path, name: str, *trajectories: Trajectory, at: int = 1_800_000_000, end: bytes = b"") -> Path:
    file = directory / name
    file.write_bytes(b"".join(map(dump_trajectory, trajectories)) + end)
    os.utime(file, (at, at))
    return file


async def test_the_table_is_the_summary(api: httpx2.Client, episodes: list[Trajectory]) -> None:
    (evaluation,) = read_answer(api.get("/console/evaluations"))["evaluations"]
    summary = summarise(episodes)
    assert (evaluation["name"], evaluation["problem"]) == ("first", None)
    assert (evaluation["episodes"], evaluation["scenarios"]) == (6, 3)
    assert [agent["agent"] for agent in evaluation["agents"]] == ["oracle", "novice"]
    for told_, agent in zip(evaluation["agents"], summary.agents, strict=True):
        assert told_["rank"] == agent.rank
        assert agent.first is not None
        assert told_["first"] == agent.first._asdict()
        assert [task["score"]["mean"] for task in told_["tasks"]] == [task.score.mean for task in agent.tasks]
        assert all(task["score"]["low"] is None for task in told_["tasks"])  # one scenario each
        assert told_["tasks"][0]["title"] == "Alert classification"


async def test_the_page_is_the_report(api: httpx2.Client, episodes: list[Trajectory]) -> None:
    answer = api.get("/console/evaluations/first")
    assert answer.text == render_report(episodes, title="Evaluation first")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", ["second", "..%2Ffirst", "first.jsonl", "%2e%2e", "first%00"])
async def test_others_are_not_there(api: httpx2.Client, name: str) -> None:
    answer = read_answer(api.get(f"/console/evaluations/{name}"), 404)
    assert set(answer) == {"detail"}


async def test_the_newest_come_first(tmp_path: Path) -> None:
    for number in range(25):
        write(tmp_path, f"run-{number:02}.jsonl", made_up(0.5), at=1_800_000_000 + 60 * (number % 24))
    names = [report["name"] for report in (await Evaluations(tmp_path).list_latest())["evaluations"]]
    assert names == [f"run-{number:02}" for number in range(23, 3, -1)]


async def test_only_trajectories_are_listed(tmp_path: Path) -> None:
    write(tmp_path, "run.jsonl", made_up(0.5))
    (tmp_path / "chat.jsonl").write_text('{"messages": []}\n')
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "run.txt").write_bytes(dump_trajectory(made_up(0.5)))
    (tmp_path / "directory.jsonl").mkdir()
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    below = tmp_path / "below"
    below.mkdir()
    write(below, "deep.jsonl", made_up(0.5))
    evaluations = Evaluations(tmp_path)
    assert [report["name"] for report in (await evaluations.list_latest())["evaluations"]] == ["run"]
    for name in ("chat", "below/deep", "deep", "run.txt"):
        with pytest.raises(UnknownStoredError):
            await evaluations.render_page(name)
    assert await Evaluations(tmp_path / "nowhere").list_latest() == {"evaluations": []}


async def test_what_is_written_on_is_read_anew(tmp_path: Path) -> None:
    half = dump_trajectory(made_up(1.0, seed=1))[:-40]
    evaluations = Evaluations(tmp_path)
    write(tmp_path, "run.jsonl", made_up(0.5), end=half)
    (report,) = (await evaluations.list_latest())["evaluations"]
    assert (report["episodes"], report["agents"][0]["score"]["mean"], report["problem"]) == (1, 0.5, None)
    first = await evaluations.render_page("run")
    write(tmp_path, "run.jsonl", made_up(0.5), made_up(1.0, seed=1), at=1_800_000_001)
    (report,) = (await evaluations.list_latest())["evaluations"]
    assert (report["episodes"], report["agents"][0]["score"]["mean"]) == (2, 0.75)
    assert await evaluations.render_page("run") != first


async def test_a_broken_file_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "good.jsonl", made_up(0.5), at=1_800_000_003)
    write(tmp_path, "bad.jsonl", made_up(0.5), end=b'{"format": 1}\n', at=1_800_000_002)
    write(tmp_path, "cut.jsonl", end=dump_trajectory(made_up(0.5))[:-1], at=1_800_000_001)
    write(tmp_path, "large.jsonl", *[made_up(0.5, seed=seed) for seed in range(10)])
    monkeypatch.setattr(stored, "MOST_BYTES", 4_000)
    problems = {
        report["name"]: report["problem"] for report in (await Evaluations(tmp_path).list_latest())["evaluations"]
    }
    assert list(problems) == ["good", "bad", "cut", "large"]
    assert problems["good"] is None
    assert "Line 2 is not a trajectory: `key`" in str(problems["bad"])
    assert "no whole episode yet" in str(problems["cut"])
    assert "at most" in str(problems["large"])
    for name in ("bad", "cut", "large"):
        with pytest.raises(UnreadableFileError):
            await Evaluations(tmp_path).render_page(name)


async def test_whatever_trajectories_say_is_text(tmp_path: Path) -> None:
    write(tmp_path, "hostile.jsonl", *hostile())
    page = (await Evaluations(tmp_path).render_page("hostile")).decode()
    assert "<script" not in page
    assert "<img" not in page
    (report,) = (await Evaluations(tmp_path).list_latest())["evaluations"]
    assert (report["episodes"], len(report["failures"])) == (len(hostile()) - 1, 1)
