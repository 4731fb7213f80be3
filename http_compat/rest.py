"""The REST operations on episodes: reset, step, state, grader, evidence, close."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field, TypeAdapter

from env_core.frames import draw_frames
from env_core.observation import State, debrief, read_state, report_grade
from env_core.selection import Handle, Selection, SelectionError
from env_core.stores import Claim
from http_compat import shapes
from http_compat.dialects import Strict, parse_step
from http_compat.operations import Operation, Served
from http_compat.problems import Json, NoEpisodeError
from http_compat.reading import parse_model, parse_query, read_json
from http_compat.replies import reset_reply, step_reply
from http_compat.sessions import Session

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from env_core.episode import Episode
    from env_core.service import EpisodeService

HANDLE_HEADER = "X-Episode-Id"
_RAW_HEADER = HANDLE_HEADER.lower().encode()
HANDLE_COOKIE = "episode_id"
_COOKIE_PARTED = "~"
"""Names the caller's own last episode, so that callers who keep cookies have a default of their own."""

_CONTROL = "Environment control"
_ABOUT_HANDLES = (
    f"The episode is named by `episode_id` (query, body or the header `{HANDLE_HEADER}`); "
    "without it, it is the caller's own last one (by cookie), or else the server's."
)


MOST_STEPS = 1_000_000
"""More than any episode has."""


class OfEpisode(Strict):
    """Which episode is meant."""

    episode_id: Handle = Field(default="", description="Handle of the episode.")


class OfFrames(OfEpisode):
    """Which moments of which episode are meant."""

    since: int = Field(default=0, ge=0, le=MOST_STEPS, description="First step wanted; 0 is before the first.")


@dataclass(slots=True)
class Rest:
    """Episodes over REST. They persist between requests, by handle.

    With `shared` requests that name no episode mean the last one that anybody started without naming it.
    """

    service: EpisodeService
    shared: bool = True
    default: str = field(default="", init=False)

    def served(self) -> list[Served]:
        """The operations and what answers them."""
        return [Served(operation, getattr(self, operation.name)) for operation in OPERATIONS]

    async def reset(self, request: Request) -> Response:
        selection = _selection(request, await read_json(request))
        own = _own(request)
        episode = await self.service.create(selection, own if own and own.episode_id == selection.episode_id else None)
        if self.shared and not selection.episode_id:
            self.default = episode.id
        response = Json.of(_with_info(reset_reply(episode)))
        cookie = f"{episode.id}{_COOKIE_PARTED}{episode.incarnation}"
        response.set_cookie(HANDLE_COOKIE, cookie, httponly=True, samesite="strict")
        return response

    async def step(self, request: Request) -> Response:
        message = parse_step(await read_json(request))
        session = Session(self.service, *self._meant(request, message.tags.episode_id))
        return Json.of(_with_info(await step_reply(session, message)))

    async def state(self, request: Request) -> Response:
        return Json.of(read_state(await self._episode(request)))

    async def evidence(self, request: Request) -> Response:
        episode = await self._episode(request)
        items = [
            {"action": action, "service": service, "evidence": evidence.model_dump()}
            for (action, service), evidence in episode.shown.items()
        ]
        return Json.of({"episode_id": episode.id, "evidence": items})

    async def frames(self, request: Request) -> Response:
        episode = await self._episode(request, asked=OfFrames)
        since = parse_query("frames", OfFrames, request).since
        return Json.of({"episode_id": episode.id, "frames": draw_frames(episode, since)})

    async def grader(self, request: Request) -> Response:
        episode = await self._episode(request)
        graded = report_grade(episode.grade) if episode.grade else {"score": 0.0, "breakdown": []}
        of = {
            "episode_id": episode.id,
            "task_id": episode.task.id,
            "scenario_id": episode.reference.scenario_id,
            "done": episode.done,
        }
        return Json.of({**of, **graded, "debrief": debrief(episode)})

    async def close(self, request: Request) -> Response:
        named = parse_model("close", OfEpisode, await read_json(request))
        episode = await self._episode(request, named.episode_id)
        await self.service.close(episode.id)
        if episode.id == self.default:
            self.default = ""
        response = Json.of({"episode_id": episode.id, "closed": True})
        if (own := _own(request)) and own.episode_id == episode.id:
            response.delete_cookie(HANDLE_COOKIE)
        return response

    async def _episode(self, request: Request, named: str = "", asked: type[OfEpisode] = OfEpisode) -> Episode:
        """The episode that a request names or means.

        Raises:
            NoEpisodeError: if it names none and none is meant.
            SelectionError: if it names two.
            UnknownEpisodeError: if it is not there.
        """
        episode = await Session(self.service, *self._meant(request, named, asked)).episode()
        if episode is None:
            raise NoEpisodeError(
                "No episode has been started; POST /reset starts one. Name yours by `episode_id` if its reset did."
                if self.shared
                else f"Name the episode: `episode_id` in query or body, or the header {HANDLE_HEADER}."
            )
        return episode

    def _meant(self, request: Request, named: str, asked: type[OfEpisode] = OfEpisode) -> Claim:
        """The handle that a request names or means, empty if none; the incarnation where its cookie tells it."""
        if request.scope["query_string"]:
            named = _agreed(named, parse_query("episode_id", asked, request).episode_id)
        if said := _header(request):
            named = _agreed(named, parse_model("episode_id", OfEpisode, {"episode_id": said}).episode_id)
        return Claim(named, "") if named else _own(request) or Claim(self.default, "")


