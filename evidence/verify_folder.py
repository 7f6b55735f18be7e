"""Verifies packages, chains and checkpoints together, offline and without the records: what is there, and whether it is all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from evidence.chain import Checkpoint, Link, LinkKind, read_checkpoint
from evidence.chain_file import CHECKPOINTS, FOLDER, LINKS
from evidence.errors import EvidenceError
from evidence.signing import SignedFormError
from evidence.spool import INCOMING, REMOVING
from evidence.store import PackageStore
from evidence.store_local import FOLDER as PACKAGES
from evidence.verification import Findings, Part, State, Trust, Verification
from evidence.verify_chain import CHECKPOINT_CHECKS, ChainFiles, find_chains
from evidence.verify_package import VerifiedPackage, verify_package
from evidence.verify_stored import verify_fetched, verify_stored

LINK_CHECKS = ("manifest hash", "link", "neighbours")
NEVER_A_CHAIN = ("demo-key.pem", ".demo-key.pem.part")
"""What besides chains may stand in the custody folder."""


class NothingToVerifyError(EvidenceError):
    """There is no evidence in ``path``, or it cannot be read; ``reason`` says so, and what to give instead."""

    code = "nothing_to_verify"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


GIVE = "give a package's folder, or the data folder that 'stopline replay --out' filled"


class Given:
    """Checkpoints that the verifier brought along, from elsewhere than the evidence."""

    def __init__(self, path: Path | None) -> None:
        """Raises NothingToVerifyError where the file cannot be read."""
        self.findings = Findings()
        self._checkpoints: list[Checkpoint] = []
        self._used: set[str] = set()
        if path is None:
            return
        try:
            lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
        except OSError as exc:
            raise NothingToVerifyError(
                path, f"the checkpoint cannot be read: {exc.strerror or exc}; give a file of checkpoint lines"
            ) from exc
        for number, line in enumerate(lines, start=1):
            try:
                self._checkpoints.append(read_checkpoint(line))
            except SignedFormError as exc:
                self.findings.fail(f"{path.name} line {number}", (), f"it is no checkpoint: {exc}")

    def judge(self, chain: ChainFiles, found: Findings) -> None:
        """What they say of that chain; where all of it is in order, the last word is how far it is complete."""
        complete = 0
        when = ""
        for checkpoint in self._checkpoints:
            if checkpoint.chain_id != chain.id:
                continue
            self._used.add(checkpoint.chain_id)
            state, says = chain.judge_checkpoint(checkpoint)
            found.add("given checkpoint", CHECKPOINT_CHECKS, state, says)
            if state is State.OK and checkpoint.count >= complete:
                complete, when = checkpoint.count, f"{checkpoint.at:%Y-%m-%d %H:%M:%S} UTC"
        if any(check.state is State.FAILED for check in found.checks):
            return
        if when:
            text = f"complete up to number {complete}, as of {when}"
            text += f"; numbers {complete + 1} to {chain.count} came later" if chain.count > complete else ""
        else:
            text = f"complete up to number {chain.count}"
        found.add("completeness", (), State.NOTE, f"{text}, later ones cannot be judged")

    def part(self, chains: Iterable[ChainFiles]) -> Part | None:
        """What is wrong with them in themselves, and those of chains that are not here."""
        here = ", ".join(chain.id for chain in chains) or "none"
        for chain_id in sorted({checkpoint.chain_id for checkpoint in self._checkpoints} - self._used):
            self.findings.fail(
                "given checkpoint",
                (),
                f"it is of chain {chain_id}, and here is {here}: give the checkpoint of this chain, or the folder "
                "of that one; if it is the right checkpoint, the whole chain was taken away",
            )
        return self.findings.part("checkpoint", "given") if self.findings.checks else None


def verify_data_folder(
    folder: Path, trust: Trust, checkpoint: Path | None = None, store: PackageStore | None = None
) -> Verification:
    """Every package and every chain of a data folder, and that each belongs to the other; the packages are in ``store``,
    None: in the folder itself.

    Raises NothingToVerifyError, and of a store elsewhere StoreUnavailableError and StoreRefusedError.
    """
    packages, custody = folder / PACKAGES, folder / FOLDER
    if (store is not None or not packages.is_dir()) and not custody.is_dir():
        raise NothingToVerifyError(folder, f"holds neither {PACKAGES}/ nor {FOLDER}/; {GIVE}")
    given = Given(checkpoint)
    chains = _chains(custody, trust)
    strays = Findings()
    if store is None:
        found = [verify_package(path, trust) for path in _package_folders(packages, strays)]
    else:
        found = list(verify_stored(store, trust, strays))
    parts: list[Part] = []
    for package in found:
        _in_chains(package, chains, trust)
        parts.append(package.findings.part("package", package.name))
    present = {package.manifest_sha256 for package in found}
    for chain in chains:
        findings = Findings()
        chain.verify(findings)
        chain.verify_checkpoints(findings)
        for link in chain.cases():
            if link.manifest_sha256 not in present and not _tombstone(chain, link):
                findings.fail(
                    f"link {link.number}",
                    ("package",),
                    f"no package here has its manifest {link.manifest_sha256}: it was taken away, or its manifest "
                    "was changed",
                )
        given.judge(chain, findings)
        parts.append(findings.part("chain", chain.id))
    _strays_of_custody(custody, strays)
    if strays.checks:
        parts.append(strays.part("folder", folder.name))
    of_given = given.part(chains)
    if of_given is not None:
        parts.append(of_given)
    return Verification(parts=tuple(parts))


def verify_one(
    folder: Path, trust: Trust, checkpoint: Path | None = None, links: Path | None = None
) -> Verification:
    """One package, and its place in its chain: that of ``links``, else of the data folder that it stands in.

    Raises NothingToVerifyError.
    """
    folder = folder.resolve()
    if not folder.is_dir() or not any(folder.iterdir()):
        raise NothingToVerifyError(folder, f"is no folder that holds anything; {GIVE}")
    given = Given(checkpoint)
    custody = folder.parent.parent / FOLDER if folder.parent.name == PACKAGES else None
    return _one(verify_package(folder, trust), _chains_of(custody, links, trust), trust, given)


def verify_one_stored(
    case_id: str,
    folder: Path,
    store: PackageStore,
    trust: Trust,
    checkpoint: Path | None = None,
    links: Path | None = None,
) -> Verification:
    """As ``verify_one``, for the package of the data folder ``folder`` that ``store`` holds elsewhere.

    Raises NothingToVerifyError, StoreUnavailableError and StoreRefusedError.
    """
    given = Given(checkpoint)
    chains = _chains_of(folder / FOLDER, links, trust)
    return _one(verify_fetched(store, case_id, trust), chains, trust, given)


def _chains_of(custody: Path | None, links: Path | None, trust: Trust) -> tuple[ChainFiles, ...]:
    if links is None:
        return () if custody is None else _chains(custody, trust)
    if not links.is_file():
        raise NothingToVerifyError(links, f"is no file of links; give a chain's {LINKS}")
    return (ChainFiles(links, trust),)


def _one(
    package: VerifiedPackage, chains: tuple[ChainFiles, ...], trust: Trust, given: Given
) -> Verification:
    parts: list[Part] = []
    if chains:
        link = _in_chains(package, chains, trust)
        parts.append(package.findings.part("package", package.name))
        for chain in chains:
            if link is not None and chain.id == link.chain_id:
                findings = Findings()
                chain.verify(findings, only=link.number)
                given.judge(chain, findings)
                parts.append(findings.part("chain", chain.id))
    else:
        package.findings.add(
            "link",
            (),
            State.NOTE,
            f"no chain is here, so its place in one was not checked; give --chain {LINKS}",
        )
        parts.append(package.findings.part("package", package.name))
    of_given = given.part(chains)
    if of_given is not None:
        parts.append(of_given)
    return Verification(parts=tuple(parts))


def _chains(custody: Path, trust: Trust) -> tuple[ChainFiles, ...]:
    try:
        return find_chains(custody, trust)
    except OSError as exc:
        raise NothingToVerifyError(custody, f"cannot be read: {exc.strerror or exc}") from exc


def _package_folders(packages: Path, strays: Findings) -> Sequence[Path]:
    folders = []
    for path in sorted(packages.iterdir()) if packages.is_dir() else ():
        if not path.is_dir() or path.is_symlink():
            strays.fail(f"{PACKAGES}/{path.name}", (), "it is no package's folder")
        elif path.name.endswith((INCOMING, REMOVING)):
            strays.fail(
                f"{PACKAGES}/{path.name}",
                (),
                "an interrupted run left it; 'stopline evidence sweep' finishes or removes that",
            )
        else:
            folders.append(path)
    return folders


def _strays_of_custody(custody: Path, strays: Findings) -> None:
    for path in sorted(custody.iterdir()) if custody.is_dir() else ():
        if not path.is_dir():
            if path.name not in NEVER_A_CHAIN:
                strays.fail(f"{FOLDER}/{path.name}", (), "it is no chain's folder")
            continue
        for name in sorted({inner.name for inner in path.iterdir()} - {LINKS, CHECKPOINTS}):
            strays.fail(f"{FOLDER}/{path.name}/{name}", (), "it is no file of a chain")


def _in_chains(package: VerifiedPackage, chains: Sequence[ChainFiles], trust: Trust) -> Link | None:
    """The package's link in one of the chains; that there is none is a finding."""
    found, sha256 = package.findings, package.manifest_sha256
    if sha256 is None:
        return None
    for chain in chains:
        link = chain.link_of(LinkKind.CASE, sha256)
        if link is None:
            continue
        state, says = chain.judge_near(link.number)
        found.add(f"link {link.number}", LINK_CHECKS, state, f"of chain {chain.id}: {says}")
        if package.signature is not None:
            published = trust.known(package.signature.key)
            if published is not None and published.valid_from is not None and link.at < published.valid_from:
                found.fail(
                    f"link {link.number}",
                    ("signature",),
                    f"key {published.key.id} was not valid yet at its time",
                )
        deleted = _tombstone(chain, link)
        if deleted is not None:
            found.add(
                f"link {deleted.number}",
                ("tombstone",),
                State.NOTE,
                "it says that this package was deleted, and the package is still here",
            )
        return link
    found.fail(
        "link",
        ("manifest hash",),
        "no chain here has this manifest: the manifest was changed or the package was added; or a run is "
        "just recording it, then verify again",
    )
    return None


def _tombstone(chain: ChainFiles, link: Link) -> Link | None:
    return chain.link_of(LinkKind.TOMBSTONE, link.manifest_sha256)
