"""The versions of everything that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import version

import av

PACKAGES = ("av", "numpy", "onnxruntime", "opencv-python-headless", "scipy")


def stopline_version() -> str:
    """The version of the installed package."""
    return version("stopline")


def versions() -> dict[str, str]:
    """Name and version: Stopline, Python, the packages that pixels pass through, and FFmpeg's libavcodec."""
    found = {"stopline": stopline_version(), "python": platform.python_version()}
    found |= {name: version(name) for name in PACKAGES}
    found["libavcodec"] = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return found
