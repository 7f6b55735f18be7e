"""Makes copies of a case's photos and clip with content credentials (C2PA), under ``derived/``, to be handed to others."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path, PurePath

from api.errors import UsageError
from api.work.data_folder import open_records
from api.work.package_store import derived_files
from api.work.packages import Packages
from evidence.credentials import MEDIA_TYPES, CredentialSigner, with_credentials
from evidence.derived import DerivedCopies, DerivedFile, DerivedKind
from evidence.keys import KeyExposedError, KeysError
from evidence.signing import Signer
from evidence.store import PackageStore


def read_credential_signer(chain: Path, key: Path) -> CredentialSigner:
    """The signer in these PEM files. Raises KeysError, and KeyExposedError where others may read the key."""
    for path in (chain, key):
        if not path.is_file():
            raise KeysError(path, "is no file; give the certificate chain, and its private key, in PEM")
    mode = stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        raise KeyExposedError(
            key, f"others may read or change this private key (mode {mode:o}); 'chmod 600' it"
        )
    try:
        return CredentialSigner(chain=chain.read_bytes(), key=key.read_bytes())
    except OSError as exc:
        raise KeysError(key, f"cannot be read: {exc.strerror or exc}") from exc


def add_credentials(
    data: Path,
    store: PackageStore,
    case_id: str,
    by: CredentialSigner,
    signer: Signer,
    now: Callable[[], datetime],
    *,
    again: bool = False,
) -> tuple[DerivedFile, ...]:
    """Each photo and the clip of the case has a copy with credentials beside the package: ``scene-1.c2pa.jpg`` and so on.

    ``signer`` signs the list of copies. Raises UsageError for an unknown case, CredentialsError, ExtraMissingError,
    DerivedExistsError, what the store raises, and PackageMissingError and PackageDamagedError where an original is not as it
    was sealed.
    """
    packages = Packages(store)
    with closing(open_records(data)) as records:
        case = records.case(case_id)
    if case is None or case.removal is not None:
        raise UsageError(f"{data} has no case {case_id}")
    record = case.record
    copies = DerivedCopies(
        case_id,
        record.manifest_sha256,
        derived_files(data, store, case_id),
        signer,
        now,
    )
    made = {}
    for file in packages.listed(record):
        name = PurePath(file.name)
        if name.suffix in MEDIA_TYPES:
            content = packages.read(record, file.name).content
            made[f"{name.stem}.c2pa{name.suffix}"] = with_credentials(
                file.name, content, case_id, file.sha256, by
            )
    return copies.add(DerivedKind.CREDENTIALS, made, again=again)
