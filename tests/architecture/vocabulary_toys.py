"""Toys of the vocabulary: a diagnostic, a remediation, a task with its submission."""

from __future__ import annotations

from tests.architecture.toy import Insertion, Toy

DIAGNOSTIC = Toy(
    "a diagnostic",
    {
        "scenarios/vocabulary/diagnostics/check_traces.py": '''
"""check_traces: the slowest recent request of one service."""

from __future__ import annotations

from scenarios.evidence import Evidence
from scenarios.vocabulary.action import Diagnostic
from scenarios.vocabulary.parameters import OnService


class Traces(Evidence):
    """Spans of one request, the outermost first."""

    spans: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        return f"{self.service} · traces · as of {self.as_of}"

    def body(self) -> str:
        return "\\n".join(self.spans) or "(no traces are sampled)"


CHECK_TRACES = Diagnostic(
    name="check_traces",
    title="Check traces",
    description="Show the slowest recent request of one service.",
    parameters=OnService,
    evidence=Traces,
    field="traces",
)
''',
    },
    (
        Insertion(
            "scenarios/vocabulary/diagnostics/__init__.py",
            "from scenarios.vocabulary.diagnostics.check_service_status import CHECK_SERVICE_STATUS, Status\n",
            "from scenarios.vocabulary.diagnostics.check_traces import CHECK_TRACES\n",
        ),
        Insertion(
            "scenarios/vocabulary/diagnostics/__init__.py", "        CHECK_SERVICE_STATUS,\n", "        CHECK_TRACES,\n"
        ),
        Insertion(
            "scenarios/forms.py",
            "        CHECK_SERVICE_STATUS: WrittenForm(StatusVariant, _read_status, _write_status),\n",
            "        CHECK_TRACES: WrittenForm(\n"
            "            TracesVariant,\n"
            "            lambda form, around: Traces(\n"
            "                service=around.service, as_of=around.as_of, spans=tuple(form.spans)\n"
            "            ),\n"
            '            lambda traces, last: {"spans": list(traces.spans)},\n'
            "        ),\n",
        ),
        Insertion(
            "scenarios/forms.py",
            "from scenarios.evidence import Moment\n",
            "from scenarios.vocabulary.diagnostics.check_traces import CHECK_TRACES, Traces\n",
        ),
        Insertion(
            "scenarios/forms.py",
            "    notes: list[str] = Field(default_factory=list)\n",
            "\n\nclass TracesVariant(Variant):\n    spans: list[str] = Field(default_factory=list)\n",
        ),
        Insertion("scenarios/document.py", "    StatusVariant,\n", "    TracesVariant,\n"),
        Insertion(
            "scenarios/document.py",
            "    status: Annotated[list[StatusVariant], BeforeValidator(as_list)] = Field(min_length=1)\n",
            "    traces: Annotated[list[TracesVariant], BeforeValidator(as_list)] = Field(\n"
            "        default_factory=lambda: [TracesVariant()]\n"
            "    )\n",
        ),
        Insertion(
            "scenarios/generator/render/__init__.py",
            "        CHECK_SERVICE_STATUS: status,\n",
            '        DIAGNOSTICS["check_traces"]: lambda scene, view, node, minute: (\n'
            '            DIAGNOSTICS["check_traces"].evidence(\n'
            "                service=scene.world.nodes[node].name, as_of=scene.moment(minute)\n"
            "            )\n"
            "        ),\n",
        ),
    ),
)

REMEDIATION = Toy(
    "a remediation",
    {
        "scenarios/vocabulary/remediations/drain_node.py": '''
"""drain_node: move all work off a node of one service."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Remediation
from scenarios.vocabulary.parameters import OnService


class Drain(OnService):
    """A service and one of its nodes."""

    node: str = Field(description="Node to drain.")


DRAIN_NODE = Remediation(
    name="drain_node",
    title="Drain node",
    description="Move all work off a node of one service.",
    parameters=Drain,
    deed="drained a node of {target}",
)
''',
    },
    (
        Insertion(
            "scenarios/vocabulary/remediations/__init__.py",
            "from scenarios.vocabulary.remediations.disable_feature_flag import DISABLE_FEATURE_FLAG\n",
            "from scenarios.vocabulary.remediations.drain_node import DRAIN_NODE\n",
        ),
        Insertion(
            "scenarios/vocabulary/remediations/__init__.py", "        EXECUTE_RUNBOOK_STEP,\n", "        DRAIN_NODE,\n"
        ),
        Insertion(
            "graders/claims/verbs.py",
            '        EXECUTE_RUNBOOK_STEP: _Verbs(("execute*",)),\n',
            '        REMEDIATIONS["drain_node"]: _Verbs(("drained", "draining")),\n',
        ),
    ),
)

