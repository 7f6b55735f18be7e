"""The inference runtime leaves nothing behind and reports nothing to its maker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_loading_a_model_writes_no_device_id_and_no_report(tmp_path: Path) -> None:
    """Without the switch in ``detector/__init__.py``, ONNX Runtime 1.32 keeps both under the home folder."""
    script = (
        "from pathlib import Path; from detector.weights import load_weights; "
        "load_weights(Path('models/stopline_default.onnx'))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=CHECKOUT,
        env={**environment, "HOME": str(tmp_path), "PYTHONPATH": str(CHECKOUT)},
        check=True,
        timeout=60,
    )
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == []
