"""What can be started: `/tasks`, and OpenEnv's Task API."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from env_core.callers import PLAY
from env_core.guide import describe_action
from env_core.selection import SelectionError
from http_compat import shapes
from http_compat.operations import BoundOperation, Operation, bind_operations
from http_compat.problems import Json
from http_compat.reading import parse_model, read_json
from scenarios.catalogue import UnknownScenarioError
from scenarios.generator.naming import DIFFICULTIES
from scenarios.library import load_runbook_catalogue
from scenarios.schemas import build_arguments_schema
from scenarios.vocabulary import SEVERITY_MATRIX, TASKS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenarios.catalogue import Catalogue, Entry
    from scenarios.vocabulary import ActionDeclaration, Task

_TASKS = "Tasks"
_TASK_API = "Task API"

MOST_LISTED = 1_000
"""Scenarios in one answer at most. Of a larger split the first ones are listed; a longer range is refused."""


@dataclass(frozen=True, slots=True)
class TaskApi:
    """The catalogue over REST. `env_name` is the name that OpenEnv's paths carry."""

    catalogue: Catalogue
    env_name: str

    def bind_operations(self) -> list[BoundOperation]:
        """The operations and what answers them."""
        return bind_operations(self, OPERATIONS)

    async def answer_tasks(self, _: Request) -> Response:
        return Json.encode(
            {
                "tasks": [self._describe_task(task) for task in TASKS.values()],
                "difficulties": list(DIFFICULTIES),
                "severities": [
                    {"severity": severity, "name": name, "criterion": criterion}
                    for severity, name, criterion in SEVERITY_MATRIX
                ],
                "runbook_steps": [
                    {"name": name, "description": entry.does} for name, entry in load_runbook_catalogue().items()
                ],
            }
        )

    async def answer_list_environments(self, _: Request) -> Response:
        return Json.encode([self.env_name])

    async def answer_list_splits(self, request: Request) -> Response:
        self._check_environment(request)
        return Json.encode([{"name": name, "type": kind} for name, kind in self.catalogue.splits.items()])

    async def answer_list_tasks(self, request: Request) -> Response:
        self._check_environment(request)
        split = parse_model("tasks", shapes.SplitName, await read_json(request)).split
        listed = range(len(self.catalogue.split(split)))[:MOST_LISTED]
        return Json.encode({"tasks": self._list_specs(split, listed), "env_name": self.env_name})

    async def answer_num_tasks(self, request: Request) -> Response:
        self._check_environment(request)
        split = parse_model("num_tasks", shapes.SplitName, await read_json(request)).split
        return Json.encode({"num_tasks": len(self.catalogue.split(split))})

    async def answer_get_task(self, request: Request) -> Response:
        self._check_environment(request)
        asked = parse_model("task", shapes.TaskAt, await read_json(request))
        entry = self.catalogue.entry_in(asked.split, None, asked.index)
        return Json.encode({"task": _build_spec(entry, asked.split, asked.index)})

    async def answer_get_task_range(self, request: Request) -> Response:
        self._check_environment(request)
        asked = parse_model("task_range", shapes.TaskRange, await read_json(request))
        indices = range(len(self.catalogue.split(asked.split)))[asked.start : asked.stop]
        if len(indices) > MOST_LISTED:
            raise SelectionError(  # nothing is malformed: a smaller split has room for the same range
                f"task_range: {len(indices)} scenarios are asked for; give start and stop at most {MOST_LISTED} apart."
            )
        return Json.encode({"tasks": self._list_specs(asked.split, indices)})

    def _check_environment(self, request: Request) -> None:
        name = request.path_params["env_name"]
        if name.casefold() != self.env_name:
            raise UnknownScenarioError(f"Unknown environment {name[:80]!r}; this server has {self.env_name}.")

    def _list_specs(self, split: str, indices: range) -> list[dict[str, Any]]:
        entries = self.catalogue.split(split)
        return [_build_spec(entries[index], split, index) for index in indices]

    def _describe_task(self, task: Task) -> dict[str, Any]:
        return {
            "task_id": task.id,
            "difficulty": task.tier,
            "title": task.title,
            "objective": task.objective,
            "max_steps": task.max_steps,
            "submission": task.submission.name,
            "actions": [_describe_action(action) for action in task.actions],
            "scenarios": [
                {"scenario_id": scenario.id, "scenario_index": index}
                for index, scenario in enumerate(self.catalogue.of_task(task.id))
            ],
        }


