"""Finds a case's package for those who make something from it, and hands it out only where it verifies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.settings import Settings
from api.work.custody import DEMO_KEY
from api.work.package_store import derived_files
from api.work.verify import verify_case
from evidence.canonical import sha256_hex
from evidence.chain_file import FOLDER
from evidence.derived import DerivedFiles
from evidence.durable import Disk
from evidence.errors import PackageDamagedError
from evidence.keys import KeyFolder, PublishedKey, demo_signer, read_published
from evidence.manifest import NAME, Summary, summary
from evidence.store import PackageStore
from evidence.verification import Check, State, Trust
from rules.errors import StoplineError

MOST_TOLD = 5


class PackageUnverifiedError(StoplineError):
    """The package of ``case_id`` does not verify; ``failed`` are the checks that say how."""

    code = "not_verified"

    def __init__(self, case_id: str, failed: tuple[Check, ...]) -> None:
        told = "; ".join(f"{check.subject}: {check.says}" for check in failed[:MOST_TOLD])
        more = f" (and {len(failed) - MOST_TOLD} more)" if len(failed) > MOST_TOLD else ""
        super().__init__(
            f"case {case_id} does not verify, so nothing is made from it: {told}{more}. 'stopline evidence verify' says "
            "all; put back what was sealed from a backup, or leave this case out"
        )
        self.case_id = case_id
        self.failed = failed


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPackage:
    """A package whose files, manifest, signature, derived list and place in its chain were found in order."""

    case_id: str
    said: Summary
    store: PackageStore
    derived: DerivedFiles

    def read(self, name: str) -> bytes:
        """The bytes of a file of it, compared once more. Raises PackageMissingError, PackageDamagedError and what its store
        raises.
        """
        data = self.store.read(self.case_id, name)
        sealed = {NAME: self.said.sha256, **{file.name: file.sha256 for file in self.said.files}}
        if name in sealed and sha256_hex(data) != sealed[name]:
            raise PackageDamagedError(self.case_id, name, "its SHA-256 is another than a moment ago")
        return data


def sound_package(data: Path, case_id: str, store: PackageStore) -> SoundPackage:
    """The package of that case in ``store``. Who signed it is not asked here: that is for whoever gets it to ask.

    Raises UsageError for a case that is not there, PackageUnverifiedError, and what the store raises.
    """
    found = verify_case(data, case_id, store, Trust())
    failed = tuple(check for part in found.parts for check in part.checks if check.state is State.FAILED)
    if failed:
        raise PackageUnverifiedError(case_id, failed)
    return SoundPackage(
        case_id=case_id,
        said=summary(case_id, store.read(case_id, NAME)),
        store=store,
        derived=derived_files(data, store, case_id),
    )


def published_keys(data: Path, settings: Settings, given: Path | None) -> tuple[PublishedKey, ...]:
    """The office's public keys: those of the file ``given``, else of the key folder, else the data folder's demo key.

    Raises KeysError.
    """
    if given is not None:
        return read_published(given)
    if settings.keys is not None:
        return KeyFolder(settings.keys, Disk()).published()
    demo = data / FOLDER / DEMO_KEY
    if not demo.is_file():
        return ()
    return (PublishedKey(key=demo_signer(demo).public, label="demo key of the data folder"),)