def _own(request: Request) -> Claim | None:
    """The episode that the caller started last, if it keeps cookies."""
    handle, _, incarnation = request.cookies.get(HANDLE_COOKIE, "").partition(_COOKIE_PARTED)
    return Claim(handle, incarnation) if handle and incarnation else None


def _header(request: Request) -> str:
    """The handle that the headers name, if any; read off the raw ones because every step comes by."""
    return next((value.decode("latin-1") for name, value in request.scope["headers"] if name == _RAW_HEADER), "")


def _agreed(one: str, other: str) -> str:
    """The handle that a request gives in two places, or in one of them."""
    if one and other and one != other:
        raise SelectionError(f"The request names two episodes, {one} and {other}; name one.")
    return one or other


def _selection(request: Request, given: Any) -> Selection:
    """What a reset selects, in the query string, the body or both."""
    asked = parse_query("reset", Selection, request)
    body = parse_model("reset", Selection, given)
    for name in asked.model_fields_set & body.model_fields_set:
        if getattr(body, name) not in {None, "", getattr(asked, name)}:
            raise SelectionError(f"{name} differs between the query string and the body; give it once.")
    asked = body.model_copy(update={name: getattr(asked, name) for name in asked.model_fields_set})
    handle = _header(request)
    if handle and _agreed(asked.episode_id, handle):
        asked = parse_model("reset", Selection, {**asked.model_dump(), "episode_id": handle})
    return asked


def _with_info(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "info": reply["metadata"]} if "metadata" in reply else reply


_QUERY: dict[str, Any] = {"action_type": "query_logs", "parameters": {"service": "api-gateway"}}

OPERATIONS = (
    Operation(
        method="POST",
        path="/reset",
        name="reset",
        tag=_CONTROL,
        summary="Start an episode",
        description="Options are given in the query string, in a JSON body, or both. "
        "What names nothing is alert_classification, scenario 0.",
        query=Selection,
        body=TypeAdapter(Selection),
        examples={
            "the default": {},
            "a scenario": {"scenario_id": "RP-001"},
            "generated by a seed": {"task_id": "root_cause_analysis", "seed": 7, "difficulty": 2},
            "from a split": {"split": "curated", "index": 4},
        },
        answer=TypeAdapter(shapes.ResetAnswer),
        refusals=(404, 409, 413, 422, 429),
        starts=("step", "state", "evidence", "frames", "grader", "close"),
    ),
    Operation(
        method="POST",
        path="/step",
        name="step",
        tag=_CONTROL,
        summary="Take a step",
        description=_ABOUT_HANDLES,
        query=OfEpisode,
        body=shapes.step_body(),
        examples={
            "a query": _QUERY,
            "in OpenEnv's envelope": {"action": _QUERY},
            "as a tool call": {
                "action": {"type": "call_tool", "tool_name": "query_logs", "arguments": _QUERY["parameters"]}
            },
            "the tools": {"type": "list_tools"},
            "an answer": {"action_type": "submit_severity", "parameters": {"severity": "P2"}},
        },
        body_required=True,
        answer=TypeAdapter(shapes.StepAnswer),
        refusals=(404, 409, 413, 422),
    ),
    Operation(
        method="GET",
        path="/state",
        name="state",
        tag=_CONTROL,
        summary="The whole episode so far, with its history",
        description=_ABOUT_HANDLES,
        query=OfEpisode,
        answer=TypeAdapter(State),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/grader",
        name="grader",
        tag=_CONTROL,
        summary="The score of an episode, 0.0 to 1.0, with its breakdown",
        description=f"An unfinished episode has score 0.0 and no breakdown. {_ABOUT_HANDLES}",
        query=OfEpisode,
        answer=TypeAdapter(shapes.GradeAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/evidence",
        name="evidence",
        tag=_CONTROL,
        summary="What has been queried, in its typed form",
        description=_ABOUT_HANDLES,
        query=OfEpisode,
        answer=TypeAdapter(shapes.EvidenceAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/frames",
        name="frames",
        tag=_CONTROL,
        summary="The episode, moment by moment, as a page draws it",
        description=f"What each step showed and earned, and what is known of the services by then. {_ABOUT_HANDLES}",
        query=OfFrames,
        answer=TypeAdapter(shapes.FramesAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="POST",
        path="/close",
        name="close",
        tag=_CONTROL,
        summary="Close an episode and free its room",
        description=_ABOUT_HANDLES,
        query=OfEpisode,
        body=TypeAdapter(OfEpisode),
        answer=TypeAdapter(shapes.ClosedAnswer),
        refusals=(404, 409, 413, 422),
    ),
)
