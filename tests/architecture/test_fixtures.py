"""What tests/conftest.py promises: skips that turn into failures in CI, golden files, figures, no network."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project, in a folder of its own, whose tests have our conftest; not in CI."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv(
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"
    )  # none is needed, and importing them again is slow
    checkout = pytester.mkdir("checkout")
    (checkout / "tests").mkdir()
    (checkout / "tests" / "conftest.py").write_text(CONFTEST.read_text())
    (checkout / "pyproject.toml").write_text('[tool.pytest.ini_options]\nmarkers = ["footage: slow"]\n')
    monkeypatch.chdir(checkout)
    return pytester


def write_test(text: str) -> None:
    Path("tests/test_it.py").write_text(text)


def test_missing_shared_material_skips_with_the_reason(project: pytest.Pytester) -> None:
    write_test("def test_it(weights): pass")
    result = project.runpytest("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*'shared' beside the checkout*"])


def test_missing_shared_material_fails_in_ci(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    write_test("def test_it(weights): pass")
    project.runpytest().assert_outcomes(errors=1)


def test_shared_material_is_found_beside_the_checkout(project: pytest.Pytester) -> None:
    project.mkdir("shared").joinpath("README.md").touch()
    write_test(
        "def test_it(shared, weights): assert shared.joinpath('README.md').exists() and weights.suffix == '.onnx'"
    )
    project.runpytest().assert_outcomes(passed=1)


def test_cache_dir_follows_the_environment(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOPLINE_CACHE", str(project.path / "elsewhere"))
    write_test("def test_it(cache_dir): assert cache_dir.name == 'elsewhere' and cache_dir.is_dir()")
    project.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize(("first", "second"), [("'a'", "'b'"), (r"b'\xff'", r"b'\xfe'")])
def test_golden_files_change_only_when_told(project: pytest.Pytester, first: str, second: str) -> None:
    write_test(f"def test_it(golden): golden('x/y', {first})\ndef test_other(): assert False")
    result = project.runpytest()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*tests/golden/x/y is missing*"])
    project.runpytest("--golden").assert_outcomes(passed=1, deselected=1)
    project.runpytest().assert_outcomes(passed=1, failed=1)
    write_test(f"def test_it(golden): golden('x/y', {second})")
    project.runpytest().assert_outcomes(failed=1)


def test_golden_is_refused_in_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    write_test("def test_it(golden): golden('x', 'a')")
    assert project.runpytest("--golden").ret == pytest.ExitCode.USAGE_ERROR


def test_figures_are_printed_at_the_end(project: pytest.Pytester) -> None:
    write_test("def test_it(figure): figure('found', 4); figure('share', 0.123456)")
    result = project.runpytest()
    result.stdout.fnmatch_lines(["*measured figures*", "*test_it*", "*found = 4", "*share = 0.1235"])


def test_footage_tests_get_more_time_unless_they_say(project: pytest.Pytester) -> None:
    write_test(
        "import pytest\n"
        "def limit(request): return request.node.get_closest_marker('timeout').args[0]\n"
        "@pytest.mark.footage\n"
        "def test_it(request): assert limit(request) == 900\n"
        "@pytest.mark.footage\n@pytest.mark.timeout(60)\n"
        "def test_own(request): assert limit(request) == 60\n"
    )
    project.runpytest().assert_outcomes(passed=2)


def test_only_loopback_is_reachable(project: pytest.Pytester) -> None:
    write_test(
        "import socket, pytest\n"
        "def test_it():\n"
        "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
        "        socket.create_connection(server.getsockname()).close()\n"
        "def test_other():\n"
        "    with socket.socket() as client:\n"
        "        client.settimeout(0.01)\n"
        "        try: client.connect(('192.0.2.1', 80))\n"
        "        except Exception: pass\n"
    )
    result = project.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*loopback only, not to 192.0.2.1*"])
