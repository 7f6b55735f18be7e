"""What the process's exit code tells its caller, and which error leads to which."""

from __future__ import annotations

from enum import IntEnum

from api.errors import (
    AllInputsFailedError,
    ConfigInvalidError,
    InterruptedRunError,
    SomeInputsFailedError,
    UndeliveredError,
    UsageError,
)
from api.model_manifest import ManifestError, ModelFileError
from api.work.models import WheelError, WheelUnavailable
from api.work.observation_lines import ObservationLineError
from detector.errors import WeightsError
from evidence.credentials import CredentialsError
from evidence.errors import StoreConflictError, StoreRefusedError, StoreUnavailableError
from evidence.keys import KeysError
from evidence.records import CaseRemovedError, LegalHoldError
from evidence.time_stamp import AuthorityUnavailableError, TimeStampError
from evidence.verify_folder import NothingToVerifyError
from ingest.errors import IngestError
from rules.errors import SiteError, StoplineError


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIG_INVALID = 3
    INPUT_UNREADABLE = 4
    SOME_FAILED = 5
    GATE_FAILED = 6
    SERVER = 7
    NOT_VERIFIED = 8
    SIGNER_UNKNOWN = 9
    INTERRUPTED = 130


_BY_CLASS: tuple[tuple[type[StoplineError], ExitCode], ...] = (
    (UsageError, ExitCode.USAGE),
    (LegalHoldError, ExitCode.USAGE),
    (CaseRemovedError, ExitCode.USAGE),
    (ConfigInvalidError, ExitCode.CONFIG_INVALID),
    (SiteError, ExitCode.CONFIG_INVALID),
    (WeightsError, ExitCode.CONFIG_INVALID),
    (ManifestError, ExitCode.CONFIG_INVALID),
    (ModelFileError, ExitCode.CONFIG_INVALID),
    (AuthorityUnavailableError, ExitCode.SERVER),
    (TimeStampError, ExitCode.CONFIG_INVALID),
    (CredentialsError, ExitCode.CONFIG_INVALID),
    (KeysError, ExitCode.CONFIG_INVALID),
    (StoreUnavailableError, ExitCode.SERVER),
    (UndeliveredError, ExitCode.SERVER),
    (StoreRefusedError, ExitCode.CONFIG_INVALID),
    (StoreConflictError, ExitCode.NOT_VERIFIED),
    (NothingToVerifyError, ExitCode.INPUT_UNREADABLE),
    (WheelUnavailable, ExitCode.SERVER),
    (WheelError, ExitCode.CONFIG_INVALID),
    (AllInputsFailedError, ExitCode.INPUT_UNREADABLE),
    (SomeInputsFailedError, ExitCode.SOME_FAILED),
    (IngestError, ExitCode.INPUT_UNREADABLE),
    (ObservationLineError, ExitCode.INPUT_UNREADABLE),
    (InterruptedRunError, ExitCode.INTERRUPTED),
)

_BY_CODE = {
    "config_invalid": ExitCode.CONFIG_INVALID,
    "input_unreadable": ExitCode.INPUT_UNREADABLE,
    "server": ExitCode.SERVER,
    "not_verified": ExitCode.NOT_VERIFIED,
    "derived_damaged": ExitCode.NOT_VERIFIED,
    "derived_exists": ExitCode.USAGE,
    "account_exists": ExitCode.USAGE,
    "account_unknown": ExitCode.USAGE,
    "last_administrator": ExitCode.USAGE,
    "backup": ExitCode.INPUT_UNREADABLE,
    "export": ExitCode.USAGE,
    "records_busy": ExitCode.SERVER,
    "records_unusable": ExitCode.INPUT_UNREADABLE,
    "redaction": ExitCode.USAGE,
}
"""For errors of use cases that say by their ``code`` what they are."""


def exit_code_of(error: StoplineError) -> ExitCode:
    """The exit code for that error; INTERNAL for one whose cause isn't the caller's."""
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return code
    return _BY_CODE.get(error.code, ExitCode.INTERNAL)
