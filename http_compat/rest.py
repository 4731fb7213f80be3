"""The REST operations on episodes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field, TypeAdapter

from env_core.callers import OPERATE, PLAY
from env_core.frames import draw_frames
from env_core.observation import OpenState, debrief, read_open_state, report_grade
from env_core.selection import MOST_STEPS, Handle, OptionalName, Selection, SelectionError
from env_core.stores import Claim
from http_compat import shapes
from http_compat.dialects import parse_step
from http_compat.operations import HANDLE_HEADER, BoundOperation, Operation, bind_operations, read_root
from http_compat.problems import Json, NoEpisodeError
from http_compat.reading import parse_model, parse_query, read_json
from http_compat.replies import build_reset_reply, take_step
from http_compat.sessions import Session
from scenarios.given import Given
from scenarios.vocabulary import QUERY_LOGS, ROOT_CAUSE_ANALYSIS, SUBMIT_SEVERITY, TASKS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from env_core.agent_keys import LocateAgent
    from env_core.episode import Episode
    from env_core.service import EpisodeService

_RAW_HEADER = HANDLE_HEADER.lower().encode()
HANDLE_COOKIE = "episode_id"
"""The cookie that holds the caller's own last episode, so that callers who keep cookies have a default of their own."""
_COOKIE_SEPARATOR = "~"
"""Stands between the handle and the incarnation in the cookie."""

_MOST_DEFAULTS = 10_000
"""Callers whose last episode is remembered, those that started one last."""

_CONTROL = "Environment control"
_ABOUT_HANDLES = (
    f"The episode is named by `episode_id` (query, body or the header `{HANDLE_HEADER}`); "
    "without it, it is the caller's own last one: by cookie, or else by token or address."
)


class EpisodeName(Given):
    """Which episode is meant."""

    episode_id: Handle = Field(default="", description="Handle of the episode.")
    incarnation: OptionalName = Field(
        default="", description="Its incarnation, as its reset gave it; another one is refused."
    )


class Fork(EpisodeName):
    """Which episode is forked, after which step, and what the fork is called."""

    after: int | None = Field(default=None, ge=0, le=MOST_STEPS, description="Steps to take over; all if not given.")
    fork_id: Handle = Field(default="", description="Handle of the fork; minted if not given.")


class FramesQuery(EpisodeName):
    """Which moments of which episode are meant."""

    since: int = Field(default=0, ge=0, le=MOST_STEPS, description="First step wanted; 0 is before the first.")


_NO_NAME = EpisodeName()