@cache
def _describe_action(action: ActionDeclaration) -> dict[str, Any]:
    """An action as it is listed. To build its schema takes half a millisecond."""
    return {
        "action_type": action.name,
        "kind": action.kind,
        "description": describe_action(action),
        "parameters": build_arguments_schema(action.parameters),
    }


def _build_spec(entry: Entry, split: str, index: int) -> dict[str, Any]:
    return {
        "id": entry.id,
        "split": split,
        "index": index,
        "task_id": entry.task.id,
        "tier": entry.task.tier,
        "difficulty": entry.difficulty,
        "max_steps": entry.task.max_steps,
        "reset": {"split": split, "index": index},
    }


OPERATIONS = (
    Operation(
        method="GET",
        path="/tasks",
        name="tasks",
        needs=PLAY,
        tag=_TASKS,
        summary="The tasks with their actions and scenarios, the severities, the runbook catalogue",
        answer=TypeAdapter(shapes.TasksAnswer),
    ),
    Operation(
        method="GET",
        path="/list_environments",
        name="list_environments",
        needs=PLAY,
        tag=_TASK_API,
        summary="The environments served here",
        answer=TypeAdapter(list[str]),
    ),
    Operation(
        method="GET",
        path="/{env_name}/splits",
        name="list_splits",
        needs=PLAY,
        tag=_TASK_API,
        summary="The splits",
        answer=TypeAdapter(list[shapes.SplitEntry]),
        refusals=(404,),
    ),
    Operation(
        method="POST",
        path="/{env_name}/tasks",
        name="list_tasks",
        needs=PLAY,
        tag=_TASK_API,
        summary="The scenarios of a split",
        description=f"Of a split of more than {MOST_LISTED} the first ones; the others are listed by task_range.",
        body=TypeAdapter(shapes.SplitName),
        examples={"the curated split": {"split": "curated"}},
        body_required=True,
        answer=TypeAdapter(shapes.ListedTasks),
        refusals=(404, 413, 422),
    ),
    Operation(
        method="POST",
        path="/{env_name}/num_tasks",
        name="num_tasks",
        needs=PLAY,
        tag=_TASK_API,
        summary="How many scenarios a split has",
        body=TypeAdapter(shapes.SplitName),
        examples={"the curated split": {"split": "curated"}},
        body_required=True,
        answer=TypeAdapter(shapes.TaskCount),
        refusals=(404, 413, 422),
    ),
    Operation(
        method="POST",
        path="/{env_name}/task",
        name="get_task",
        needs=PLAY,
        tag=_TASK_API,
        summary="One scenario of a split",
        body=TypeAdapter(shapes.TaskAt),
        examples={"the first": {"split": "curated", "index": 0}},
        body_required=True,
        answer=TypeAdapter(shapes.OneTask),
        refusals=(404, 413, 422),
    ),
    Operation(
        method="POST",
        path="/{env_name}/task_range",
        name="get_task_range",
        needs=PLAY,
        tag=_TASK_API,
        summary="Some scenarios of a split",
        description=f"At most {MOST_LISTED} in one answer.",
        body=TypeAdapter(shapes.TaskRange),
        examples={
            "the first three": {"split": "curated", "stop": 3},
            "all": {"split": "curated"},
            "some generated ones": {"split": "train", "start": 5_000, "stop": 5_010},
        },
        body_required=True,
        answer=TypeAdapter(shapes.SomeTasks),
        refusals=(404, 409, 413, 422),
    ),
)
