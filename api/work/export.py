"""Exports cases as a BagIt package for a court or another authority: all that is needed to read and to check them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path, PurePath
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from api.errors import UsageError
from api.records.exports import ExportContents
from api.time_zone import time_zone
from api.versions import stopline_version
from api.work.case_package import SoundPackage, sound_package
from evidence.bag import make_bag
from evidence.canonical import sha256_hex
from evidence.case_facts import case_facts, custody_facts, decision_facts, photo_caption
from evidence.chain import LinkKind, read_link
from evidence.chain_file import CHECKPOINTS, LINKS, whole_lines
from evidence.chain_file import FOLDER as CUSTODY
from evidence.credentials import MEDIA_TYPES, CredentialSigner, with_credentials
from evidence.databar import Field
from evidence.derived import FOLDER as DERIVED
from evidence.derived import LIST, DerivedKind, DerivedList, read_list
from evidence.durable import Disk, refusal
from evidence.errors import EvidenceError, ExtraMissingError
from evidence.keys import PublishedKey, published_file
from evidence.manifest import NAME, SIGNATURE
from evidence.records import Records
from evidence.signing import read_signature
from evidence.store import PackageStore
from evidence.store_local import FOLDER as PACKAGES
from evidence.summary_pdf import CaseSummary, Shown, summary_pdf

KEYS = "keys.json"
COPIES = "copies"
"""Where photos and clips stand once more, with content credentials in them."""

PART = ".part"
"""Ending of what is not whole yet."""


class ExportError(EvidenceError):
    """The case ``case_id`` cannot be exported; ``why`` says why, and what to do."""

    code = "export"

    def __init__(self, case_id: str, why: str) -> None:
        super().__init__(f"case {case_id} is not exported: {why}")
        self.case_id = case_id
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Which cases of the data folder go into one package below ``out``, and what of each.

    ``credentials`` signs content credentials (C2PA) in copies of photos and clips; None: there are no such copies.
    """

    cases: tuple[str, ...]
    data: Path
    out: Path
    contents: ExportContents = ExportContents.ORIGINAL
    zipped: bool = False
    credentials: CredentialSigner | None = None


def export(
    request: ExportRequest,
    store: PackageStore,
    keys: Sequence[PublishedKey],
    records: Records | None,
    now: Callable[[], datetime],
    disk: Disk | None = None,
    left_out: Callable[[str], None] = lambda what: None,
) -> Path:
    """The package, a folder or with ``zipped`` a file, stands in ``out`` whole; returns its path.

    ``keys`` are the published ones of the office, ``store`` has the cases' packages. ``left_out`` is told, in a sentence, what
    was asked for and cannot be made here: content credentials without their extra. Nothing stands there after an error.
    Raises UsageError for an unknown case or a target that exists, PackageUnverifiedError, ExportError, CredentialsError,
    BagError, SummaryError, DiskFullError and DiskError, and what the store raises.
    """
    disk = Disk() if disk is None else disk
    cases = tuple(dict.fromkeys(request.cases))
    target = request.out / (_name(cases) + (".zip" if request.zipped else ""))
    if target.exists():
        raise UsageError(
            f"{target}: exists already, and an export never changes one; move it, or give another --out"
        )
    packages = [sound_package(request.data, case_id, store) for case_id in cases]
    building = request.out / f"{_name(cases)}{PART}"
    disk.remove(building)
    disk.make_folder(request.out)
    try:
        about = {
            "External-Identifier": ", ".join(cases),
            "External-Description": "Evidence of traffic cases with signatures, custody chain and public keys",
            "Bag-Software-Agent": f"Stopline {stopline_version()}",
            "Bagging-Date": f"{now():%Y-%m-%d}",
        }
        make_bag(building, _files(request, packages, keys, records, now(), left_out), about, disk)
        if request.zipped:
            _zip(building, target)
            disk.remove(building)
        else:
            disk.seal(building, target)
    except BaseException:
        disk.remove(building)
        raise
    return target