@dataclass(slots=True)
class EpisodeApi:
    """Episodes over REST. They persist between requests, by handle.

    With `shared` a request that names no episode means the last one that its caller started without naming it. Callers
    are told apart by their names or else their addresses; those on this machine are not.
    """

    service: EpisodeService
    locate_agent: LocateAgent
    shared: bool = True
    _defaults: OrderedDict[str, str] = field(default_factory=OrderedDict, init=False)  # by caller, the latest last

    def bind_operations(self) -> list[BoundOperation]:
        """The operations and what answers them."""
        return bind_operations(self, OPERATIONS)

    async def answer_reset(self, request: Request) -> Response:
        selection = _read_selection(request, await read_json(request))
        own = _read_cookie(request)
        episode = await self.service.create(selection, own if own and own.episode_id == selection.episode_id else None)
        if self.shared and not selection.episode_id:
            self._remember(episode.id)
        response = Json.encode(await self._build_reset(request, episode))
        cookie = f"{episode.id}{_COOKIE_SEPARATOR}{episode.incarnation}"
        response.set_cookie(
            HANDLE_COOKIE,
            cookie,
            path=_read_path(request),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def answer_fork(self, request: Request) -> Response:
        body = parse_model("fork", Fork, await read_json(request))
        claim = self._find_claim(request, body.episode_id, _read_name(request), body.incarnation)
        self._check_named(claim)
        fork = await self.service.fork(claim, body.after, body.fork_id)
        return Json.encode(await self._build_reset(request, fork))

    async def answer_step(self, request: Request) -> Response:
        step = parse_step(await read_json(request))
        claim = self._find_claim(request, step.tags.episode_id, _read_name(request))
        try:
            return Json.encode(_add_info(await take_step(Session(self.service, *claim), step)))
        except NoEpisodeError:
            self._check_named(claim)  # says which requests need no name here
            raise

    async def answer_state(self, request: Request) -> Response:
        return Json.encode(read_open_state(await self._load_episode(request, _read_name(request))))

    async def answer_evidence(self, request: Request) -> Response:
        episode = await self._load_episode(request, _read_name(request))
        items = [
            {"action": action, "service": service, "evidence": evidence.model_dump()}
            for (action, service), evidence in episode.shown.items()
        ]
        return Json.encode({"episode_id": episode.id, "evidence": items})

    async def answer_frames(self, request: Request) -> Response:
        query = parse_query("episode_id", FramesQuery, request)
        episode = await self._load_episode(request, query)
        await self.service.recount(episode)
        return Json.encode({"episode_id": episode.id, "frames": draw_frames(episode, query.since)})

    async def answer_grader(self, request: Request) -> Response:
        episode = await self._load_episode(request, _read_name(request))
        await self.service.recount(episode)
        graded = report_grade(episode.grade, episode.incident) if episode.grade else {"score": 0.0, "breakdown": []}
        identity = {
            "episode_id": episode.id,
            "incarnation": episode.incarnation,
            "task_id": episode.task.id,
            "scenario_id": episode.reference.scenario_id,
            "done": episode.done,
        }
        return Json.encode({**identity, **graded, "debrief": debrief(episode)})

    async def answer_close(self, request: Request) -> Response:
        body = parse_model("close", EpisodeName, await read_json(request))
        claim = self._find_claim(request, body.episode_id, _read_name(request), body.incarnation)
        self._check_named(claim)
        await self.service.close(*claim)
        if claim.episode_id == self._find_default():
            del self._defaults[self._name_caller()]
        response = Json.encode({"episode_id": claim.episode_id, "closed": True})
        if (own := _read_cookie(request)) and own.episode_id == claim.episode_id:
            response.delete_cookie(HANDLE_COOKIE, path=_read_path(request))
        return response

    async def _build_reset(self, request: Request, episode: Episode) -> dict[str, Any]:
        return _add_info(build_reset_reply(episode, await self.locate_agent(request.scope, episode)))

    async def _load_episode(self, request: Request, query: EpisodeName) -> Episode:
        """The episode that a request names or means.

        Raises:
            NoEpisodeError: if it names none and none is meant.
            SelectionError: if it names two.
            UnknownEpisodeError: if it is not there.
        """
        claim = self._find_claim(request, "", query)
        self._check_named(claim)
        return await self.service.get(*claim)

    def _check_named(self, claim: Claim) -> None:
        if claim.episode_id:
            return
        raise NoEpisodeError(
            "No episode has been started; POST /reset starts one. Name yours by `episode_id` if its reset did."
            if self.shared
            else "Name the episode: `episode_id` in query or body, or the header "
            f"{HANDLE_HEADER}. The answer of /reset says its `episode_id`. This server knows no last episode."
        )

    def _find_claim(self, request: Request, named: str, query: EpisodeName, incarnation: str = "") -> Claim:
        """The handle that a request names or means, empty if none; the incarnation where it or its cookie tells it.

        `named` and `incarnation` are those in the body, empty if it has none.

        Raises:
            SelectionError: if the request names two episodes.
            MalformedError: if the header holds no handle.
        """
        handle = _agree(named, query.episode_id)
        if header := _read_header(request):
            handle = _agree(handle, parse_model("episode_id", EpisodeName, {"episode_id": header}).episode_id)
        incarnation = _agree(incarnation, query.incarnation)
        meant = Claim(handle, "") if handle else _read_cookie(request) or Claim(self._find_default(), "")
        return meant._replace(incarnation=incarnation) if incarnation else meant

    def _find_default(self) -> str:
        return self._defaults.get(self._name_caller(), "")

    def _name_caller(self) -> str:
        """Whose the last episode is: the caller's by name, or by the whole address."""
        caller = self.service.caller
        return caller.name or caller.address

    def _remember(self, handle: str) -> None:
        name = self._name_caller()
        self._defaults[name] = handle
        self._defaults.move_to_end(name)
        while len(self._defaults) > _MOST_DEFAULTS:
            self._defaults.popitem(last=False)


def _read_name(request: Request) -> EpisodeName:
    """The episode that the query string names. Every step comes by, so that an empty one costs nothing."""
    return parse_query("episode_id", EpisodeName, request) if request.scope["query_string"] else _NO_NAME


def _read_path(request: Request) -> str:
    """Where the cookie is sent to: below the server's own prefix, since others may stand beside it."""
    return read_root(request) or "/"


def _read_cookie(request: Request) -> Claim | None:
    """The episode that the caller started last, if it keeps cookies."""
    handle, _, incarnation = request.cookies.get(HANDLE_COOKIE, "").partition(_COOKIE_SEPARATOR)
    return Claim(handle, incarnation) if handle and incarnation else None


def _read_header(request: Request) -> str:
    """The handle that the headers name, or "". It is read off the raw headers, because every step comes by."""
    return next((value.decode("latin-1") for name, value in request.scope["headers"] if name == _RAW_HEADER), "")


def _agree(first: str, second: str) -> str:
    """The handle or incarnation that a request gives in two places, or in one of them; "" where it gives none.

    Raises:
        SelectionError: if the two differ.
    """
    if first and second and first != second:
        raise SelectionError(f"The request names two episodes, {first} and {second}; name one.")
    return first or second


def _read_selection(request: Request, given: Any) -> Selection:
    """What a reset selects, in the query string, the body or both.

    Raises:
        MalformedError: if an option is not valid.
        SelectionError: if query string, body and header contradict each other.
    """
    query = parse_query("reset", Selection, request)
    body = parse_model("reset", Selection, given)
    for name in query.model_fields_set & body.model_fields_set:
        if getattr(body, name) not in {None, "", getattr(query, name)}:
            raise SelectionError(f"{name} differs between the query string and the body; give it once.")
    options = {name: getattr(query, name) for name in query.model_fields_set}
    header = _read_header(request)
    if header and _agree(options.get("episode_id") or body.episode_id, header):
        options["episode_id"] = parse_model("reset", Selection, {"episode_id": header}).episode_id
    return body.model_copy(update=options)


def _add_info(reply: dict[str, Any]) -> dict[str, Any]:
    return {**reply, "info": reply["metadata"]} if "metadata" in reply else reply


_LOOK: dict[str, Any] = {"action_type": QUERY_LOGS.name, "parameters": {"service": "api-gateway"}}

OPERATIONS = (
    Operation(
        method="POST",
        path="/reset",
        name="reset",
        needs=OPERATE,
        tag=_CONTROL,
        summary="Start an episode",
        description="Options are given in the query string, in a JSON body, or both. "
        f"What names nothing is {next(iter(TASKS))}, scenario 0.",
        query=Selection,
        body=TypeAdapter(Selection),
        examples={
            "the default": {},
            "a scenario": {"scenario_id": "RP-001"},
            "generated by a seed": {"task_id": ROOT_CAUSE_ANALYSIS.id, "seed": 7, "difficulty": 2},
            "from a split": {"split": "curated", "index": 4},
        },
        answer=TypeAdapter(shapes.ResetAnswer),
        refusals=(404, 409, 413, 422, 503),
        starts=("step", "state", "evidence", "frames", "grader", "close"),
    ),
    Operation(
        method="POST",
        path="/step",
        name="step",
        needs=PLAY,
        tag=_CONTROL,
        summary="Take a step",
        description=_ABOUT_HANDLES,
        query=EpisodeName,
        body=shapes.adapt_step(),
        examples={
            "a query": _LOOK,
            "in OpenEnv's envelope": {"action": _LOOK},
            "as a tool call": {
                "action": {"type": "call_tool", "tool_name": QUERY_LOGS.name, "arguments": _LOOK["parameters"]}
            },
            "the tools": {"type": "list_tools"},
            "an answer": {"action_type": SUBMIT_SEVERITY.name, "parameters": {"severity": "P2"}},
        },
        body_required=True,
        answer=TypeAdapter(shapes.StepAnswer),
        refusals=(404, 409, 413, 422),
    ),
    Operation(
        method="POST",
        path="/fork",
        name="fork",
        needs=OPERATE,
        tag=_CONTROL,
        summary="Start an episode that begins as another one did",
        description="The fork has the first `after` steps of the episode, and shares nothing with it from then on. "
        f"{_ABOUT_HANDLES}",
        query=EpisodeName,
        body=TypeAdapter(Fork),
        examples={"as it stands": {}, "before the third step": {"after": 2}},
        answer=TypeAdapter(shapes.ResetAnswer),
        refusals=(404, 409, 413, 422, 503),
        starts=("step", "state", "evidence", "frames", "grader", "close"),
    ),
    Operation(
        method="GET",
        path="/state",
        name="state",
        needs=PLAY,
        tag=_CONTROL,
        summary="The whole episode so far, with its history",
        description=_ABOUT_HANDLES,
        query=EpisodeName,
        answer=TypeAdapter(OpenState),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/grader",
        name="grader",
        needs=OPERATE,
        tag=_CONTROL,
        summary="The score of an episode, 0.0 to 1.0, with its breakdown",
        description=f"An unfinished episode has score 0.0 and no breakdown. {_ABOUT_HANDLES}",
        query=EpisodeName,
        answer=TypeAdapter(shapes.GradeAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/evidence",
        name="evidence",
        needs=PLAY,
        tag=_CONTROL,
        summary="What has been queried, in its typed form",
        description=_ABOUT_HANDLES,
        query=EpisodeName,
        answer=TypeAdapter(shapes.EvidenceAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="GET",
        path="/frames",
        name="frames",
        needs=PLAY,
        tag=_CONTROL,
        summary="The episode, moment by moment, as a page draws it",
        description=f"What each step showed and earned, and what is known of the services by then. {_ABOUT_HANDLES}",
        query=FramesQuery,
        answer=TypeAdapter(shapes.FramesAnswer),
        refusals=(404, 409, 422),
    ),
    Operation(
        method="POST",
        path="/close",
        name="close",
        needs=OPERATE,
        tag=_CONTROL,
        summary="Close an episode and free its room",
        description=_ABOUT_HANDLES,
        query=EpisodeName,
        body=TypeAdapter(EpisodeName),
        answer=TypeAdapter(shapes.ClosedAnswer),
        refusals=(404, 409, 413, 422),
    ),
)
