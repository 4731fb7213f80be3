"""Operations on the topics of a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _skip_message(_: Layout, state: State, topic: int) -> None:
    """Leave out the message at the head of each partition that stands still."""
    state.note(int(state.queues.topic_broker[topic]), "skip_message", messages=round(state.queues.skip(topic)))


def _purge_queue(_: Layout, state: State, topic: int) -> None:
    """Drop whatever waits, good or bad."""
    state.note(int(state.queues.topic_broker[topic]), "purge_queue", messages=round(state.queues.purge(topic)))


OPERATIONS = (
    Operation(
        "skip_message",
        "topic",
        _skip_message,
        "Leave out the message at the head of each partition that stands still.",
        seconds=5,
        disruptive=True,
    ),
    Operation(
        "purge_queue", "topic", _purge_queue, "Drop all messages of a topic that wait.", seconds=10, disruptive=True
    ),
)