def _name(cases: Sequence[str]) -> str:
    if len(cases) == 1:
        return cases[0]
    return f"{len(cases)}-cases-{sha256_hex(' '.join(sorted(cases)).encode())[:12]}"


def _files(
    request: ExportRequest,
    packages: Sequence[SoundPackage],
    keys: Sequence[PublishedKey],
    records: Records | None,
    now: datetime,
    left_out: Callable[[str], None],
) -> Iterator[tuple[str, bytes]]:
    try:
        if request.credentials is not None:
            for package in packages:
                yield from _with_credentials(package, request.credentials, request.contents)
    except ExtraMissingError as exc:
        left_out(f"left out: copies with content credentials (C2PA): {exc}")
    chains: dict[str, Path] = {}
    for package in packages:
        _must_be_published(package, keys)
        if request.contents is not ExportContents.REDACTED:
            yield from _package(package)
        if request.contents is not ExportContents.ORIGINAL:
            yield from _redacted(package, request.contents)
        links, chain = _chain(request.data, package)
        if request.contents is ExportContents.REDACTED:
            yield f"summary-{package.case_id}.pdf", _redacted_summary(package, records, links, now)
            continue
        chains[chain.name] = chain
        yield f"summary-{package.case_id}.pdf", _summary(package, records, links, now)
    for name, chain in sorted(chains.items()):
        for file in (LINKS, CHECKPOINTS):
            yield f"{CUSTODY}/{name}/{file}", Disk().read(chain / file)
    yield KEYS, published_file(keys)


def _must_be_published(package: SoundPackage, keys: Sequence[PublishedKey]) -> None:
    signed_by = read_signature(package.read(SIGNATURE)).key
    if signed_by not in [key.key for key in keys]:
        raise ExportError(
            package.case_id,
            f"it is signed by key {signed_by.id}, which is not among the published keys: give the file that its office "
            "publishes with --keys, or set STOPLINE_KEYS to the key folder",
        )


def _package(package: SoundPackage) -> Iterator[tuple[str, bytes]]:
    """Every file that the manifest lists, the manifest, and its signature."""
    for name in (*(file.name for file in package.said.files), NAME, SIGNATURE):
        yield f"{PACKAGES}/{package.case_id}/{name}", package.read(name)


def _redacted(package: SoundPackage, contents: ExportContents) -> Iterator[tuple[str, bytes]]:
    """The files of the derived list, of the redacted copy alone where nothing else is to leave, and the list itself."""
    data, listed = _derived(package)
    is_alone = contents is ExportContents.REDACTED
    files = listed.of_kind(DerivedKind.REDACTED) if is_alone else listed.files
    for file in files:
        yield f"{PACKAGES}/{package.case_id}/{DERIVED}/{file.name}", package.read(f"{DERIVED}/{file.name}")
    yield f"{PACKAGES}/{package.case_id}/{DERIVED}/{LIST}", data


def _with_credentials(
    package: SoundPackage, by: CredentialSigner, contents: ExportContents
) -> Iterator[tuple[str, bytes]]:
    """A copy of each photo and clip that goes along; it names its original."""
    originals = []
    if contents is not ExportContents.REDACTED:
        originals += [(file.name, file.sha256, package.read(file.name)) for file in package.said.files]
    if contents is not ExportContents.ORIGINAL:
        originals += [
            (file.name, file.sha256, package.read(f"{DERIVED}/{file.name}"))
            for file in _derived(package)[1].of_kind(DerivedKind.REDACTED)
        ]
    for name, sha256, data in originals:
        path = PurePath(name)
        if path.suffix in MEDIA_TYPES:
            copy = with_credentials(name, data, package.case_id, sha256, by)
            yield f"{COPIES}/{package.case_id}/{path.stem}.c2pa{path.suffix}", copy


