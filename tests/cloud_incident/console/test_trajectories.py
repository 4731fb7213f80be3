"""Trajectories opened: stored ones and uploads, true ones and others."""

from __future__ import annotations

import json
import os
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
import pytest
from pydantic import ValidationError

from cloud_incident.console.evaluations import Evaluations
from cloud_incident.console.refusals import UnreadableFileError, UnreplayableError, UploadsWaitError
from cloud_incident.console.trajectories import MOST_LISTED, MOST_UPLOADED, MOST_WAITING, Trajectories
from cloud_incident.evaluation.running import TRAJECTORY_FORMAT, dump_trajectory, parse_trajectory
from http_compat.jsontext import to_json
from scenarios.errors import CloudIncidentError
from tests.cloud_incident.console.listening import watch_run
from tests.cloud_incident.evaluation.trajectories import hostile, made_up, played, step_taken
from tests.http_compat.talking import read_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

    from cloud_incident.evaluation.running import Trajectory
    from scenarios.catalogue import Catalogue


@pytest.fixture
def novice(episodes: list[Trajectory]) -> Trajectory:
    """An honest novice's episode of remediation_planning."""
    found: Trajectory = json.loads(
        dump_trajectory(next(episode for episode in episodes if episode["key"] == "novice/RP-001/0/0"))
    )
    return found


def upload(api: httpx2.Client, *lines: Trajectory, **query: str) -> Any:
    return read_answer(api.post("/console/uploads", content=b"".join(map(dump_trajectory, lines)), params=query))


def expect_refusal(api: httpx2.Client, content: bytes, status: int = 422) -> str:
    answer = read_answer(api.post("/console/uploads", content=content), status)
    assert set(answer) == {"detail"}
    detail: str = answer["detail"]
    return detail


def test_stored_ones_are_listed(api: httpx2.Client, episodes: list[Trajectory]) -> None:
    answer = read_answer(api.get("/console/trajectories"))
    assert answer == read_answer(api.get("/console/trajectories", params={"run": "first"}))
    assert answer["left_off"] == 0
    assert [entry["key"] for entry in answer["trajectories"]] == [episode["key"] for episode in episodes]
    for entry, episode in zip(answer["trajectories"], episodes, strict=True):
        assert entry["run"] == "first"
        assert (entry["score"], entry["steps"]) == (episode["score"], len(episode["steps"]))
        assert entry["failed"] is None


def test_a_stored_one_is_what_the_same_run_shows(api: httpx2.Client, episodes: list[Trajectory]) -> None:
    for episode in episodes:
        answer = read_answer(api.get(f"/console/trajectories/first/{episode['key']}"))
        assert answer == read_answer(api.get(f"/console/trajectories/first/{quote(episode['key'], safe='')}"))
        assert answer["differences"] == []
        assert answer["trajectory"]["key"] == episode["key"]
        live = list(watch_run(api, episode["agent"], scenario_id=episode["scenario_id"]).frames.values())
        for frame in (*answer["frames"], *live):
            frame["observation"].pop("episode_id")
            frame["info"].pop("seed")
        assert answer["frames"] == live


def test_an_upload_is_shown_as_if_it_were_stored(
    api: httpx2.Client, episodes: list[Trajectory], novice: Trajectory
) -> None:
    stored = read_answer(api.get(f"/console/trajectories/first/{novice['key']}"))
    for content in (
        dump_trajectory(novice),
        dump_trajectory(novice).strip(),
        json.dumps(novice, indent=2).encode(),
        dump_trajectory(novice).replace(b"\n", b"\r\n"),
    ):
        answer = read_answer(api.post("/console/uploads", content=content))
        assert answer.pop("uploaded") == [stored["trajectory"]]
        assert answer == stored
    file = b"\n".join(map(dump_trajectory, episodes))
    answer = read_answer(api.post("/console/uploads", content=file, params={"key": novice["key"]}))
    assert [entry["key"] for entry in answer.pop("uploaded")] == [episode["key"] for episode in episodes]
    assert answer == stored
    assert upload(api, *episodes)["trajectory"]["key"] == episodes[0]["key"]
    assert (
        "no trajectory 'x'"
        in read_answer(api.post("/console/uploads", content=file, params={"key": "x"}), 404)["detail"]
    )


def test_an_upload_is_kept_nowhere(api: httpx2.Client, novice: Trajectory, directory: Path) -> None:
    upload(api, {**novice, "key": "brought/along"})
    assert [file.name for file in directory.iterdir()] == ["first.jsonl"]
    read_answer(api.get("/console/trajectories/first/brought/along"), 404)


