"""From pixels to boxes, tracks, lamp states and plate readings.

ONNX Runtime (1.32 also on Linux) keeps a device id and reports its use to its maker as soon as it is loaded, unless it
is told not to before that. No request leaves a Stopline server.
"""

from __future__ import annotations

import os

os.putenv("ORT_DISABLE_TELEMETRY", "1")
