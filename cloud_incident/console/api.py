"""The console's operations over REST: watch agents, open trajectories, read evaluations.

The page uses them, and other clients may.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal, NotRequired

from pydantic import Field, TypeAdapter
from starlette.responses import Response, StreamingResponse
from typing_extensions import TypedDict

from cloud_incident.console.evaluations import Evaluations, EvaluationsAnswer
from cloud_incident.console.refusals import RunsElsewhereError
from cloud_incident.console.roster import AgentsAnswer, EndpointGiven, Roster
from cloud_incident.console.runs import RunLimits, Runs
from cloud_incident.console.trajectories import MOST_UPLOADED, OpenedAnswer, Trajectories, TrajectoriesAnswer
from cloud_incident.evaluation.agents import PUBLIC, Reach
from cloud_incident.evaluation.reporting import POLICY
from cloud_incident.evaluation.running import Trajectory
from env_core.callers import ADMIN, OPERATE, check_need
from env_core.selection import Difficulty, Index, OptionalName, OptionalTask, Seed, Selection
from http_compat.jsontext import to_json
from http_compat.operations import BoundOperation, Operation, bind_operations
from http_compat.problems import Json
from http_compat.reading import parse_model, parse_query, read_body, read_json
from scenarios.given import Given
from scenarios.vocabulary import NAME_LIMIT, ROOT_CAUSE_ANALYSIS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from starlette.requests import Request

    from cloud_incident.console.runs import Run
    from env_core.service import EpisodeService


class RunRequest(Given):
    """The agent to watch, and the scenario, which is selected as in a reset."""

    agent: str = Field(max_length=NAME_LIMIT, description="Agent, as GET /console/agents lists them.")
    task_id: OptionalTask = Field(default=None, description="Task of the scenario.")
    scenario_id: OptionalName = Field(default="", description="Scenario by its name, such as RP-001.")
    scenario_index: Index | None = Field(default=None, description="Its index in the task, from 0.")
    split: OptionalName = Field(default="", description="Split to take it from, by index or seed.")
    index: Index | None = Field(default=None, description="Its index in the split, from 0.")
    seed: Seed | None = Field(default=None, description="Generates an incident, or draws from the split.")
    difficulty: Difficulty | None = Field(default=None, description="Of a generated incident.")
    endpoint: EndpointGiven | None = Field(default=None, description="The model that an agent asks which needs one.")

    @property
    def selection(self) -> Selection:
        """The scenario that is asked for."""
        return Selection(**self.model_dump(exclude={"agent", "endpoint"}))


class RunAnswer(TypedDict):
    """A run that has been started; its frames are at /console/runs/{run_id}/frames."""

    run_id: str
    scenario_id: str
    task_id: str


class RunEvent(TypedDict):
    """An event of a run: a frame with its number as `id`, or with `end` how the run ended."""

    id: NotRequired[str]
    event: NotRequired[Literal["message", "end"]]
    data: Annotated[
        str,
        Field(
            description="JSON: a frame as `/frames` has it, or how the run ended: `frames`, `score` and `failed`.",
            json_schema_extra={"contentMediaType": "application/json"},
        ),
    ]


class EvaluationQuery(Given):
    """Which evaluation is meant."""

    run: str = Field(default="", max_length=255, description="Name of an evaluation; all of them if not given.")


class UploadQuery(Given):
    """Which trajectory of an upload is meant."""

    key: str = Field(default="", max_length=1_000, description="Key of the trajectory; the first if not given.")


@dataclass(frozen=True)
class ConsoleApi:
    """What the page asks for beside the episodes.

    `evaluations_in` is the directory of stored evaluations. With `endpoints` visitors may have this server ask models
    at addresses that they name, as far as its `reach` goes. `framed_by` are other sites that may show the pages in a
    frame. Unless it is `alone` another process may get the request that wants to see a run, so that none is started.
    """

    service: EpisodeService
    evaluations_in: Path
    endpoints: bool = False
    reach: Reach = PUBLIC
    framed_by: Sequence[str] = ()
    limits: RunLimits | None = None
    alone: bool = True

    @cached_property
    def roster(self) -> Roster:
        return Roster(self.endpoints, self.reach)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.service, self.limits)

    @cached_property
    def trajectories(self) -> Trajectories:
        return Trajectories(self.service.catalogue, self.evaluations_in)

    @cached_property
    def evaluations(self) -> Evaluations:
        return Evaluations(self.evaluations_in)

    def bind_operations(self) -> list[BoundOperation]:
        """The operations and what answers them."""
        return bind_operations(self, OPERATIONS)

    async def close(self) -> None:
        """Stop every run."""
        await self.runs.close()

    async def answer_agents(self, _: Request) -> Response:
        return Json.encode(self.roster.list_agents())

    async def answer_start_run(self, request: Request) -> Response:
        if not self.alone:
            raise RunsElsewhereError(
                "A run is played and watched in one process, and here any process answers the next request. Start a "
                "server with one worker to watch agents; the episodes of every door are in GET /frames."
            )
        asked = parse_model("runs", RunRequest, await read_json(request))
        if asked.endpoint is not None:
            check_need(ADMIN, self.service.caller)  # the server calls the address that is given
        run = await self.runs.start(self.roster.find_player(asked.agent, asked.endpoint), asked.selection)
        return Json.encode({"run_id": run.id, "scenario_id": run.scenario_id, "task_id": run.task_id})

    async def answer_run_frames(self, request: Request) -> Response:
        run = self.runs.find(request.path_params["run_id"])
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isdecimal() and len(last) <= _LONGEST_NUMBER else -1
        return StreamingResponse(_stream_events(run, after), media_type=EVENTS, headers=_UNBUFFERED)

    async def answer_trajectories(self, request: Request) -> Response:
        evaluation = parse_query("trajectories", EvaluationQuery, request).run
        return Json.encode(await self.trajectories.list_stored(evaluation))

    async def answer_trajectory(self, request: Request) -> Response:
        evaluation, key = request.path_params["run"], request.path_params["key"]
        return Json.encode(await self.trajectories.open_stored(evaluation, key))

    async def answer_open_trajectory(self, request: Request) -> Response:
        key = parse_query("trajectories", UploadQuery, request).key
        return Json.encode(await self.trajectories.open_upload(await read_body(request, MOST_UPLOADED), key))

    async def answer_evaluations(self, _: Request) -> Response:
        return Json.encode(await self.evaluations.list_latest())

    async def answer_evaluation(self, request: Request) -> Response:
        page = await self.evaluations.render_page(request.path_params["name"])
        return Response(page, media_type="text/html", headers=self._page_headers)

    @cached_property
    def _page_headers(self) -> dict[str, str]:
        ancestors = " ".join(["'self'", *self.framed_by])
        return {
            "Content-Security-Policy": f"{POLICY}; frame-ancestors {ancestors}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }


EVENTS = "text/event-stream"
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_LONGEST_NUMBER = 9
"""Digits of a frame's number at most; a longer number is ignored."""
_PULSE = b": playing\n\n"
"""A comment, which clients ignore."""


