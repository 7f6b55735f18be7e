"""Reads the source of the rooms the way the architecture tests look at it: modules, what they import, what they use."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ROOMS = ("rules", "detector", "ingest", "evidence", "api")


@dataclass(frozen=True)
class Module:
    """One Python file; ``path`` is relative to the checkout, with forward slashes."""

    path: str

    @property
    def room(self) -> str:
        return self.path.split("/", 1)[0]

    @cached_property
    def text(self) -> str:
        return (CHECKOUT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of everything imported anywhere in the module, ``from a import b`` as ``a.b``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)

    def uses(self) -> Iterator[tuple[int, str]]:
        """(line, full dotted name) of each imported thing that is used, whatever name it was imported under."""
        full: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                full |= {
                    a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0]
                    for a in node.names
                }
            elif isinstance(node, ast.ImportFrom):
                full |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                base, _, rest = ast.unparse(node).partition(".")
                if base in full:
                    yield node.lineno, f"{full[base]}.{rest}".rstrip(".")


def modules(*folders: str) -> list[Module]:
    """Every Python file below these folders of the checkout, tracked or not, in order of path."""
    paths = (path for folder in folders for path in (CHECKOUT / folder).rglob("*.py"))
    return [Module(path.relative_to(CHECKOUT).as_posix()) for path in sorted(paths)]


def tracked_files() -> list[str]:
    """The path of each file that git tracks and that stands in the work tree, relative to the checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return [path for path in listing.stdout.split("\0") if path and (CHECKOUT / path).is_file()]
