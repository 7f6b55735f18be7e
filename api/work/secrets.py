"""Secrets that people carry: made at random, kept as their hash."""

from __future__ import annotations

import hashlib
import secrets

BYTES = 32
"""256 random bits: guessing is hopeless, so that a plain SHA-256 is enough to keep."""


def new_secret(prefix: str = "") -> str:
    """A secret nobody had before; safe in addresses and headers."""
    return prefix + secrets.token_urlsafe(BYTES)


def kept(secret: str) -> str:
    """What is kept of it: its SHA-256, hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
