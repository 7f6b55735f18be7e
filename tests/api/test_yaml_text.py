"""YAML becomes plain values with their lines; what could surprise or hurt is refused with a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ConfigInvalidError
from api.yaml_text import MAX_BYTES, field_text, parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 22:00", {"a": "22:00"}),
        ("a: no", {"a": "no"}),
        ("a: on", {"a": "on"}),
        ("a: 012", {"a": 12}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: true", {"a": True}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: 1.", {"a": 1.0}),
        ("a: -.5", {"a": -0.5}),
        ("a: '1'", {"a": "1"}),
        ("a: <<", {"a": "<<"}),
        ("\ufeffa: 浙", {"a": "浙"}),
    ],
)
def test_plain_scalars_mean_what_they_look_like(text: str, value: object) -> None:
    assert parse_yaml(text.encode(), "f.yaml").value == value


def test_every_value_has_its_line() -> None:
    document = parse_yaml(b"a: 1\nb:\n  - x: 2\n    y:\n      3\n  - [4,\n     5]\n", "f.yaml")
    assert document.line(("a",)) == 1
    assert document.line(("b", 0, "x")) == 3
    assert document.line(("b", 0, "y")) == 4
    assert document.line(("b", 1, 1)) == 7
    assert document.line(("b", 0, "missing", "deeper")) == 3


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"# only a remark\n", 1, "the file is empty"),
        (b"a: 1\nb: \xff", 2, "not UTF-8"),
        (b"a: 1\n\tb: 2", 2, "not valid YAML"),
        (b"a: [1,\n2", 2, "not valid YAML"),
        (b"a: 1\na: 2\n", 2, "a: given twice (first on line 1)"),
        (b"b: {c: 1, c: 2}", 1, "b.c: given twice"),
        (b"a: 1\n---\nb: 1", 2, "single document"),
        (b"a: &x 1\nb: *x", 1, "anchors and aliases"),
        (b"a: !!python/object/apply:os.system [x]", 1, "tags (!…) are not understood"),
        (b"a: !!int x", 1, "tags (!…) are not understood"),
        (b"? [1]\n: 2", 1, "a field's name must be plain text"),
        (b"a: " + b"[" * 50, 1, "nested more than 20 levels deep"),
        (b"a: \x00", None, "not valid YAML"),
    ],
)
def test_what_is_refused_is_refused_with_its_line(data: bytes, line: int | None, message: str) -> None:
    with pytest.raises(ConfigInvalidError) as caught:
        parse_yaml(data, "f.yaml")
    assert caught.value.problems[0].line == line
    assert message in str(caught.value)
    assert str(caught.value).startswith("f.yaml")


def test_a_file_that_is_far_too_long_is_not_parsed() -> None:
    with pytest.raises(ConfigInvalidError, match="at most"):
        parse_yaml(b"a" * (MAX_BYTES + 1), "f.yaml")


def is_document_or_problem(data: bytes) -> bool:
    try:
        parse_yaml(data, "f.yaml")
    except ConfigInvalidError as exc:
        return bool(exc.problems)
    return True


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_a_named_problem(data: bytes) -> None:
    assert is_document_or_problem(data)


@given(st.text(alphabet="ab:-[]{}?!&*#'\"\n ,|>%@`~0.", max_size=60))
def test_any_text_is_a_document_or_a_named_problem(text: str) -> None:
    assert is_document_or_problem(text.encode())


def test_a_place_reads_like_a_path() -> None:
    assert field_text(("cameras", 0, "stop_lines", 1, "line")) == "cameras[0].stop_lines[1].line"
    assert field_text(()) == ""
