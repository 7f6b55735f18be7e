"""Every mutant of ``rules/`` that mutmut's operators make, and the lines by which its tests are found."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst
from mutmut.mutation.mutators import mutation_operators

NEVER_CALLED_OTHERWISE = frozenset({"len", "isinstance"})
"""mutmut leaves calls of these alone: without their arguments they only raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change of one module. ``number`` counts the mutants of that module, ``line`` is the first changed one."""

    path: str
    number: int
    line: int
    operator: str
    before: str
    after: str
    source: str

    @property
    def module(self) -> str:
        """The dotted name of the module it replaces."""
        return self.path.removesuffix(".py").replace("/", ".")

    @property
    def change(self) -> str:
        """What was changed, in one line."""
        return f"{self.before} -> {self.after}"


class _Visitor(libcst.CSTVisitor):
    """Collects (operator, node, changed node); annotations, decorators and imports stay as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, libcst.CSTNode, libcst.CSTNode]] = []

    def on_visit(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, libcst.Annotation | libcst.Decorator | libcst.Import | libcst.ImportFrom):
            return False
        if (
            isinstance(node, libcst.Call)
            and isinstance(node.func, libcst.Name)
            and node.func.value in NEVER_CALLED_OTHERWISE
        ):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(operator.__name__, node, changed) for changed in operator(node)]
        return True


@dataclass(frozen=True, slots=True)
class Changes:
    """What can be changed in one module, in the order of its tree."""

    path: str
    text: str
    tree: libcst.Module
    found: Sequence[tuple[str, libcst.CSTNode, libcst.CSTNode]]

    def __len__(self) -> int:
        return len(self.found)

    def mutant(self, number: int) -> Mutant:
        """The mutant of that number, from 0."""
        operator, node, changed = self.found[number]
        source = libcst.ensure_type(self.tree.deep_replace(node, changed), libcst.Module).code
        line, before, after = _difference(self.text, source)
        return Mutant(
            path=self.path,
            number=number,
            line=line,
            operator=operator.removeprefix("operator_"),
            before=before,
            after=after,
            source=source,
        )


def changes_of(path: str, text: str) -> Changes:
    """All that mutmut's operators change in that module."""
    tree, visitor = libcst.parse_module(text), _Visitor()
    tree.visit(visitor)
    return Changes(path=path, text=text, tree=tree, found=visitor.found)


def _difference(old: str, new: str) -> tuple[int, str, str]:
    """The number of the first changed line, and the changed lines before and after, each joined to one.

    Raises ValueError where nothing was changed.
    """
    was, now = old.splitlines(), new.splitlines()
    blocks = difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    changed = [block for block in blocks if block[0] != "equal"]
    if not changed:
        raise ValueError("the change changes no line")
    before = [was[i].strip() for _, i1, i2, _, _ in changed for i in range(i1, i2)]
    after = [now[j].strip() for _, _, _, j1, j2 in changed for j in range(j1, j2)]
    return changed[0][1] + 1, " ".join(before), " ".join(after)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a module's statements and functions are, by which a line is traced to the tests that run it."""

    tree: ast.Module

    def run_with(self, line: int) -> range:
        """The lines that run when the statement of that line does; empty where importing the module runs it.

        The head of a function runs with its body: a changed default shows there.
        """
        inside, smallest = False, range(0)
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.stmt) or not node.lineno <= line <= _end(node):
                continue
            inside = inside or isinstance(node, ast.FunctionDef)
            body = getattr(node, "body", None)
            if isinstance(node, ast.FunctionDef):
                lines = range(node.body[0].lineno, _end(node) + 1)
            elif body and line < body[0].lineno:
                lines = range(node.lineno, body[0].lineno)
            else:
                lines = range(node.lineno, _end(node) + 1)
            if not smallest or len(lines) <= len(smallest):
                smallest = lines
        return smallest if inside else range(0)

    def function_at(self, line: int) -> str:
        """The qualified name of the outermost function whose body holds that line; empty where there is none."""
        return next(self._functions(self.tree.body, line, ""), "")

    def _functions(self, body: Sequence[ast.stmt], line: int, prefix: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef):
                yield from self._functions(node.body, line, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef) and node.body[0].lineno <= line <= _end(node):
                yield f"{prefix}{node.name}"

    def names_at(self, line: int) -> frozenset[str]:
        """What the module- or class-level assignment on that line defines."""
        return frozenset(
            target.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno <= line <= _end(node)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        )

    def words_at(self, line: int) -> frozenset[str]:
        """The name of the class for which the assignment on that line defines a word, as those of enums do."""
        return frozenset(
            node.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ClassDef)
            for part in node.body
            if isinstance(part, ast.Assign) and part.lineno <= line <= _end(part)
        )

    def mentions(self, names: frozenset[str]) -> Iterator[range]:
        """The bodies of the functions in which one of the names stands, alone or after a dot."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and any(
                (isinstance(part, ast.Name) and part.id in names)
                or (isinstance(part, ast.Attribute) and part.attr in names)
                for part in ast.walk(node)
            ):
                yield range(node.body[0].lineno, _end(node) + 1)


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


Coverage = Mapping[str, Mapping[int, frozenset[str]]]
"""By path and line, the tests that run it."""


Mentions = Mapping[str, frozenset[str]]
"""By name, the tests in whose own text it stands."""


def mentions_of(sources: Mapping[str, str], tests: Sequence[str]) -> Mentions:
    """Of the names in the test functions of these files, which of the ``tests`` (``path::function[case]``) hold them."""
    found: dict[str, set[str]] = {}
    by_function: dict[str, list[str]] = {}
    for test in tests:
        by_function.setdefault(test.partition("[")[0], []).append(test)
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            cases = by_function.get(f"{path}::{node.name}") if isinstance(node, ast.FunctionDef) else None
            for part in ast.walk(node) if cases else ():
                if isinstance(part, ast.Name | ast.Attribute):
                    name = part.id if isinstance(part, ast.Name) else part.attr
                    found.setdefault(name, set()).update(cases or ())
    return {name: frozenset(held) for name, held in found.items()}


def covering(
    mutant: Mutant,
    layouts: Mapping[str, Layout],
    covered: Coverage,
    tests: Sequence[str],
    mentioned: Mentions,
) -> frozenset[str]:
    """The tests that may notice the mutant.

    Inside a function, those that run its statement. What importing a module runs has no test of its own: those
    that run a function anywhere which mentions what is defined there, those that mention it themselves (of a
    word of an enum, also the enum), and all tests where none does.
    """
    layout = layouts[mutant.path]
    lines = layout.run_with(mutant.line)
    if lines:
        return _at(covered, mutant.path, lines)
    names = layout.names_at(mutant.line)
    users = [(path, body) for path, other in layouts.items() for body in other.mentions(names)]
    own = [mentioned.get(name, frozenset()) for name in names | layout.words_at(mutant.line)]
    if not users and not any(own):
        return frozenset(tests)
    return frozenset().union(*own, *(_at(covered, path, body) for path, body in users))


def _at(covered: Coverage, path: str, lines: range) -> frozenset[str]:
    by_line = covered.get(path, {})
    return frozenset().union(*(by_line.get(line, frozenset()) for line in lines))


def layouts_of(sources: Mapping[str, str]) -> dict[str, Layout]:
    """The layout of each module by its path."""
    return {path: Layout(ast.parse(text)) for path, text in sources.items()}


def sources_of(tree: Path, folder: str) -> dict[str, str]:
    """The modules right in that folder of the tree, by their path from the tree, in order."""
    return {f"{folder}/{path.name}": path.read_text("utf-8") for path in sorted((tree / folder).glob("*.py"))}
