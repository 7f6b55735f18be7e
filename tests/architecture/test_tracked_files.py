"""What may not stand in the repository: registry hosts, paths of one machine, big files."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import CHECKOUT, tracked_files

MAX_BYTES = 12 * 1024 * 1024
REGISTRY_HOST = re.compile(
    r"\b(pypi[.]org|pythonhosted[.]org|npmjs[.](org|com)|yarnpkg[.]com|crates[.]io|proxy[.]golang[.]org|"
    r"(deb|security|ftp)[.]debian[.]org|archive[.]ubuntu[.]com|huggingface[.]co)\b"
)
MACHINE_PATH = re.compile(r"(?<![\w.$~-])/((root|work|workspace|mnt)/[\w.]|(home|Users)/[\w.]{2,})")
"""``/home/x`` passes: an invented home of one letter is nobody's."""


def fault(text: str) -> str | None:
    """The first registry host or machine path in the text."""
    match = REGISTRY_HOST.search(text) or MACHINE_PATH.search(text)
    return match[0] if match else None


def test_no_tracked_file_is_big() -> None:
    big = [path for path in tracked_files() if (CHECKOUT / path).stat().st_size > MAX_BYTES]
    assert not big, f"over 12 MB: {big}"


def test_no_tracked_file_names_a_registry_or_a_machine() -> None:
    found = []
    for path in tracked_files():
        data = (CHECKOUT / path).read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8", errors="replace").splitlines(), 1):
            if what := fault(line):
                found.append(f"{path}:{number} {what}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "is_fault"),
    [
        ("--index-url https://{}.org/simple".format("pypi"), True),
        ("file:///{}/x".format("root"), True),
        ("see {}/main/x".format("/work"), True),
        ("open('{}/me/x')".format("/home"), True),
        ("open('/home/x/y')", False),
        ("api/work/replay.py", False),
        ("./work/x and ../home/x and ~/work/x", False),
        ("GET /cameras/1", False),
    ],
)
def test_the_check_itself(text: str, is_fault: bool) -> None:
    assert (fault(text) is not None) is is_fault
