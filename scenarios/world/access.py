"""How attempts of calls get to whom they call: what is in their way, and what becomes of them until they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scenarios.world.layout import Floats, Layout


@dataclass(frozen=True, slots=True, eq=False)
class Obstacles:
    """What is in the way, as shares by call.

    `pools` are the free connections of a call, `broken` the share of callers whose pool is dead, of it `unopened` of
    those that never had a connection, `turned_away` the share of calls that find no connection at the callee. `delay`
    are the seconds that a call is under way. Of callers, the shares that are `stale` call where nobody listens, those
    that are `unresolved` have no address, those that are `distrusted` by the caller end before a request is sent.
    `denied` are not accepted, `forbidden` are those of the others who may not do it.
    """

    pools: Floats
    broken: Floats
    unopened: Floats
    turned_away: Floats
    loss: Floats
    denied: Floats
    forbidden: Floats
    distrusted: Floats
    delay: Floats
    stale: Floats
    unresolved: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Leaving:
    """What becomes of attempts, as shares by call: those that are `reaching` the callee, and of these the `entering`.

    The others have no connection (`unpooled`), are `lost`, `unheard` where nobody listens, `unresolved` or `untrusted`.
    None stands for what befalls nobody.
    """

    reaching: Floats
    entering: Floats
    unpooled: Floats | None
    lost: Floats | None
    unheard: Floats | None
    unresolved: Floats | None
    untrusted: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """The way of attempts to a callee, which is the same for many steps.

    `free` are connections times the seconds of a step, `whole` the share of callers with a pool that is not `broken`,
    `usual` what becomes of attempts while connections are free. Of those that reach the callee, the `denied`, the
    `forbidden` and the `turned_away` are not let in; `dead` are callers whose pool has died. None stands for nobody.
    `delays` are those of calls and then, for the users at each entry, none.
    """

    obstacles: Obstacles
    free: Floats
    whole: Floats
    wholes: Floats
    usual: Leaving
    broken: Floats | None
    dead: Floats | None
    denied: Floats | None
    forbidden: Floats | None
    turned_away: Floats | None
    delays: Floats

    def find_leaving(self, sent: Floats, taking: Floats) -> Leaving:
        """What becomes of the attempts of a step, each of which takes a connection for some seconds."""
        free = self.free / taking
        wanted = np.maximum(sent * self.whole, 1e-12)
        if not np.count_nonzero(free < wanted):
            return self.usual
        return _find_leaving(self.obstacles, self.whole, np.minimum(1.0, free / wanted))


def find_access(layout: Layout, obstacles: Obstacles, step: float) -> Access:
    """The way of attempts in steps of so many seconds."""
    whole = 1.0 - obstacles.broken
    broken = _leave_out(obstacles.broken)
    accepted, allowed = 1.0 - obstacles.denied, 1.0 - obstacles.forbidden
    return Access(
        obstacles=obstacles,
        free=obstacles.pools * step,
        whole=whole,
        wholes=np.maximum(whole, 1e-12),
        usual=_find_leaving(obstacles, whole, None),
        broken=broken,
        dead=_leave_out(obstacles.broken - obstacles.unopened),
        denied=_leave_out(obstacles.denied),
        forbidden=_leave_out(accepted * obstacles.forbidden),
        turned_away=_leave_out(accepted * allowed * obstacles.turned_away),
        delays=np.concatenate((obstacles.delay, np.zeros(len(layout.entry_route)))),
    )


def _find_leaving(found: Obstacles, whole: Floats, connected: Floats | None) -> Leaving:
    """What becomes of attempts, of which the share `connected` finds a connection in a whole pool; None if all do."""
    usable = whole if connected is None else whole * connected
    placed = 1.0 - found.stale - found.unresolved
    reaching = usable * ((1.0 - found.loss) * placed * (1.0 - found.distrusted))
    return Leaving(
        reaching=reaching,
        entering=reaching * (1.0 - found.denied) * (1.0 - found.forbidden) * (1.0 - found.turned_away),
        unpooled=None if connected is None else whole * (1.0 - connected),
        lost=_leave_out(usable * placed * found.loss),
        unheard=_leave_out(usable * found.stale + found.unopened),
        unresolved=_leave_out(usable * found.unresolved),
        untrusted=_leave_out(usable * (1.0 - found.loss) * placed * found.distrusted),
    )


def _leave_out(share: Floats) -> Floats | None:
    """A share, None where it is nothing for all calls."""
    return share if np.count_nonzero(share) else None
