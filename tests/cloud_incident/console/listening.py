"""Listening to a run: its frames and how it ended, as a browser's EventSource has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.http_compat.talking import read_answer

if TYPE_CHECKING:
    import httpx2


class Heard(NamedTuple):
    """What a run told: frames by their numbers, its last event, and every byte."""

    frames: dict[int, Any]
    ending: dict[str, Any]
    text: str


def start_run(api: httpx2.Client, agent: str, **selected: Any) -> str:
    """The id of a new run."""
    run_id: str = read_answer(api.post("/console/runs", json={"agent": agent, **selected}))["run_id"]
    return run_id


def listen(api: httpx2.Client, run_id: str, after: int | None = None) -> Heard:
    """A run listened to until its end, or until the server hangs up."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    answer = api.get(f"/console/runs/{run_id}/frames", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    frames: dict[int, Any] = {}
    ending: dict[str, Any] = {}
    for event in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
        if fields.get("event") == "end":
            ending = json.loads(fields["data"])
        elif fields:
            assert not ending, "nothing comes after the end"
            frames[int(fields["id"])] = json.loads(fields["data"])
    return Heard(frames, ending, answer.text)


def watch_run(api: httpx2.Client, agent: str, **selected: Any) -> Heard:
    """A new run from its start to its end."""
    return listen(api, start_run(api, agent, **selected))