def _derived(package: SoundPackage) -> tuple[bytes, DerivedList]:
    """The list of derived files and what it says, a redacted copy among them. Raises ExportError."""
    data = package.derived.read(LIST)
    listed = None if data is None else read_list(data)
    if data is None or listed is None or not listed.of_kind(DerivedKind.REDACTED):
        raise ExportError(
            package.case_id, "it has no redacted copy yet: make one with 'stopline evidence redact'"
        )
    return data, listed


def _chain(data: Path, package: SoundPackage) -> tuple[list[str], Path]:
    """What is said of the package's link, and the folder of its chain, whose checkpoints are there."""
    custody = data / CUSTODY
    for chain in sorted(custody.iterdir()) if custody.is_dir() else ():
        if not (chain / LINKS).is_file():
            continue
        for line in whole_lines(Disk().read(chain / LINKS))[0]:
            link = read_link(line)
            if link.kind is LinkKind.CASE and link.manifest_sha256 == package.said.sha256:
                if not (chain / CHECKPOINTS).is_file():
                    raise ExportError(
                        package.case_id,
                        f"{chain / CHECKPOINTS} is missing: put it back from a backup, or run 'stopline evidence sweep'",
                    )
                return [f"{link.number}, {link.chain_id}, {link.at:%Y-%m-%d %H:%M:%S} UTC"], chain
    raise ExportError(
        package.case_id, f"no chain in {custody} has its link: give the data folder that it was made in"
    )


def _summary(package: SoundPackage, records: Records | None, links: list[str], now: datetime) -> bytes:
    manifest: Any = json.loads(package.read(NAME))
    zone = time_zone(manifest["site"]["time_zone"] if manifest.get("site") else "UTC")
    photos = manifest.get("photos", [])
    pictures = [
        Shown(data=package.read(photo["file"]), caption=photo_caption(photo, zone)) for photo in photos
    ]
    pictures += [
        Shown(data=package.read(file.name), caption=file.name)
        for file in package.said.files
        if file.name.endswith(".jpg") and file.name not in {photo["file"] for photo in photos}
    ]
    case = None if records is None else records.case(package.case_id)
    return _written(package, manifest, zone, decision_facts(case, zone), pictures, links, now)


def _redacted_summary(
    package: SoundPackage, records: Records | None, links: list[str], now: datetime
) -> bytes:
    """As ``_summary``, with the redacted pictures, and without who decided and what was noted."""
    manifest: Any = json.loads(package.read(NAME))
    zone = time_zone(manifest["site"]["time_zone"] if manifest.get("site") else "UTC")
    case = None if records is None else records.case(package.case_id)
    pictures = [
        Shown(data=package.read(f"{DERIVED}/{file.name}"), caption=file.name)
        for file in _derived(package)[1].of_kind(DerivedKind.REDACTED)
        if file.name.endswith(".jpg")
    ]
    return _written(package, manifest, zone, decision_facts(case, zone)[:1], pictures, links, now)


def _written(
    package: SoundPackage,
    manifest: Any,
    zone: tzinfo,
    decision: tuple[Field, ...],
    pictures: Sequence[Shown],
    links: list[str],
    now: datetime,
) -> bytes:
    try:
        facts = case_facts(manifest, zone)
    except (KeyError, TypeError, ValueError) as exc:
        raise ExportError(
            package.case_id, f"its manifest does not say what a summary needs ({exc!r})"
        ) from exc
    return summary_pdf(
        CaseSummary(
            case_id=package.case_id,
            facts=facts,
            decision=decision,
            custody=custody_facts(package.said.sha256, read_signature(package.read(SIGNATURE)).key.id, links),
            pictures=tuple(pictures),
            files=package.said.files,
        ),
        now,
    )


def _zip(folder: Path, target: Path) -> None:
    """The folder as one file, in order of name; pictures and films are packed already, so nothing is packed again."""
    part = target.with_name(f".{target.name}{PART}")
    try:
        with ZipFile(part, "w", ZIP_STORED) as file:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = folder.name.removesuffix(PART)
                file.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
        part.replace(target)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise refusal(exc, target) from exc
