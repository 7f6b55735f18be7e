"""Makes redacted copies of cases, under ``derived/`` of their packages, for appeals and public release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from api.work.case_package import SoundPackage, sound_package
from api.work.package_store import is_in_bucket
from evidence.derived import FOLDER, DerivedCopies, DerivedExistsError, DerivedFile, DerivedKind
from evidence.manifest import Weights
from evidence.redact_package import redact_package
from evidence.redaction import Eyes
from evidence.signing import Signer
from evidence.store import PackageStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactRequest:
    """Which cases of the data folder; ``again`` replaces a redacted copy that is there."""

    cases: tuple[str, ...]
    data: Path
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedCase:
    """The redacted copy of a case: where it is, and its files."""

    case_id: str
    place: str
    files: tuple[DerivedFile, ...]


class Lookout(Protocol):
    """Opens what finds people and plates: for photos, for films, and the models that they are."""

    def __call__(self) -> tuple[Eyes, Eyes, tuple[Weights, ...]]: ...


def redact(
    request: RedactRequest,
    store: PackageStore,
    look: Lookout,
    signer: Signer,
    now: Callable[[], datetime],
    done: Callable[[RedactedCase], None],
) -> None:
    """Every case has a redacted copy beside its package in ``store``, in the order given; each is told to ``done`` when it
    is there.

    Nothing is made where one of the cases is unknown, does not verify or has a copy already: that is found before the
    models are opened. Raises UsageError, PackageUnverifiedError, DerivedExistsError, RedactionError, what ``look`` raises,
    and what the store raises.
    """
    packages = [sound_package(request.data, case_id, store) for case_id in dict.fromkeys(request.cases)]
    copies = [_copies(package, signer, now) for package in packages]
    if not request.again:
        for package, its in zip(packages, copies, strict=True):
            there: Sequence[DerivedFile] = [f for f in its.listed() if f.kind is DerivedKind.REDACTED]
            if there:
                raise DerivedExistsError(package.case_id, DerivedKind.REDACTED, [f.name for f in there])
    photo_eyes, film_eyes, models = look()
    for package, its in zip(packages, copies, strict=True):
        made = redact_package(package.said, package.read, photo_eyes, film_eyes, models)
        files = its.add(DerivedKind.REDACTED, made, again=request.again)
        at = f"{store.path_of(package.case_id)}/{FOLDER}"
        place = f"{at} of the bucket" if is_in_bucket(request.data) else str(request.data / at)
        done(RedactedCase(case_id=package.case_id, place=place, files=files))


def _copies(package: SoundPackage, signer: Signer, now: Callable[[], datetime]) -> DerivedCopies:
    return DerivedCopies(package.case_id, package.said.sha256, package.derived, signer, now)
