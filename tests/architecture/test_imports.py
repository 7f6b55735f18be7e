"""The table of the design's section 1: what each room may import besides itself and the rooms below it."""

from __future__ import annotations

import sys
import tomllib

import pytest

from tests.architecture.source import CHECKOUT, ROOMS, Module, modules

RULES_STANDARD_LIBRARY = frozenset(
    {
        "__future__",
        "bisect",
        "collections.abc",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "itertools",
        "math",
        "types",  # MappingProxyType, for tables that nobody can change
        "typing",
    }
)
"""What a pure rule needs; no json, re, hashlib, logging, random, time, os, pathlib."""

THIRD_PARTY: dict[str, frozenset[str]] = {
    "rules": frozenset(),
    "detector": frozenset(
        {"numpy", "cv2", "onnxruntime", "openvino", "scipy"}
    ),  # openvino: an extra behind one door
    "ingest": frozenset({"numpy", "av", "paho"}),
    "evidence": frozenset(
        {
            "numpy",
            "av",
            "bagit",
            "cv2",
            "fpdf",
            "PIL",
            "sqlalchemy",
            "alembic",
            "cryptography",
            "minio",
            "urllib3",
            "c2pa",
            "rfc3161_client",  # extras, each behind one door
        }
    ),
    "api": frozenset(
        {
            "alembic",
            "argon2",
            "authlib",
            "av",
            "click",
            "cv2",
            "fastapi",
            "joserfc",
            "jsonschema",
            "numpy",
            "onnxruntime",
            "PIL",
            "prometheus_client",
            "pydantic",
            "pydantic_core",
            "rich",
            "scipy",
            "sqlalchemy",
            "starlette",
            "tzdata",
            "urllib3",
            "uvicorn",
            "yaml",
        }
    ),
}
"""Third-party packages by room. Which rooms may import each other is import-linter's to hold."""


def foreign_imports(module: Module) -> list[str]:
    """The imports of the module that its room's row doesn't allow, as 'path:line imports name'."""
    allowed = THIRD_PARTY[module.room]
    found = []
    for line, name in module.imports():
        top = name.split(".")[0]
        if top in sys.stdlib_module_names:
            parents = {name.rsplit(".", depth)[0] for depth in range(name.count(".") + 1)}
            is_allowed = module.room != "rules" or bool(parents & RULES_STANDARD_LIBRARY)
        else:
            is_allowed = top in ROOMS or top in allowed
        if not is_allowed:
            found.append(f"{module.path}:{line} imports {name}")
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_room_imports_only_what_its_row_allows(room: str) -> None:
    found = [line for module in modules(room) for line in foreign_imports(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "text", "allowed"),
    [
        ("rules/a.py", "from collections.abc import Sequence", True),
        ("rules/a.py", "from collections import abc", True),
        ("rules/a.py", "from collections import deque", False),
        ("rules/a.py", "import math, json", False),
        ("rules/a.py", "def f():\n    import numpy", False),
        ("rules/a.py", "from rules.geometry import center", True),
        ("detector/a.py", "import scipy.optimize, json", True),
        ("detector/a.py", "from av import open", False),
        ("detector/a.py", "import torch", False),
        ("ingest/a.py", "import cv2", False),
        ("evidence/a.py", "from PIL import Image", True),
        ("evidence/a.py", "import fastapi", False),
        ("api/a.py", "import httpx", False),
    ],
)
def test_the_check_itself(path: str, text: str, allowed: bool) -> None:
    module = Module(path)
    module.__dict__["text"] = text
    assert (foreign_imports(module) == []) is allowed


def test_rooms_are_the_packages_of_pyproject() -> None:
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = config["tool"]["setuptools"]["packages"]
    assert (
        {package.split(".")[0] for package in packages} - {"models"}
        == set(ROOMS)
        == set(config["tool"]["importlinter"]["root_packages"])
    )
