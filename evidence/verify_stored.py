"""Verifies packages that a store keeps elsewhere: fetched one at a time, and looked at as any package's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from evidence import manifest
from evidence.derived import FOLDER as DERIVED
from evidence.errors import PackageMissingError
from evidence.spool import CASE_ID
from evidence.store import PackageStore, is_file_name
from evidence.verification import Findings, Trust
from evidence.verify_package import VerifiedPackage, verify_package


def verify_stored(store: PackageStore, trust: Trust, strays: Findings) -> Iterator[VerifiedPackage]:
    """Every package of the store, in order of their ids; what is there and is no package is a finding of ``strays``.

    Raises StoreUnavailableError and StoreRefusedError.
    """
    for name in store.unfinished():
        strays.fail(
            name,
            (),
            f"it has no {manifest.NAME}: an interrupted run left it, and 'stopline evidence sweep' finishes or "
            "removes that; or its manifest was taken away",
        )
    for case_id in store.ids():
        if CASE_ID.fullmatch(case_id):
            yield verify_fetched(store, case_id, trust)
        else:
            strays.fail(case_id, (), "no case can have that id")


def verify_fetched(store: PackageStore, case_id: str, trust: Trust) -> VerifiedPackage:
    """The package, fetched whole into a scratch folder. Raises StoreUnavailableError and StoreRefusedError."""
    with TemporaryDirectory(prefix="stopline-verify-") as scratch:
        folder = Path(scratch) / case_id
        folder.mkdir()
        strange = []
        for name in store.names(case_id):
            if not is_file_name(name):
                strange.append(name)
                continue
            try:
                data = store.read(case_id, name)
            except PackageMissingError:
                continue  # gone between the list and now: the manifest's list finds that
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        found = verify_package(folder, trust)
    for name in strange:
        found.findings.fail(
            name, ("listed",), f"it is no file of a package; a package holds files and {DERIVED}/ only"
        )
    return found
