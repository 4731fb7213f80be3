"""What other modules attach to declared actions and tasks: complete, or the import fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Declared(Protocol):
    """Something that the vocabulary declares. Its key is unique among its kind."""

    @property
    def key(self) -> str: ...


Declaration = TypeVar("Declaration", bound=Declared)
Attached = TypeVar("Attached")


class AttachmentError(TypeError):
    """A declared object to which a package has attached nothing, or an attachment to something undeclared."""


class Attachments(Generic[Declaration, Attached]):
    """One value for every declared object of a kind, such as a renderer for each diagnostic.

    A package that knows of declared objects keeps what is its own here. A missing value is found when the package is
    imported, not when an agent uses the object.

    Raises:
        AttachmentError: if a declared object has no value, or a value stands for an object that is not declared.
    """

    def __init__(self, what: str, declared: Iterable[Declaration], attached: Mapping[Declaration, Attached]) -> None:
        self._by_key = {declaration.key: value for declaration, value in attached.items()}
        wanted = [declaration.key for declaration in declared]
        missing = [key for key in wanted if key not in self._by_key]
        undeclared = [key for key in self._by_key if key not in wanted]
        if missing or undeclared:
            problems = [f"missing for {', '.join(missing)}"] if missing else []
            problems += [f"given for {', '.join(undeclared)}, which is not declared"] if undeclared else []
            raise AttachmentError(f"{what}: {'; '.join(problems)}.")

    def __getitem__(self, declaration: Declaration) -> Attached:
        return self._by_key[declaration.key]

    def __iter__(self) -> Iterator[Attached]:
        """The attached values, in the order in which they were given."""
        return iter(self._by_key.values())
