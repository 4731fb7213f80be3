"""Operations on the resolution of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.world.operations.operation import Operation

if TYPE_CHECKING:
    from scenarios.world.layout import Layout
    from scenarios.world.state import State


def _flush_resolver(_: Layout, state: State, component: int) -> None:
    """A resolver forgets its answers. Its clients keep theirs until they end."""
    state.note(component, "flush_resolver", changed=state.addresses.flush(component))


OPERATIONS = (
    Operation("flush_resolver", "service", _flush_resolver, "Drop the cached answers of a resolver.", seconds=5),
)
