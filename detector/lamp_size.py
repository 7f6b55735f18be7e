"""How large a signal head must be in the picture to be read; apart from the reader, so that site files are checked without it."""

from __future__ import annotations

MIN_LONG_PX, MIN_SHORT_PX = 12, 5
"""A smaller box has fewer than two chroma samples per lamp: ``unknown``."""
