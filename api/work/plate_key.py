"""Keyed hashes of plates: the audit tells that one plate was searched twice, and not which."""

from __future__ import annotations

import hmac
import os
from hashlib import sha256
from pathlib import Path

from api.work.secrets import new_secret

FILE = "audit.key"
"""In the data folder, not in the records: who has these alone could try every plate."""


class PlateKey:
    """The key of a data folder, made with the first plate."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def hash(self, plate: str) -> str:
        """The first 128 bits of HMAC-SHA256 of the text, as hex. Raises OSError where the key cannot be had."""
        return hmac.new(self._key(), plate.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:32]

    def _key(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            pass
        part = self._path.with_name(f".{FILE}.{os.getpid()}.{new_secret()[:8]}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_secret().encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, self._path)  # the first that makes it wins
        except FileExistsError:
            pass
        finally:
            part.unlink()
        return self._path.read_bytes()
