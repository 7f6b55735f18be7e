"""Verifies evidence: finds what is meant by a path or an id, and takes trust from the files that the verifier names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.errors import UsageError
from api.work.package_store import is_in_bucket
from evidence.chain_file import FOLDER
from evidence.keys import read_published
from evidence.spool import CaseIdError, checked
from evidence.store import PackageStore
from evidence.store_local import FOLDER as PACKAGES
from evidence.time_stamp import read_authorities
from evidence.verification import Check, Result, State, Trust, Verification
from evidence.verify_folder import verify_data_folder, verify_one, verify_one_stored

StoreAt = Callable[[Path], PackageStore]
"""Opens the store of a data folder's packages."""

FORMAT = "stopline-verification/1"

SENTENCE = {
    Result.VERIFIED: "verified",
    Result.NOT_VERIFIED: "NOT VERIFIED",
    Result.UNKNOWN_SIGNER: "SIGNER UNKNOWN: everything fits together, but nobody whom you trust signed all of it",
}
MARK = {State.OK: "ok", State.FAILED: "FAILED", State.UNKNOWN_SIGNER: "unknown", State.NOTE: "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """What to verify: the package or data folder ``target``, or the case of that id in ``data``, or all of ``data``.

    ``trust`` are files of public keys, ``authorities`` of certificates that stamp times; ``checkpoint`` and ``links`` are files
    from elsewhere than the evidence.
    """

    target: str | None
    everything: bool
    data: Path
    trust: tuple[Path, ...] = ()
    authorities: tuple[Path, ...] = ()
    checkpoint: Path | None = None
    links: Path | None = None


def verify(request: VerifyRequest, store_at: StoreAt) -> Verification:
    """What was found; ``store_at`` opens the store of a data folder whose packages are elsewhere.

    Raises UsageError, KeysError (a file of ``trust``), TimeStampError (of ``authorities``), NothingToVerifyError, and
    what ``store_at`` raises.
    """
    trust = Trust(
        [key for path in request.trust for key in read_published(path)],
        [certificate for path in request.authorities for certificate in read_authorities(path)],
    )
    if request.everything or request.target is None:
        if not request.everything:
            raise UsageError("say what to verify: the path of a package, the id of a case, or --all")
        folder = request.data if request.target is None else Path(request.target)
        return verify_data_folder(folder, trust, request.checkpoint, _elsewhere(folder, store_at))
    path = Path(request.target)
    if path.is_dir() and any((path / name).is_dir() for name in (PACKAGES, FOLDER)):
        return verify_data_folder(path, trust, request.checkpoint, _elsewhere(path, store_at))
    if not path.exists():
        store = _elsewhere(request.data, store_at)
        if store is not None:
            _require_stored(request.data, request.target, store)
            return verify_one_stored(
                request.target, request.data, store, trust, request.checkpoint, request.links
            )
        path = case_folder(request.data, request.target)
    return verify_one(path, trust, request.checkpoint, request.links)


def verify_case(data: Path, case_id: str, store: PackageStore, trust: Trust) -> Verification:
    """One case of the data folder, whose packages are in ``store``, and its place in its chain.

    Raises UsageError where there is none, and what the store raises.
    """
    if not is_in_bucket(data):
        return verify_one(case_folder(data, case_id), trust)
    _require_stored(data, case_id, store)
    return verify_one_stored(case_id, data, store, trust)


def as_lines(found: Verification) -> Sequence[str]:
    """The verification for people: one line a check, part after part, then the result."""
    lines: list[str] = []
    for part in found.parts:
        lines.append(f"{part.kind} {part.name}")
        lines += [f"  {_line(check)}" for check in part.checks]
    return [*lines, f"result: {_result(found)}"]


def as_fields(found: Verification) -> dict[str, Any]:
    """The verification for programs."""
    return {
        "format": FORMAT,
        "result": found.result.value,
        "checks": {state.value: found.count(state) for state in State},
        "parts": [
            {
                "kind": part.kind,
                "name": part.name,
                "checks": [
                    {
                        "subject": check.subject,
                        "checked": list(check.checked),
                        "state": check.state.value,
                        "says": check.says,
                    }
                    for check in part.checks
                ],
            }
            for part in found.parts
        ],
    }


def _elsewhere(folder: Path, store_at: StoreAt) -> PackageStore | None:
    """The store of the folder's packages where it is not the folder itself, and can be used."""
    if not is_in_bucket(folder):
        return None
    store = store_at(folder)
    store.check()
    return store


def _missing(case_id: str, where: object) -> UsageError:
    return UsageError(
        f"{case_id}: there is no such folder, and no case of that id in {where}; give a package's folder, "
        "or --data FOLDER and an id in it (a case deleted by retention has only its links: see --all)"
    )


def _require_stored(data: Path, case_id: str, store: PackageStore) -> None:
    missing = _missing(case_id, f"the bucket of {data}")
    try:
        if not store.names(case_id):
            raise missing
    except CaseIdError as exc:
        raise missing from exc


def case_folder(data: Path, case_id: str) -> Path:
    """The folder of that case's package in a data folder. Raises UsageError where there is none."""
    missing = _missing(case_id, data / PACKAGES)
    try:
        folder = data / PACKAGES / checked(case_id)
    except CaseIdError as exc:
        raise missing from exc
    if not folder.is_dir():
        raise missing
    return folder


def _line(check: Check) -> str:
    what = f" ({', '.join(check.checked)})" if check.checked else ""
    says = f": {check.says}" if check.says else ""
    return f"{MARK[check.state]:<7} {check.subject}{what}{says}"


def _result(found: Verification) -> str:
    counted = [
        f"{found.count(state)} {word}"
        for state, word in (
            (State.OK, "in order"),
            (State.FAILED, "failed"),
            (State.UNKNOWN_SIGNER, "with an unknown signer"),
        )
        if found.count(state)
    ]
    return f"{SENTENCE[found.result]} ({', '.join(counted)})"
