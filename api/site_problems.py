"""Says what pydantic found in a site file in an engineer's words: the line, the field, and what would be right."""

from __future__ import annotations

import typing
from collections.abc import Mapping

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from api.errors import Problem
from api.suggest import did_you_mean
from api.yaml_text import Place, YamlDocument, field_text


def problems_of(error: ValidationError, document: YamlDocument, model: type[BaseModel]) -> list[Problem]:
    """Every error of a validation of ``document`` against ``model``, with its line."""
    return [_problem(details, document, model) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, document: YamlDocument, model: type[BaseModel]) -> Problem:
    place: Place = details["loc"]
    return Problem(
        file=document.file,
        line=document.line(place),
        field=field_text(place),
        message=_message(details, model),
        place=place,
    )


def _message(details: ErrorDetails, model: type[BaseModel]) -> str:
    place, kind, value = details["loc"], details["type"], details["input"]
    fields = _fields_at(model, place[:-1])
    field = fields.get(str(place[-1])) if place else None
    if kind == "extra_forbidden":
        hint = did_you_mean(str(place[-1]), fields) or f"; known here: {', '.join(fields)}"
        return f"unknown field{hint}"
    if kind == "missing":
        return f"missing: {field.description}" if field else "a value is missing here"
    if kind in {"enum", "literal_error"} and isinstance(value, str):
        known = str(details.get("ctx", {}).get("expected", ""))
        names = [name.strip(" '") for name in known.replace(" or ", ",").split(",")]
        return f"{value!r} is not known here{did_you_mean(value, names)} (one of {', '.join(names)})"
    if kind == "string_pattern_mismatch":
        return f"{value!r}: only letters, digits, - and _ are allowed, 1 to 40 of them"
    if kind == "string_type" and isinstance(value, int | float):
        return f"{value} is a number and text is wanted; put it in quotes"
    if kind in _WANTED:
        return f"{_WANTED[kind]}{f' ({field.description})' if field else ''}"
    message = details["msg"][0].lower() + details["msg"][1:]
    shown = f"{value!r}: " if isinstance(value, str | int | float) and kind not in _SELF_CONTAINED else ""
    wanted = f" ({field.description})" if field and kind not in _SELF_CONTAINED else ""
    return f"{shown}{message}{wanted}"


_WANTED = {
    "model_type": "named fields are wanted here",
    "tuple_type": "a list is wanted here",
    "too_long": "the list has too many values",
}
"""What pydantic calls by names that only a programmer knows."""

_SELF_CONTAINED = frozenset(
    {
        "box_order",
        "closed_twice",
        "empty_list",
        "few_corners",
        "half_a_place",
        "no_area",
        "no_length",
        "outside_picture",
        "retention_order",
        "self_crossing",
        "stream_account",
        "stream_long",
        "stream_scheme",
        "time_of_day",
        "window",
    }
)
"""Error types of our own validators; their text needs neither the value nor the field's description."""


def _fields_at(model: type[BaseModel], place: Place) -> Mapping[str, FieldInfo]:
    """The fields, by the names used in the file, of the part of the document at ``place``."""
    part: type[BaseModel] | None = model
    for step in place:
        if isinstance(step, int) or part is None:
            continue
        field = _by_written_name(part).get(step)
        part = _model_within(field.annotation) if field else None
    return _by_written_name(part) if part else {}


def _by_written_name(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_within(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        found = _model_within(inner)
        if found is not None:
            return found
    return None
