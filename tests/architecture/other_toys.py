"""Toys of the generator, the stores and the graders."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.toy import Insertion, Toy

_FAMILIES = Path(__file__).parents[2] / "scenarios" / "generator" / "families"

FAMILY = Toy(
    "a fault family",
    {
        "scenarios/generator/families/toy-family.yaml": (_FAMILIES / "accept-queue-overflow.yaml")
        .read_text("utf-8")
        .replace("family: accept-queue-overflow", "family: toy-family")
        .replace("mechanism: exhaustion", "mechanism: toy_mechanism")
        .replace("listener: backlog {n:4-16}, as configured", "toys: {n:4-16} of them wait for a box")
        .replace("netstat: listen queue of a socket overflowed", "toys: the box was full")
        .replace("listener settings as in the hardened baseline", "a smaller box for the toys")
    },
)

MECHANISM = Toy(
    "a mechanism",
    {},
    (
        Insertion("scenarios/generator/family.py", "MechanismName = Literal[\n", '    "toy_mechanism",\n'),
        Insertion(
            "scenarios/generator/mechanisms.py",
            "MECHANISMS: dict[MechanismName, Mechanism] = {\n",
            '    "toy_mechanism": _asks(_exhaustion, "share", "fill", "factor"),\n',
        ),
    ),
)

STORE = Toy(
    "a store",
    {
        "env_core/stores/toy.py": '''
"""Episodes in this process's memory, once more."""

from __future__ import annotations

from env_core.stores.memory import MemoryStore


class ToyStore(MemoryStore):
    """A store that keeps episodes as another does."""
''',
    },
    (
        Insertion(
            "tests/env_core/stores/implementations.py",
            "from env_core.stores import EpisodeStore, MemoryStore, SqliteStore\n",
            "from env_core.stores.toy import ToyStore\n",
        ),
        Insertion(
            "tests/env_core/stores/implementations.py",
            '    "memory": lambda clock, *_: MemoryStore(clock),\n',
            '    "toy": lambda clock, *_: ToyStore(clock),\n',
        ),
    ),
)

COMPONENT = Toy(
    "a grader component",
    {},
    (
        Insertion(
            "graders/resolution.py",
            '    yield Point("submission", _BASE, _BASE, (give_reason("resolution_submitted"),))\n',
            '    yield Point("toy component", Fraction(0), Fraction(0), (give_reason("toy_code", count=2),))\n',
        ),
        Insertion(
            "graders/reasons.py",
            '    "resolution_submitted": "A resolution was submitted",\n',
            '    "toy_code": "{count} toy{s} were there",\n',
        ),
    ),
)

TOYS = (FAMILY, MECHANISM, STORE, COMPONENT)
