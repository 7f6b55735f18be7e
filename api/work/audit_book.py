"""The audit as it is read: queried, exported as lines, and verified, here or elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from api.records import audit
from api.records.audit import AuditEntry, AuditLine, AuditQuery, verified
from evidence.database import Database
from rules.errors import StoplineError

AT_ONCE = 1_000


class AuditFileError(StoplineError):
    """A file that is no exported audit; ``line`` counts from 1."""

    code = "input_unreadable"

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(f"{path}:{line}: {why}")


class AuditBook:
    """Reads the audit of ``database``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, entry: AuditEntry) -> None:
        """The entry stands in the audit: whatever it tells may be done from now on."""
        with self._database.write() as tx:
            audit.append(tx, entry)

    def found(self, wanted: AuditQuery, *, before_number: int | None, limit: int) -> Sequence[AuditLine]:
        """Up to ``limit`` lines that fit and have a lower number, the newest first."""
        with self._database.read() as tx:
            return audit.found(tx, wanted, before_number=before_number, limit=limit)

    def verified(
        self, head: AuditLine | None = None, seen: Callable[[AuditLine], AuditLine] = lambda line: line
    ) -> int:
        """How many lines there are, all of which fit, ``head`` among them; ``seen`` is told each. Raises AuditBrokenError."""
        with self._database.read() as tx:
            return verified(map(seen, audit.lines(tx)), head)

    def exported(self) -> Iterator[str]:
        """The lines with their hashes, as JSON texts."""
        with self._database.read() as tx:
            for line in audit.lines(tx):
                yield json.dumps({"sha256": line.sha256, "line": line.line}, ensure_ascii=False)


def exported_lines(path: Path) -> Iterator[AuditLine]:
    """The lines of an exported audit. Raises AuditFileError."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                try:
                    said = json.loads(text)
                    told = json.loads(said["line"])
                    said["line"].encode()  # half a character could not have been hashed
                    yield AuditLine(
                        number=int(told["number"]), line=str(said["line"]), sha256=str(said["sha256"])
                    )
                except (ValueError, KeyError, TypeError) as exc:
                    raise AuditFileError(path, number, f"is no line of an exported audit ({exc})") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise AuditFileError(path, 0, getattr(exc, "strerror", None) or str(exc)) from exc
