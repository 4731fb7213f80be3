"""The shapes of requests and answers, for the OpenAPI document and `/schema`. They derive from those of the core."""

from __future__ import annotations

from functools import cache, reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model, with_config
from typing_extensions import TypedDict

from env_core.frames import Frame
from env_core.observation import Incarnation, Observation, PointReport, ProgressReport, Proved, ResetInfo, StepInfo
from env_core.review import Review
from http_compat.dialects import Envelope, Tags, ToolCall, ToolListing
from http_compat.problems import Problem
from scenarios.generator.naming import SplitKind
from scenarios.given import Given
from scenarios.vocabulary import ACTIONS, DIAGNOSTICS, ActionDeclaration, Kind, TaskId

if TYPE_CHECKING:
    from scenarios.evidence import Evidence as AnyEvidence
else:
    AnyEvidence = reduce(or_, (diagnostic.evidence for diagnostic in DIAGNOSTICS.values()))

Tier = Literal["easy", "medium", "hard"]
"""How hard a task is."""

_CLOSED = ConfigDict(extra="forbid")


class _MetadataOnly(Given):
    metadata: dict[str, Any] = Field(default_factory=dict, description="Ignored.")


def _build_action_model(action: ActionDeclaration, base: type[Given]) -> type[BaseModel]:
    name = "".join(part.title() for part in action.name.split("_"))
    fields: dict[str, Any] = {"action_type": (Literal[action.name], ...), "parameters": (action.parameters, ...)}
    return create_model(
        f"{name}{'Step' if base is Tags else 'Action'}", __base__=base, __doc__=action.description, **fields
    )


@cache
def _unite_actions(base: type[Given] = _MetadataOnly) -> Any:
    """The union of every action in its bare form, by `action_type`. `base` has what may stand beside an action."""
    union = reduce(or_, (_build_action_model(action, base) for action in ACTIONS.values()))
    return Annotated[union, Field(discriminator="action_type")]


class CallTool(ToolCall):
    """A tool called by its name, as a step."""

    type: Literal["call_tool"]


class CallToolStep(Tags, CallTool):
    """A tool called by its name, as a step, with what may stand beside it."""


class ListTools(ToolListing):
    """The tools asked for, as a step. It is not counted and needs no episode."""

    type: Literal["list_tools"]


class ListToolsStep(Tags, ListTools):
    """The tools asked for, with what may stand beside that."""


@cache
def adapt_step() -> TypeAdapter[Any]:
    """A step in any of its forms, as POST /step takes it."""
    envelope = create_model("Envelope", __base__=Envelope, action=(_unite_actions() | CallTool | ListTools, ...))
    return TypeAdapter(_unite_actions(Tags) | CallToolStep | ListToolsStep | envelope)


@with_config(_CLOSED)
class TextBlock(TypedDict):
    """A block of text."""

    type: Literal["text"]
    text: str


class ToolData(ProgressReport):
    """The text of a tool's result and its numbers."""

    text: str


@with_config(_CLOSED)
class ToolResult(TypedDict):
    """The result of a tool, as MCP has it, and as OpenEnv's client hands it on (`data`)."""

    content: list[TextBlock]
    structuredContent: ProgressReport
    isError: bool
    data: ToolData


@with_config(_CLOSED)
class ToolError(TypedDict):
    """Why a tool was not called."""

    error_type: Literal["invalid_args", "tool_not_found"]
    message: str


@with_config(_CLOSED)
class ToolObservation(TypedDict):
    """The answer to `call_tool`."""

    tool_name: str
    result: ToolResult | None
    error: ToolError | None


@with_config(_CLOSED)
class ListedTool(TypedDict):
    """A tool as `list_tools` lists it."""

    name: str
    description: str
    input_schema: dict[str, Any]


@with_config(_CLOSED)
class ToolsObservation(TypedDict):
    """The answer to `list_tools`."""

    tools: list[ListedTool]


@with_config(_CLOSED)
class ResetAnswer(TypedDict):
    """The first observation. `info` and `metadata` are the same."""

    observation: Observation
    reward: float
    done: bool
    info: ResetInfo
    metadata: ResetInfo


@with_config(_CLOSED)
class StepAnswer(TypedDict):
    """What a step showed and earned. `info` and `metadata` are the same; without an episode there are none."""

    observation: Observation | ToolObservation | ToolsObservation
    reward: Annotated[float, Field(ge=-1.0, le=1.0)]
    done: bool
    info: NotRequired[StepInfo]
    metadata: NotRequired[StepInfo]


class EvidenceItem(TypedDict):
    """One piece of evidence as it was last shown."""

    action: str
    service: str
    evidence: AnyEvidence


class EvidenceAnswer(TypedDict):
    """What has been queried, in its typed form."""

    episode_id: str
    evidence: list[EvidenceItem]


class FramesAnswer(TypedDict):
    """Moments of an episode, oldest first."""

    episode_id: str
    frames: list[Frame]


class Queried(TypedDict):
    """A diagnostic of a service."""

    action: str
    service: str


