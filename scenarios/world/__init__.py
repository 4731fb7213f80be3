"""A running system: components that call each other, with a history, and operations that change their state.

Nobody writes down what a fault shows. `System` says what there is, `Run` plays it in steps of five seconds, and what is
seen of it follows. All arithmetic is + − × ÷ √, comparison and table look-up on IEEE doubles in a fixed order, so that
the same system gives the same bytes on every machine.
"""

from pathlib import Path

from scenarios.world.layout import Layout, lay_out
from scenarios.world.operations import OPERATIONS, OperationError, Order
from scenarios.world.run import Run
from scenarios.world.software import SOFTWARE, Software
from scenarios.world.system import (
    AlertRule,
    Call,
    Change,
    Component,
    Feature,
    Group,
    InvalidSystemError,
    Job,
    Journey,
    Link,
    Release,
    Route,
    System,
    Topic,
)

_SYSTEMS = Path(__file__).parent / "systems"

SIMULATOR_VERSION = "9"
"""Changes whenever the same system and orders would give other bytes."""

__all__ = [
    "OPERATIONS",
    "SIMULATOR_VERSION",
    "SOFTWARE",
    "AlertRule",
    "Call",
    "Change",
    "Component",
    "Feature",
    "Group",
    "InvalidSystemError",
    "Job",
    "Journey",
    "Layout",
    "Link",
    "OperationError",
    "Order",
    "Release",
    "Route",
    "Run",
    "Software",
    "System",
    "Topic",
    "lay_out",
    "load_system",
]


def load_system(name: str) -> System:
    """A system that comes with this package, by its name."""
    return System.load(_SYSTEMS / f"{name}.yaml")
