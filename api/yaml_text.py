"""Turns YAML text into plain values and remembers on which line each of them stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import yaml

from api.errors import ConfigInvalidError, Problem

Place = tuple[str | int, ...]
"""The way from the top of a document to a value: keys and list indices."""

MAX_BYTES = 1_000_000
"""A site file of a thousand zones is some 300 kB; more is not a site file."""

MAX_DEPTH = 20
"""A site file nests eight levels deep; the limit keeps a hostile one from exhausting the stack."""

_NO_TAGS = "tags (!…) are not understood here: write the plain value"
_PREFIX = "tag:yaml.org,2002:"
_SCALARS = {
    "null": re.compile(r"^(?:~|null|)$"),
    "bool": re.compile(r"^(?:true|false)$"),
    "int": re.compile(r"^[-+]?[0-9]+$"),
    "float": re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
}


class _Loader(yaml.SafeLoader):
    """Composes nodes only, with the plain scalars of YAML 1.2: ``22:00``, ``no`` and ``on`` stay text."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases (& and *) are not understood here: write the value out",
                problem_mark=event.start_mark,
            )
        if self.depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem=f"nested more than {MAX_DEPTH} levels deep", problem_mark=event.start_mark
            )
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


for _kind, _pattern in _SCALARS.items():
    _Loader.add_implicit_resolver(_PREFIX + _kind, _pattern, None)


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """The plain values of a document (dict, list, str, int, float, bool, None) and the lines (from 1) they stand on."""

    file: str
    value: object
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of the value at ``place``, or of the nearest part of the document that holds it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse_yaml(data: bytes, file: str) -> YamlDocument:
    """The document as plain values.

    ``file`` is the name that errors give. Raises ConfigInvalidError for text that is too long, isn't UTF-8
    or YAML, holds several documents, anchors, aliases or tags, nests too deep, or gives a key twice.
    """
    if len(data) > MAX_BYTES:
        raise _invalid(file, None, f"{len(data)} bytes long; at most {MAX_BYTES} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data[: exc.start].count(b"\n") + 1
        raise _invalid(file, line, "not UTF-8 text; save the file as UTF-8") from exc
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        what = " ".join(part for part in (exc.context, exc.problem) if part)
        raise _invalid(file, mark.line + 1 if mark else None, f"not valid YAML: {what}") from exc
    except yaml.YAMLError as exc:
        raise _invalid(file, None, f"not valid YAML: {exc}") from exc
    if node is None:
        raise _invalid(file, 1, "the file is empty")
    lines: dict[Place, int] = {}
    problems: list[Problem] = []
    value = _value(node, (), file, lines, problems)
    if problems:
        raise ConfigInvalidError(problems)
    return YamlDocument(file, value, MappingProxyType(lines))


def field_text(place: Place) -> str:
    """The place as people write it: ``cameras[0].stop_lines[1].line``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _invalid(file: str, line: int | None, message: str) -> ConfigInvalidError:
    return ConfigInvalidError([Problem(file=file, line=line, field="", message=message)])


def _value(
    node: yaml.Node, place: Place, file: str, lines: dict[Place, int], problems: list[Problem]
) -> object:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)

    def problem(at: Place, at_line: int, message: str) -> None:
        problems.append(Problem(file=file, line=at_line, field=field_text(at), message=message, place=at))

    kind = str(node.tag).removeprefix(_PREFIX)
    if (isinstance(node, yaml.MappingNode) and kind != "map") or (
        isinstance(node, yaml.SequenceNode) and kind != "seq"
    ):
        problem(place, line, _NO_TAGS)
        return None
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                problem(place, key_line, "a field's name must be plain text")
                continue
            key = str(key_node.value)
            if key in mapping:
                first = lines[(*place, key)]
                problem((*place, key), key_line, f"given twice (first on line {first}); keep one of them")
                continue
            lines[(*place, key)] = key_line
            mapping[key] = _value(value_node, (*place, key), file, lines, problems)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*place, i), file, lines, problems) for i, child in enumerate(node.value)]
    text = str(node.value)
    if kind == "str":
        return text
    if kind not in _SCALARS or not _SCALARS[kind].match(text):
        problem(place, line, _NO_TAGS)
        return None
    if kind == "null":
        return None
    if kind == "bool":
        return text == "true"
    return int(text) if kind == "int" and len(text) < 20 else float(text)