def test_what_is_no_trajectory_is_told_by_its_line(api: httpx2.Client, novice: Trajectory) -> None:
    line = dump_trajectory(novice)
    assert "empty" in expect_refusal(api, b" \n\n")
    assert expect_refusal(api, b"{}").startswith("Line 1 is not a trajectory: `format`: Field required")
    assert expect_refusal(api, line + b"\n" + b"nonsense\n").startswith("Line 3 is not a trajectory: ")
    assert "Line 1 " in expect_refusal(api, b"\xff\xfe\x00")
    assert "Line 1 " in expect_refusal(api, b"[" * 100_000)
    assert "Line 2 " in expect_refusal(api, line + line[:100])
    worse = json.dumps({**novice, "steps": [{**novice["steps"][0], "evidence": 5}]}).encode()
    assert expect_refusal(api, worse).startswith("Line 1 is not a trajectory: `steps.0.evidence`: ")
    assert f"is of format 99; this release reads {TRAJECTORY_FORMAT}" in expect_refusal(
        api, json.dumps({**novice, "format": 99}).encode(), 409
    )
    detail = expect_refusal(api, b"x" * (MOST_UPLOADED + 1), 413)
    assert f"{MOST_UPLOADED}" in detail


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("line", [b"{\n", b"[\n", b"\n", b"{}\n"])
async def test_an_upload_of_short_lines_takes_little_memory(catalogue: Catalogue, tmp_path: Path, line: bytes) -> None:
    content = line * (MOST_UPLOADED // 16)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError):
            await Trajectories(catalogue, tmp_path).open_upload(content)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * len(content)


@pytest.mark.anyio
async def test_uploads_that_wait_do_not_fill_the_memory(
    catalogue: Catalogue, tmp_path: Path, episodes: list[Trajectory]
) -> None:
    trajectories, content = Trajectories(catalogue, tmp_path), b"".join(map(dump_trajectory, episodes))
    outcomes: list[int] = []

    async def upload_once() -> None:
        try:
            await trajectories.open_upload(content)
        except UploadsWaitError as error:
            outcomes.append(error.kind.status)
        else:
            outcomes.append(200)

    async with anyio.create_task_group() as tasks:
        for _ in range(3 * MOST_WAITING):
            tasks.start_soon(upload_once)
    assert (outcomes.count(200), outcomes.count(503)) == (1 + MOST_WAITING, 2 * MOST_WAITING - 1)
    await upload_once()
    assert outcomes[-1] == 200


@pytest.mark.parametrize(
    "crowd",
    [
        {"steps": [{}] * 5_000},
        {f"k{number}": 1 for number in range(5_000)},
        {"grade": {"score": 1.0, "breakdown": [{}] * 5_000}},
        {"briefing": {"services": [1] * 5_000}},
    ],
    ids=lambda crowd: next(iter(crowd)),
)
def test_crowds_of_what_is_wrong_are_refused_unread(
    api: httpx2.Client, novice: Trajectory, crowd: dict[str, Any]
) -> None:
    """Two million empty steps, which are 8 MB, took nine minutes and 20 GB."""
    detail = expect_refusal(api, json.dumps({**novice, **crowd}).encode())
    assert detail == "Line 1 is not a trajectory: a list or an object in it has more than 1000 entries."


@pytest.mark.parametrize(
    "crowd",
    [
        {"steps": [{}] * 1_000},
        {"steps": [{**step_taken(), "messages": [1] * 1_000, "refused": [1] * 1_000}]},
        {"grade": {"score": 1.0, "breakdown": [{}] * 1_000}},
        {f"k{number}": 1 for number in range(900)},
    ],
    ids=lambda crowd: next(iter(crowd)),
)
def test_of_what_is_wrong_the_first_is_looked_at(novice: Trajectory, crowd: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`") as refused:
        parse_trajectory(json.dumps({**novice, **crowd}).encode())
    cause = refused.value.__cause__
    assert isinstance(cause, ValidationError)
    assert cause.error_count() <= 1_000


def test_what_it_was_played_on_must_be_the_same(api: httpx2.Client, novice: Trajectory) -> None:
    reference = novice["reference"]
    for changes, words in (
        ({"digest": "0" * 64}, "the content digest was 000"),
        ({"rules": "0"}, "the rules version was 0"),
        ({"scenario_id": "GONE-1"}, "GONE-1 is not in this catalogue"),
        ({"task_id": "root_cause_analysis"}, "the task was root_cause_analysis"),
    ):
        changed: Any = {**novice, "reference": {**reference, **changes}}
        assert words in expect_refusal(api, dump_trajectory(changed), 409)


def test_steps_that_nobody_can_have_taken_are_refused(api: httpx2.Client, novice: Trajectory) -> None:
    for step, words in (
        (step_taken(), "finished episode"),
        (step_taken(action={"action_type": "query_logs"}), "'parameters'"),
        (step_taken(action={"action_type": "reboot", "parameters": {}}), "Unknown action_type"),
        (step_taken(action={"action_type": ["x"], "parameters": 5}), "Unknown action_type"),
    ):
        last = novice["steps"][:-1] if words != "finished episode" else novice["steps"]
        assert words in expect_refusal(api, dump_trajectory({**novice, "steps": [*last, step]}), 409)
    for trajectory in hostile():
        expect_refusal(api, dump_trajectory(trajectory), 409)
    expect_refusal(api, dump_trajectory(made_up(0.5)), 409)


def test_what_it_says_and_its_replay_does_not_is_told(api: httpx2.Client, novice: Trajectory) -> None:
    boast = upload(
        api, {**novice, "score": 1.0, "steps": [{**novice["steps"][0], "reward": 1.0}, *novice["steps"][1:]]}
    )
    assert boast["frames"][-1]["grade"]["score"] == novice["score"]
    said, score = boast["differences"]
    assert said == "step 1: the reward was 1.0 and is 0.03 when replayed"
    assert score.startswith("the score was 1.0000 and is ")


def test_an_episode_that_was_not_ended_tells_nothing_of_the_truth(api: httpx2.Client, novice: Trajectory) -> None:
    cut: Any = {
        **novice,
        "steps": novice["steps"][:2],
        "done": False,
        "score": None,
        "failed": "ModelError: no connection",
    }
    del cut["grade"]
    answer = upload(api, cut)
    assert answer["trajectory"]["failed"] == "ModelError: no connection"
    assert answer["trajectory"]["score"] is None
    assert answer["differences"] == []
    assert len(answer["frames"]) == 3
    assert not any({"grade", "debrief"} & {*frame, *frame["info"]} for frame in answer["frames"])


def test_notes_and_refusals_are_told_with_their_step(api: httpx2.Client, novice: Trajectory) -> None:
    steps: Any = [
        {**novice["steps"][0], "note": "responder decided: HTTP 500", "refused": ["No."]},
        *novice["steps"][1:],
    ]
    frames = upload(api, {**novice, "steps": steps})["frames"]
    assert [frame["note"] for frame in frames[:3]] == ["", "Refused: No. responder decided: HTTP 500", ""]


@pytest.mark.parametrize(
    "path",
    [
        "first/nobody/RP-001/0/0",
        "second/oracle/RP-001/0/0",
        "..%2Ffirst/oracle/RP-001/0/0",
        "%2e%2e/first.jsonl",
        "first/..%2F..%2Fetc%2Fpasswd",
        "first.jsonl/oracle/RP-001/0/0",
        "%2Fetc%2Fpasswd/x",
        "first%00/oracle/RP-001/0/0",
        "FIRST/oracle/RP-001/0/0",
    ],
)
def test_names_lead_nowhere_else(api: httpx2.Client, path: str) -> None:
    answer = read_answer(api.get(f"/console/trajectories/{path}"), 404)
    assert set(answer) == {"detail"}
    assert "root:" not in answer["detail"]


@pytest.mark.anyio
async def test_long_lists_are_cut(catalogue: Catalogue, tmp_path: Path) -> None:
    many = [made_up(0.5, seed=seed) for seed in range(MOST_LISTED + 5)]
    (tmp_path / "many.jsonl").write_bytes(b"".join(map(dump_trajectory, many)))
    listed = await Trajectories(catalogue, tmp_path).list_stored()
    assert (len(listed["trajectories"]), listed["left_off"]) == (MOST_LISTED, 5)


@pytest.mark.anyio
async def test_a_broken_file_does_not_hide_the_others(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_bytes(dump_trajectory(made_up(0.5)))
    (tmp_path / "bad.jsonl").write_bytes(b'{"format": 1}\n')
    older = json.dumps({**made_up(0.5), "format": 99}, separators=(",", ":"))
    (tmp_path / "older.jsonl").write_text(f"{older}\n")
    trajectories = Trajectories(catalogue, tmp_path)
    answer = await trajectories.list_stored()
    assert {entry["run"] for entry in answer["trajectories"]} == {"good"}
    problems = {report["run"]: report["problem"] for report in answer["unreadable"]}
    assert set(problems) == {"bad", "older"}
    assert problems["bad"].startswith("Line 1 is not a trajectory: `key`")
    for name, problem in (("bad", UnreadableFileError), ("older", UnreplayableError)):
        with pytest.raises(problem):
            await trajectories.list_stored(name)


HOSTILE_VALUES = (str(10**30), "1e308", "-1e308", "NaN", "Infinity", "-1", '""', "null", "[]", '"\\ud800"', "[" * 5000)


def list_places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a trajectory, of lists the first one's."""
    yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value[:1] if type(value) is list else ()):
        yield from list_places(inner, (*place, key))


def put(trajectory: Trajectory, place: tuple[Any, ...], text: str) -> bytes:
    """A trajectory as a line, with some JSON at a place of it."""
    changed: Any = json.loads(json.dumps(trajectory))
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = "PUT HERE"
    return json.dumps(changed).replace('"PUT HERE"', text).encode() + b"\n"


@pytest.mark.slow
@pytest.mark.anyio
@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=lambda value: value[:10])
async def test_no_value_in_a_line_breaks_the_lists(
    catalogue: Catalogue, novice: Trajectory, tmp_path: Path, value: str
) -> None:
    (tmp_path / "good.jsonl").write_bytes(dump_trajectory(made_up(0.5)))
    trajectories, evaluations = Trajectories(catalogue, tmp_path), Evaluations(tmp_path)
    for place in list(list_places(novice))[1:]:
        line = put(novice, place, value)
        (tmp_path / "odd.jsonl").write_bytes(line)
        listed = json.loads(to_json(await trajectories.list_stored()))
        assert "good" in {entry["run"] for entry in listed["trajectories"]}
        latest = json.loads(to_json(await evaluations.list_latest()))
        assert "good" in {report["name"] for report in latest["evaluations"] if report["problem"] is None}
        with suppress(CloudIncidentError):
            json.loads(to_json(await trajectories.open_upload(line)))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("seed",), str(10**30)),
        (("usage", "prompt_tokens"), str(10**30)),
        (("total_reward",), "1e308"),
        (("usage", "cost"), "1e308"),
        (("score",), "NaN"),
        (("seconds",), "Infinity"),
        (("played_at",), '"yesterday"'),
        (("briefing",), "[" * 100_000),
    ],
)
@pytest.mark.anyio
async def test_a_line_that_nobody_wrote_is_listed_with_its_reason(
    catalogue: Catalogue, tmp_path: Path, place: tuple[str, ...], value: str
) -> None:
    (tmp_path / "good.jsonl").write_bytes(dump_trajectory(made_up(0.5)))
    (tmp_path / "odd.jsonl").write_bytes(put(made_up(0.5), place, value))
    listed = json.loads(to_json(await Trajectories(catalogue, tmp_path).list_stored()))
    assert [entry["run"] for entry in listed["trajectories"]] == ["good"]
    (problem,) = listed["unreadable"]
    assert problem["run"] == "odd"
    assert problem["problem"].startswith("Line 1 is not a trajectory: ")


def test_a_file_whose_name_is_not_text_is_listed_and_opened(catalogue: Catalogue, tmp_path: Path) -> None:
    (episode,) = played(catalogue, ["oracle"], ["AC-001"])
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/odd-\xff.jsonl")).write_bytes(dump_trajectory(episode))
    os.mkfifo(tmp_path / "pipe.jsonl")
    trajectories = Trajectories(catalogue, tmp_path)
    listed = json.loads(to_json(anyio.run(trajectories.list_stored)))
    assert [entry["run"] for entry in listed["trajectories"]] == ["odd-\ufffd"]
    latest = json.loads(to_json(anyio.run(Evaluations(tmp_path).list_latest)))
    assert [report["name"] for report in latest["evaluations"]] == ["odd-\ufffd"]
    opened = anyio.run(Trajectories(catalogue, tmp_path).open_stored, "odd-\ufffd", episode["key"])
    assert opened["differences"] == []


def test_generated_incidents_are_opened_by_their_seed(catalogue: Catalogue, tmp_path: Path) -> None:
    (episode,) = played(catalogue, ["oracle"], ["GEN1-RP-D3-42"])
    (tmp_path / "generated.jsonl").write_bytes(dump_trajectory(episode))
    answer = anyio.run(Trajectories(catalogue, tmp_path).open_stored, "generated", episode["key"])
    assert answer["frames"][-1]["grade"]["score"] == 1.0
