"""Loading documents: YAML as version 1.2 reads it, with errors that name file, line, field and reason."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from itertools import islice
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError
from yaml.composer import Composer

from scenarios.authored import AuthoredIncident
from scenarios.consistency import Location, find_contradictions
from scenarios.document import IncidentDocument
from scenarios.errors import CloudIncidentError
from scenarios.library import digest_library

if TYPE_CHECKING:
    from pathlib import Path


MOST_BYTES = 4 << 20
MOST_NODES = 250_000
"""Values of a document at most, keys and lists included; what an alias or a merge stands for counts each time."""
MOST_LEVELS = 40
"""How deep values may stand in each other; an incident has some ten levels."""
MOST_PROBLEMS = 50
"""Problems of a document that are told, the first ones."""
_LONGEST_FIELD = 200
_LONGEST_REASON = 1_000


class DocumentError(CloudIncidentError):
    """A document that cannot be used. The message has one line per problem: `file:line: field: reason`."""

    code = "invalid_document"


class _TooMuchError(yaml.MarkedYAMLError):
    """A document that is larger than any incident, in levels or in values."""


class _CoreLoader(Composer, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as YAML 1.2 reads it: `on`, `no` and `14:02` are text. Repeated keys are errors.

    The composer is PyYAML's own in Python, over the parser in C: the one in C counts nothing and ends the process where
    values stand too deep in each other.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape

    def __init__(self, text: str) -> None:
        super(Composer, self).__init__(text)
        self.anchors: dict[str, yaml.Node] = {}
        self._sizes: dict[str, int] = {}
        self._levels = 0
        self._nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next value. Of an alias all that it stands for is counted, as a reader of the document would."""
        event: Any = self.peek_event()
        if self.check_event(yaml.AliasEvent):
            if event.anchor in self.anchors and event.anchor not in self._sizes:
                raise _TooMuchError(None, None, f"alias {event.anchor!r} stands in its own value", event.start_mark)
            self._count(self._sizes.get(event.anchor, 0), event)
            return super().compose_node(parent, index)
        before = self._nodes
        self._count(1, event)
        self._levels += 1
        if self._levels > MOST_LEVELS:
            raise _TooMuchError(None, None, f"more than {MOST_LEVELS} levels of values in each other", event.start_mark)
        node = super().compose_node(parent, index)
        self._levels -= 1
        if event.anchor is not None:
            self._sizes[event.anchor] = self._nodes - before
        return node

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise _TooMuchError(None, None, f"more than {MOST_NODES:,} values, aliases included", event.start_mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"repeated key {key.value!r}", key.start_mark)
                seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping

    def construct_number(self, node: yaml.ScalarNode) -> int:
        """A whole number, in decimal whatever zeros it begins with."""
        text = self.construct_scalar(node)
        if len(text) > _MOST_DIGITS or not re.fullmatch(r"[-+]?[0-9]+", text):
            raise yaml.constructor.ConstructorError(None, None, f"not a number: {text[:20]!r}", node.start_mark)
        return int(text, 10)

    def refuse_tag(self, node: yaml.Node) -> None:
        """Tags of any other kind have no place in a document."""
        raise yaml.constructor.ConstructorError(None, None, f"unknown tag {node.tag!r}", node.start_mark)


_MOST_DIGITS = 18
_CoreLoader.yaml_constructors = {
    tag: constructor
    for tag, constructor in _CoreLoader.yaml_constructors.items()
    if tag in {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "float", "str", "seq", "map")}
}
_CoreLoader.add_constructor("tag:yaml.org,2002:int", _CoreLoader.construct_number)
_CoreLoader.add_constructor(None, _CoreLoader.refuse_tag)

for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:merge", r"^<<$", "<"),
    ("tag:yaml.org,2002:null", r"^(?:~|null|)$", "~n\0"),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    _CoreLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def _read_text(path: Path) -> str:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # a pipe must not be waited for
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DocumentError(f"{path}:1: document: not a regular file")
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DocumentError(f"{path}:1: document: larger than {MOST_BYTES >> 20} MiB")
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path}:1: document: not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise DocumentError(f"{path}:1: document: cannot be read: {error.strerror}") from error


def load_document(path: Path) -> AuthoredIncident:
    """Load and validate one document.

    Raises:
        DocumentError: if the file is not YAML, does not have the shape of an incident, or contradicts itself.
    """
    text = _read_text(path)
    try:
        content = yaml.load(text, Loader=_CoreLoader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        what = "document" if isinstance(error, _TooMuchError) else "not YAML"
        raise DocumentError(f"{path}:{line}: {what}: {getattr(error, 'problem', None) or error}") from error
    try:
        document = IncidentDocument.model_validate(content)
    except ValidationError as error:
        problems = [(tuple(item["loc"]), item["msg"]) for item in error.errors(include_url=False)]
        raise DocumentError(_LineIndex(text).report(path, problems)) from error
    problems = list(islice(find_contradictions(document), MOST_PROBLEMS + 1))
    if problems:
        raise DocumentError(_LineIndex(text).report(path, problems))
    canonical = json.dumps([document.model_dump(mode="json"), digest_library()], sort_keys=True, ensure_ascii=False)
    return AuthoredIncident(document, hashlib.sha256(canonical.encode()).hexdigest())


class _LineIndex:
    """Finds the line of a field."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=_CoreLoader)
        self._children: dict[int, dict[str, tuple[yaml.Node, int]]] = {}

    def report(self, path: Path, problems: list[tuple[Location, str]]) -> str:
        rows = sorted(
            (self._line(where), ".".join(str(part) for part in where) or "document", reason)
            for where, reason in problems
        )
        told = [
            f"{path}:{line}: {field[:_LONGEST_FIELD]}: {reason[:_LONGEST_REASON]}"
            for line, field, reason in rows[:MOST_PROBLEMS]
        ]
        if len(rows) > MOST_PROBLEMS:
            told.append(
                f"{path}:{rows[MOST_PROBLEMS][0]}: document: {len(rows) - MOST_PROBLEMS:,} or more problems follow"
            )
        return "\n".join(told)

    def _line(self, where: Location) -> int:
        node, line = self._root, 1
        for part in where:
            child = self._find_child(node, part)
            if child is None:
                break
            node, line = child
        return line

    def _find_child(self, node: yaml.Node | None, part: int | str) -> tuple[yaml.Node, int] | None:
        if isinstance(node, yaml.MappingNode):
            child = self._list_children(node).get(str(part))
            if child is not None:
                return child
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            return node.value[part], node.value[part].start_mark.line + 1
        if isinstance(node, yaml.MappingNode) and part == 0:
            return node, node.start_mark.line + 1  # a lone variant, written without its list
        return None

    def _list_children(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, int]]:
        children = self._children.get(id(node))
        if children is None:
            children = self._children[id(node)] = {}
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    children.setdefault(key.value, (value, key.start_mark.line + 1))
        return children
