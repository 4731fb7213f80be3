"""Toys of the evaluation: an agent, an adapter that reaches an environment in another way, an audit check."""

from __future__ import annotations

from tests.architecture.toy import Insertion, Toy

AGENT = Toy(
    "an agent",
    {
        "cloud_incident/evaluation/agents/toy_agent.py": '''
"""An agent that answers at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.agents.agent import Agent, Decision, submit

if TYPE_CHECKING:
    from cloud_incident.evaluation.agents.agent import Seat
    from env_core.observation import Observation


class ToyAgent(Agent):
    """Blames the first service that it reads of."""

    def __init__(self, seat: Seat) -> None: ...

    async def decide(self, shown: Observation) -> Decision:
        words = "It is broken."
        service = shown["known_services"][0]
        return submit(shown["task_id"], severity="P1", service=service, failure_mode=words, summary=words)
''',
    },
    (
        Insertion(
            "cloud_incident/evaluation/agents/registry.py",
            "from cloud_incident.evaluation.agents.responder import Responder\n",
            "from cloud_incident.evaluation.agents.toy_agent import ToyAgent\n",
        ),
        Insertion("cloud_incident/evaluation/agents/registry.py", '    "novice": Novice,\n', '    "toy": ToyAgent,\n'),
    ),
)

ADAPTER = Toy(
    "an adapter",
    {},
    (
        Insertion(
            "cloud_incident/evaluation/running/remote.py",
            "SURFACES: dict[str, type[RemoteEnvironment]] = {\n",
            '    "toy": RestEnvironment,\n',
        ),
    ),
)

CHECK = Toy(
    "an audit check",
    {
        "cloud_incident/evaluation/audit/toys.py": '''
"""Checks of toys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_incident.evaluation.audit.check import CheckResult, CheckGroup, Check, Measurement, require_no_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloud_incident.evaluation.audit.case import Case
    from cloud_incident.evaluation.audit.check import AuditContext


class ToyChecks(CheckGroup[str]):
    """Every incident has services."""

    specs = (Check("generator.toys", "Every incident has services", "none without"),)

    def measure(self, case: Case) -> str:
        return "" if case.incident.services else case.incident.id

    def judge(self, found: Sequence[Measurement[str]], context: AuditContext) -> Iterator[CheckResult]:
        yield require_no_problems(self.specs[0], [measured.value for measured in found if measured.value], len(found))
''',
    },
    (
        Insertion(
            "cloud_incident/evaluation/audit/auditing.py",
            "from cloud_incident.evaluation.audit.solving import SolvabilityChecks\n",
            "from cloud_incident.evaluation.audit.toys import ToyChecks\n",
        ),
        Insertion("cloud_incident/evaluation/audit/auditing.py", "    ResourceChecks(),\n", "    ToyChecks(),\n"),
        Insertion(
            "tests/cloud_incident/evaluation/audit/broken_worlds.py",
            '    "generator.certificates": (spoiling(Unproved), {}),\n',
            '    "generator.toys": (spoiling(Unproved), {}),\n',
        ),
    ),
)

TOYS = (AGENT, ADAPTER, CHECK)
