"""What was computed last, for parts of a step that seldom change: whatever they depend on is compared byte by byte.

Most of a system stays as it is from one step to the next: the same instances run, with the same releases and limits.
To compare some bytes costs a tenth of what it costs to compute anew, and finds every change, whoever made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")
Arguments = TypeVarTuple("Arguments")


class Memory:
    """The last result of some functions, each with what was `seen` when it was computed: bytes, and objects.

    A result is shared, so nobody may change it. It follows from what was seen and from the layout alone, so runs that
    have a layout in common may have its memory in common too.
    """

    __slots__ = ("_at_rest", "_results")

    def __init__(self) -> None:
        self._results: dict[Callable[..., Any], tuple[tuple[object, ...], Any]] = {}
        self._at_rest: dict[str, tuple[object, ...]] = {}

    def get(
        self,
        seen: tuple[object, ...],
        compute: Callable[[*Arguments], Value],
        *args: *Arguments,
    ) -> Value:
        """What a function gives, of which the last result is taken if the same was seen then."""
        last = self._results.get(compute)
        if last is not None and last[0] == seen:
            result: Value = last[1]
            return result
        result = compute(*args)
        self._results[compute] = seen, result
        return result

    def is_at_rest(self, part: str, seen: tuple[object, ...]) -> bool:
        """Whether a step has left a part of the state as it was when the same was seen."""
        return self._at_rest.get(part) == seen

    def note_rest(self, part: str, seen: tuple[object, ...]) -> None:
        """A step leaves a part of the state as it is while this is seen."""
        self._at_rest[part] = seen