Spread = TypedDict("Spread", {"from": str, "to": str})
"""A service in trouble, and one that suffered from it."""


class AsideReport(TypedDict):
    """Something about a service that was no part of the incident."""

    service: str
    text: str


class Debrief(TypedDict):
    """What really happened. `beside` and `changes` are told where a system was drawn: troubles of others, and what was
    changed and did no harm. `nothing_to_repair` says why not, where that was so. `second_cause` is another service that
    failed by itself; `evidence_later` shows that only when the first is repaired."""

    severity: str
    root_cause: str
    second_cause: NotRequired[str]
    causal_chain: list[str]
    spread: list[Spread]
    evidence: list[Queried]
    evidence_later: NotRequired[list[Queried]]
    plan: list[str]
    harms: list[str]
    beside: NotRequired[list[AsideReport]]
    changes: NotRequired[list[AsideReport]]
    nothing_to_repair: NotRequired[str]
    review: NotRequired[Review]


class GradeAnswer(TypedDict):
    """The score with its breakdown and a debrief; of an unfinished episode 0.0 and neither."""

    episode_id: str
    incarnation: Incarnation
    task_id: TaskId
    scenario_id: str
    done: bool
    score: Annotated[float, Field(ge=0.0, le=1.0)]
    breakdown: list[PointReport]
    proved: NotRequired[Proved]
    debrief: Debrief | None


class ClosedAnswer(TypedDict):
    """The episode that has been closed."""

    episode_id: str
    closed: bool


class ActionEntry(TypedDict):
    """An action and what it takes."""

    action_type: str
    kind: Kind
    description: str
    parameters: dict[str, Any]


class StartableScenario(TypedDict):
    """A scenario that can be started."""

    scenario_id: str
    scenario_index: int


class TaskEntry(TypedDict):
    """A task: its limits, its actions, its scenarios."""

    task_id: TaskId
    difficulty: Tier
    title: str
    objective: str
    max_steps: int
    submission: str
    actions: list[ActionEntry]
    scenarios: list[StartableScenario]


class RunbookEntry(TypedDict):
    """A step of the runbook catalogue."""

    name: str
    description: str


class SeverityEntry(TypedDict):
    """A severity and when it applies."""

    severity: str
    name: str
    criterion: str


class TasksAnswer(TypedDict):
    """Everything that can be started, and what every incident shares."""

    tasks: list[TaskEntry]
    difficulties: Annotated[list[int], Field(description="Of generated incidents, easiest first.")]
    severities: list[SeverityEntry]
    runbook_steps: list[RunbookEntry]


class HealthAnswer(TypedDict):
    """The server's health."""

    status: Literal["healthy"]
    version: str


class MetadataAnswer(TypedDict):
    """What this environment is."""

    name: str
    description: str
    version: str
    author: str
    documentation_url: str
    links: dict[str, str]


class SchemaAnswer(TypedDict):
    """JSON schemas of what the environment takes and gives."""

    action: dict[str, Any]
    observation: dict[str, Any]
    reset_observation: dict[str, Any]
    state: dict[str, Any]


class SplitEntry(TypedDict):
    """A split of the scenarios."""

    name: str
    type: SplitKind


class TaskSpec(TypedDict):
    """A scenario of a split. `reset` is what POST /reset takes to start it; authored ones have no `difficulty`."""

    id: str
    split: str
    index: int
    task_id: TaskId
    tier: Tier
    difficulty: Annotated[int, Field(ge=1, le=5)] | None
    max_steps: int
    reset: dict[str, Any]


class SplitName(Given):
    """A split by its name."""

    split: str = Field(max_length=64, description="Name of the split.")


class TaskAt(SplitName):
    """A scenario of a split by its index."""

    index: int = Field(description="Index in the split, counted from 0.")


class TaskRange(SplitName):
    """Scenarios of a split by their indices, like a slice."""

    start: int | None = Field(default=None, description="First index; 0 if not given.")
    stop: int | None = Field(default=None, description="Index after the last; the end if not given.")


class ListedTasks(TypedDict):
    """The scenarios of a split."""

    tasks: list[TaskSpec]
    env_name: str


class TaskCount(TypedDict):
    """How many scenarios a split has."""

    num_tasks: int


class OneTask(TypedDict):
    """One scenario."""

    task: TaskSpec


class SomeTasks(TypedDict):
    """Some scenarios."""

    tasks: list[TaskSpec]


PROBLEM = TypeAdapter(Problem)


class IncidentObservation(Observation):
    """An observation with the reward and the end that travel beside it."""

    reward: Annotated[float, Field(ge=-1.0, le=1.0)]


class CalledObservation(ToolObservation):
    """The answer to `call_tool` with the reward and the end that travel beside it."""

    reward: Annotated[float, Field(ge=-1.0, le=1.0)]
    done: bool


class ListedObservation(ToolsObservation):
    """The answer to `list_tools` with the reward and the end that travel beside it."""

    reward: float
    done: bool
