"""The garbage collector of a process that starts quickly, and makes and keeps incidents.

An incident is hundreds of small objects without cycles, which are freed by counting references. A full collection
looks through all that are kept, 800 for each generated incident, and holds up whoever asks meanwhile: for 20 ms with
few incidents, for 100 ms with 256. But sessions of MCP and WebSockets leave cycles when they end, and those that were
open for longer than a few seconds are only found by a full one.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_YOUNG = 5_000
"""Objects made and not freed before the young ones are looked through for cycles, which takes a few ms."""
_OLDER = 20
"""Collections of the young before one of those that survived one."""
_OLDEST = 10
"""Collections of the survivors before a full one. It waits besides until there are a quarter more survivors."""


def collect_seldom() -> None:
    """Collect young cycles as usual and old ones seldom. What exists by now is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)


@contextmanager
def exempt_imports() -> Iterator[None]:
    """Collect nothing meanwhile, and never look through what is imported.

    The imports of the MCP server make 140,000 objects, of which 1,300 could be freed. Looking through all takes 80 ms.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
