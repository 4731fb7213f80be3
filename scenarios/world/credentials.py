"""Credentials: which secret a service accepts, which is handed out, and which its callers hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenarios.world.sums import add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenarios.world.layout import Floats, Indices, Layout
    from scenarios.world.standing import Standing


@dataclass(slots=True, eq=False)
class Credentials:
    """Versions of secrets, as numbers. A process keeps what was `issued` when it started, by link in `held`.

    `accepted` and `issued` are by component. Connections to a store that are open were let in, and stay (`inside`);
    who calls without a connection shows the secret each time.
    """

    callee: Indices
    accepted: Floats
    issued: Floats
    held: Floats
    inside: NDArray[np.bool_]

    @classmethod
    def start(cls, layout: Layout) -> Credentials:
        return cls(
            callee=layout.route_component[layout.call_target][layout.link_call],
            accepted=np.ones(len(layout.components)),
            issued=np.ones(len(layout.components)),
            held=np.ones(len(layout.link_call)),
            inside=np.ones(len(layout.link_call), dtype=np.bool_),
        )

    def step(self, layout: Layout, standing: Standing, usable: Floats) -> Floats:
        """The share of the running callers of each call that are not let in. `usable` are live connections by link."""
        before = (self.held.tobytes(), self.inside.tobytes())
        seen = (standing, *before, self.accepted.tobytes(), self.issued.tobytes())
        if not layout.memory.is_at_rest("credentials", seen):
            # Where all are valid it does not matter which connections are alive.
            shown = (*seen, usable.tobytes())
            if not layout.memory.is_at_rest("credentials shown", shown):
                valid = self._show(layout, standing, usable)
                if (self.held.tobytes(), self.inside.tobytes()) == before:
                    layout.memory.note_rest(*(("credentials", seen) if valid else ("credentials shown", shown)))
        return layout.memory.get((standing, self.inside.tobytes()), _find_outside, layout, standing, self.inside)

    def _show(self, layout: Layout, standing: Standing, usable: Floats) -> bool:
        """Processes that start read their secrets, and callers show them. Returns whether all of these are valid."""
        running = standing.open_links > 0.0
        self.held = np.where(running, self.held, self.issued[self.callee])
        valid = self.held == self.accepted[self.callee]
        # A pool most of whose connections had to be opened again has shown its secret again.
        stays = layout.link_counts_connections & running & (usable > 0.5)
        self.inside = valid | (self.inside & stays)
        return bool(valid.all())

    def rotate(self, component: int) -> int:
        """Accept and hand out a new secret. Returns its version."""
        version = max(self.accepted[component], self.issued[component]) + 1.0
        self.accepted[component] = self.issued[component] = version
        return int(version)

    def publish(self, component: int) -> int:
        """Hand out the secret that is accepted. Returns its version."""
        self.issued[component] = self.accepted[component]
        return int(self.accepted[component])


def _find_outside(layout: Layout, standing: Standing, inside: NDArray[np.bool_]) -> Floats:
    """The share of the running callers of each call that are not let in."""
    calls = len(layout.call_weight)
    if np.all(inside):
        return np.zeros(calls)
    return np.asarray(add_up(layout.link_call, standing.open_links * ~inside, calls) / standing.some_callers)
