"""The garbage collector of a process that makes and keeps incidents.

Incidents are hundreds of small objects without cycles: counting references frees them. A full collection walks all that
are kept and finds nothing, for 100 ms, in the midst of somebody's request.
"""

from __future__ import annotations

import gc

_YOUNG = 5_000
"""New objects, less those freed, before the young ones are looked through for cycles: a few ms."""
_OLDER = 20
_OLDEST = 100


def collect_seldom() -> None:
    """Have young cycles collected as ever and old ones seldom; what there is by now stays and is never walked again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
