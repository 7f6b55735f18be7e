"""The server's log as JSON lines, which hold no text of an error: it could tell a plate, a name or a password."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType

CONTEXT = ("request_id", "code", "method", "route", "status", "seconds")
"""What of a record's own facts is written; anything else is not."""


class JsonLines(logging.Formatter):
    """One object a line: ``at``, ``level``, ``logger``, ``event``, the CONTEXT that there is, and of an error its kind and way."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": str(record.msg),  # without its arguments, which may be anything
        }
        line |= {name: getattr(record, name) for name in CONTEXT if hasattr(record, name)}
        if record.exc_info is not None and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["way"] = _way(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


def log_to_stderr_as_json() -> None:
    """From here on the process logs JSON lines to its standard error: requests and whatever is worse."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("api").setLevel(logging.INFO)


def _way(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
