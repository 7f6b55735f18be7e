"""Why rules have errors of their own: a caller must tell a site that makes no sense from a bug.

StoplineError            every error of ours: a stable ``code`` and whether trying again can help
└── SiteError            a site whose parts contradict each other
"""

from __future__ import annotations


class StoplineError(Exception):
    """The root of all our errors: ``code`` is stable, ``retryable`` says whether the same call may succeed later."""

    code = "internal"
    retryable = False


class SiteError(StoplineError):
    """A site whose parts contradict each other; ``field`` names the part as in the site file."""

    code = "site_invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
