"""The table of what is tried against the service names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROWS = (
    "injection",
    "path traversal",
    "SSRF",
    "IDOR",
    "session fixation",
    "replay",
    "bodies",
    "decompression bombs",
    "malicious video",
    "malicious YAML",
)


def test_every_row_of_the_table_names_tests_that_exist() -> None:
    rows = [
        line.split("|")
        for line in (CHECKOUT / "docs" / "abuse.md").read_text("utf-8").splitlines()
        if line.startswith("| ")
    ][1:]
    for wanted in ROWS:
        assert any(wanted in row[1] for row in rows), wanted
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[3])
        assert named, row[1]
        for path, name in named:
            tree = ast.parse((CHECKOUT / path).read_text("utf-8"))
            assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)], (
                path,
                name,
            )