async def _stream_events(run: Run, after: int) -> AsyncIterator[bytes]:
    """The frames after a number as server-sent events, and how the run ended as the last one."""
    async for frame in run.stream_frames(after):
        yield _PULSE if frame is None else b"id: %d\ndata: %b\n\n" % frame
    yield b"event: end\ndata: %b\n\n" % to_json(run.ending)


_TAG = "Console"

OPERATIONS = (
    Operation(
        method="GET",
        path="/console/agents",
        name="agents",
        needs=OPERATE,
        tag=_TAG,
        summary="The agents that can be watched",
        answer=TypeAdapter(AgentsAnswer),
    ),
    Operation(
        method="POST",
        path="/console/runs",
        name="start_run",
        needs=OPERATE,
        tag=_TAG,
        summary="Have an agent play an episode of its own",
        description="A run that nobody watches is stopped after half a minute.",
        body=TypeAdapter(RunRequest),
        body_required=True,
        examples={
            "on a scenario": {"agent": "responder", "scenario_id": "RP-001"},
            "on a generated incident": {
                "agent": "responder",
                "task_id": ROOT_CAUSE_ANALYSIS.id,
                "seed": 42,
                "difficulty": 2,
            },
            "a model": {
                "agent": "llm",
                "scenario_id": "RCA-001",
                "endpoint": {"base_url": "http://127.0.0.1:8000/v1", "model": "local", "api_key": ""},
            },
        },
        answer=TypeAdapter(RunAnswer),
        refusals=(404, 409, 413, 422, 501, 503),
    ),
    Operation(
        method="GET",
        path="/console/runs/{run_id}/frames",
        name="run_frames",
        needs=OPERATE,
        tag=_TAG,
        summary="The frames of a run as they are played",
        description="Server-sent events: a frame each, with its number as `id`; `Last-Event-ID` resumes behind one. "
        "The last event is called `end` and says with which score the run ended, or why without one.",
        answer=TypeAdapter(RunEvent),
        media=EVENTS,
        refusals=(404,),
    ),
    Operation(
        method="GET",
        path="/console/trajectories",
        name="trajectories",
        needs=ADMIN,
        tag=_TAG,
        summary="The stored trajectories",
        query=EvaluationQuery,
        answer=TypeAdapter(TrajectoriesAnswer),
        refusals=(404, 422),
    ),
    Operation(
        method="POST",
        path="/console/uploads",
        name="open_trajectory",
        needs=OPERATE,
        tag=_TAG,
        summary="An uploaded trajectory, frame by frame",
        description=f"A trajectory, or a file of them as JSON lines, of {MOST_UPLOADED >> 20} MB. Nothing is kept.",
        query=UploadQuery,
        body=TypeAdapter(Trajectory),
        body_required=True,
        answer=TypeAdapter(OpenedAnswer),
        refusals=(404, 409, 413, 422, 503),
    ),
    Operation(
        method="GET",
        path="/console/trajectories/{run}/{key:path}",
        name="trajectory",
        needs=ADMIN,
        tag=_TAG,
        summary="A stored trajectory, frame by frame",
        answer=TypeAdapter(OpenedAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/console/evaluations",
        name="evaluations",
        needs=ADMIN,
        tag=_TAG,
        summary="The last evaluations, newest first, with their scores",
        answer=TypeAdapter(EvaluationsAnswer),
    ),
    Operation(
        method="GET",
        path="/console/evaluations/{name}",
        name="evaluation",
        needs=ADMIN,
        tag=_TAG,
        summary="The report of an evaluation as a page",
        answer=TypeAdapter(str),
        media="text/html",
        refusals=(404, 422, 501),
    ),
)