TASK = Toy(
    "a task with its submission",
    {
        "scenarios/vocabulary/submissions/submit_census.py": '''
"""submit_census: the answer to census_taking."""

from __future__ import annotations

from pydantic import Field

from scenarios.vocabulary.action import Submission
from scenarios.vocabulary.parameters import Parameters


class CensusAnswer(Parameters):
    """A number of services."""

    services: int = Field(ge=0, description="How many services there are.")


SUBMIT_CENSUS = Submission(
    name="submit_census",
    title="Submit census",
    description="Say how many services there are and end the incident. Only for census_taking.",
    parameters=CensusAnswer,
    line="submit_census {services}",
    about="services",
)
''',
        "scenarios/vocabulary/tasks/census_taking.py": '''
"""census_taking: how many services are there."""

from __future__ import annotations

from scenarios.vocabulary.diagnostics import DIAGNOSTICS
from scenarios.vocabulary.submissions import SUBMISSIONS
from scenarios.vocabulary.task import RewardTable, Task

CENSUS_TAKING = Task(
    id="census_taking",
    code="CT",
    tier="easy",
    title="Census taking",
    objective="Count the services.",
    way="count the known services, then submit_census.",
    max_steps=4,
    submission=SUBMISSIONS["submit_census"],
    actions=(*DIAGNOSTICS.values(), SUBMISSIONS["submit_census"]),
    rewards=RewardTable(
        new_service=100,
        new_query=100,
        repeated_query=-100,
        unknown_service=-100,
        effective_remediation=0,
        wrong_remediation=-100,
        past_halfway=-100,
        timeout=-100,
    ),
    asks_evidence=False,
)
''',
        "graders/census.py": '''
"""census_taking: whether the services were counted right."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from graders.reasons import give_reason
from graders.score import Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.conduct import Conduct
    from scenarios.incident import Truth

RULES = "1.0 for the right number."
"""What earns points, as the on-call guide says it."""


def grade_census(truth: Truth, conduct: Conduct) -> Iterator[Point]:
    counted = conduct.submission.model_dump()["services"]
    right = counted == len(conduct.services)
    yield Point("census", Fraction(right), Fraction(1), (give_reason("right_service", service=str(counted)),))
''',
    },
    (
        Insertion(
            "scenarios/vocabulary/submissions/__init__.py",
            '"""The submissions, one file each, in the order in which surfaces list them."""\n\n',
            "from scenarios.vocabulary.submissions.submit_census import SUBMIT_CENSUS\n",
        ),
        Insertion(
            "scenarios/vocabulary/submissions/__init__.py", "        SUBMIT_RESOLUTION,\n", "        SUBMIT_CENSUS,\n"
        ),
        Insertion(
            "scenarios/vocabulary/tasks/__init__.py",
            "from scenarios.vocabulary.tasks.alert_classification import ALERT_CLASSIFICATION\n",
            "from scenarios.vocabulary.tasks.census_taking import CENSUS_TAKING\n",
        ),
        Insertion(
            "scenarios/vocabulary/tasks/__init__.py", "        REMEDIATION_PLANNING,\n", "        CENSUS_TAKING,\n"
        ),
        Insertion(
            "graders/grading.py",
            "from graders import resolution, root_cause, severity\n",
            "from graders import census\n",
        ),
        Insertion(
            "graders/grading.py",
            "        REMEDIATION_PLANNING: "
            "Grader(resolution.grade_resolution, resolution.RULES, resolution.PROVED_RULES),\n",
            '        TASKS["census_taking"]: Grader(census.grade_census, census.RULES, census.RULES),\n',
        ),
        Insertion(
            "env_core/perfect.py",
            "        SUBMIT_RESOLUTION: _answer_resolution,\n",
            '        SUBMISSIONS["submit_census"]: lambda incident, _: {"services": len(incident.services)},\n',
        ),
    ),
)

TOYS = (DIAGNOSTIC, REMEDIATION, TASK)
