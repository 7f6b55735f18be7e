"""Ways to tamper with kept evidence: files, packages, links, keys and what is derived, each as somebody with the disk could."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evidence.canonical import json_bytes, json_line, sha256_hex
from evidence.chain import Link, checkpoint_of, link_after, read_link
from evidence.chain_file import CHECKPOINTS, LINKS, whole_lines
from evidence.derived import FOLDER as DERIVED
from evidence.derived import LIST, DerivedCopies, DerivedKind
from evidence.derived_local import LocalDerivedFiles
from evidence.durable import Disk
from evidence.keys import read_published
from evidence.manifest import NAME, SIGNATURE
from evidence.signing import Signer, signature_file
from evidence.verification import Result, Trust, Verification
from evidence.verify_folder import verify_data_folder
from tests.builders.signing import Ticking, a_signer

KINDS = (
    *("file of a package", NAME, SIGNATURE, LINKS, CHECKPOINTS, "given checkpoint"),
    *("derived list", "derived file"),
)
"""What single bytes are changed in; each as often as the others, though most bytes lie in the first."""


class Evidence:
    """A data folder, the checkpoint of its end that was kept elsewhere, and the published key; ``root`` holds all of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"
        self.given = root / "given.jsonl"
        self.trust = root / "trust.json"

    @property
    def chain(self) -> Path:
        (folder,) = (path for path in (self.data / "custody").iterdir() if path.is_dir())
        return folder

    @property
    def packages(self) -> list[Path]:
        return sorted((self.data / "evidence").iterdir())

    def links(self) -> list[str]:
        return [line.decode() for line in whole_lines((self.chain / LINKS).read_bytes())[0]]

    def package_of(self, line: str) -> Path:
        """The package that the link says was made."""
        wanted = read_link(line.encode()).manifest_sha256
        return next(path for path in self.packages if sha256_hex((path / NAME).read_bytes()) == wanted)

    def write_links(self, lines: list[str]) -> None:
        (self.chain / LINKS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def verify(self, *, given: bool = True) -> Verification:
        trust = Trust(read_published(self.trust))
        return verify_data_folder(self.data, trust, self.given if given else None)

    def copy(self, root: Path) -> Evidence:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.root, root)
        return Evidence(root)

    def kinds(self) -> dict[str, list[Path]]:
        """The files of each of ``KINDS``."""
        files = [path for package in self.packages for path in sorted(package.iterdir()) if path.is_file()]
        derived = [path for package in self.packages for path in sorted((package / DERIVED).iterdir())]
        return {
            KINDS[0]: [path for path in files if path.name not in (NAME, SIGNATURE)],
            NAME: [path for path in files if path.name == NAME],
            SIGNATURE: [path for path in files if path.name == SIGNATURE],
            LINKS: [self.chain / LINKS],
            CHECKPOINTS: [self.chain / CHECKPOINTS],
            KINDS[5]: [self.given],
            KINDS[6]: [path for path in derived if path.name == LIST],
            KINDS[7]: [path for path in derived if path.name != LIST],
        }


@dataclass(frozen=True, kw_only=True)
class Way:
    """A change that a forger without our key may make; ``given``: whether the verifier has a checkpoint of their own."""

    name: str
    change: Callable[[Evidence], object]
    given: bool = False
    wanted: Result = Result.NOT_VERIFIED


def _swap(one: Path, other: Path) -> None:
    aside = one.with_name(f"{one.name}.aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def _swap_in_packages(names: tuple[str, ...], evidence: Evidence) -> None:
    one, other = evidence.packages[1:3]
    for name in names:
        _swap(one / name, other / name)


def _replace_by_link(evidence: Evidence) -> None:
    """A file that is elsewhere now, byte for byte the same."""
    path = evidence.packages[0] / "scene-1.jpg"
    path.rename(evidence.root / "elsewhere.jpg")
    path.symlink_to(evidence.root / "elsewhere.jpg")


def _double(package: Path) -> None:
    shutil.copytree(package, package.with_name(f"{package.name}-again"))


def _rename(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


def _add_package(evidence: Evidence) -> None:
    """A package that the same key signed, with a manifest of its own."""
    added = evidence.data / "evidence" / "north-added"
    shutil.copytree(evidence.packages[0], added)
    manifest = (added / NAME).read_bytes().replace(evidence.packages[0].name.encode(), b"north-added")
    (added / NAME).write_bytes(manifest)
    (added / SIGNATURE).write_bytes(signature_file(a_signer(), manifest))


def _rewrite_manifest(evidence: Evidence) -> None:
    """The same JSON, other bytes."""
    path = evidence.packages[0] / NAME
    was = json.loads(path.read_bytes())
    path.write_text(json.dumps(was, ensure_ascii=False, sort_keys=True, indent=1), encoding="utf-8")
    assert json.loads(path.read_bytes()) == was


def _drop_middle(evidence: Evidence, *, package: bool, link: bool) -> None:
    lines = evidence.links()
    middle = len(lines) // 2
    if package:
        shutil.rmtree(evidence.package_of(lines[middle]))
    if link:
        evidence.write_links(lines[:middle] + lines[middle + 1 :])


def _drop_and_renumber(evidence: Evidence) -> None:
    """As if the middle one had never been: the later ones count on."""
    _drop_middle(evidence, package=True, link=True)
    fields = [json.loads(line) for line in evidence.links()]
    evidence.write_links([json_line({**line, "number": at}) for at, line in enumerate(fields, start=1)])


def _reorder(evidence: Evidence) -> None:
    first, second, *others = evidence.links()
    evidence.write_links([second, first, *others])


def cut_off(evidence: Evidence) -> None:
    """The last link, its package, and the checkpoints that stand beside it are gone."""
    *lines, last = evidence.links()
    shutil.rmtree(evidence.package_of(last))
    evidence.write_links(lines)
    (evidence.chain / CHECKPOINTS).unlink()


def _cut_off_and_replace_checkpoint(evidence: Evidence) -> None:
    """The same, with a checkpoint of the shorter chain by another key."""
    cut_off(evidence)
    head = read_link(evidence.links()[-1].encode())
    forged = checkpoint_of(head, chain_id=head.chain_id, at=head.at, signer=a_signer(2))
    (evidence.chain / CHECKPOINTS).write_text(f"{forged.line}\n", encoding="utf-8")


def _sign_all_anew(evidence: Evidence) -> None:
    """Every signature by another key, every hash right."""
    signer = a_signer(2)
    for package in evidence.packages:
        (package / SIGNATURE).write_bytes(signature_file(signer, (package / NAME).read_bytes()))
    head: Link | None = None
    lines = []
    for was in (read_link(line.encode()) for line in evidence.links()):
        head = link_after(
            head,
            chain_id=was.chain_id,
            kind=was.kind,
            manifest_sha256=was.manifest_sha256,
            at=was.at,
            signer=signer,
        )
        lines.append(head.line)
    evidence.write_links(lines)
    assert head is not None
    forged = checkpoint_of(head, chain_id=head.chain_id, at=head.at, signer=signer)
    (evidence.chain / CHECKPOINTS).write_text(f"{forged.line}\n", encoding="utf-8")


def _change_and_sign_anew(evidence: Evidence) -> None:
    """A photo of another case, listed as it is, and everything signed by another key."""
    one, other = evidence.packages[1:3]
    shutil.copyfile(other / "scene-1.jpg", one / "scene-1.jpg")
    was = (one / NAME).read_bytes()
    document = json.loads(was)
    photo = (one / "scene-1.jpg").read_bytes()
    for file in document["files"]:
        if file["name"] == "scene-1.jpg":
            file.update(sha256=sha256_hex(photo), size=len(photo))
    manifest = json_bytes(document)
    (one / NAME).write_bytes(manifest)
    lines = [line.replace(sha256_hex(was), sha256_hex(manifest)) for line in evidence.links()]
    evidence.write_links(lines)
    _derive_anew(one)
    _sign_all_anew(evidence)


def _derive_anew(package: Path) -> None:
    """Copies on a list that another key signed."""
    shutil.rmtree(package / DERIVED)
    derive(package, a_signer(2))


def _derive_less(evidence: Evidence) -> None:
    """One copy fewer, also on the list, whose signature stays as it was."""
    folder = evidence.packages[0] / DERIVED
    document = json.loads((folder / LIST).read_bytes())
    gone = document["files"].pop()
    (folder / gone["name"]).unlink()
    (folder / LIST).write_text(json_line(document) + "\n", encoding="utf-8")


def derive(package: Path, signer: Signer) -> None:
    """The package has copies of its photos, on a list that is signed."""
    photos = {f"copy-{path.name}": path.read_bytes() for path in sorted(package.glob("scene-*.jpg"))}
    sha256 = sha256_hex((package / NAME).read_bytes())
    files = LocalDerivedFiles(package, Disk())
    DerivedCopies(package.name, sha256, files, signer, Ticking()).add(DerivedKind.REDACTED, photos)


WAYS = (
    Way(name="a file added", change=lambda its: (its.packages[0] / "extra.jpg").touch()),
    Way(name="a folder added to a package", change=lambda its: (its.packages[0] / "extra").mkdir()),
    Way(name="a file removed", change=lambda its: (its.packages[0] / "clip.mp4").unlink()),
    Way(name="a manifest removed", change=lambda its: (its.packages[0] / NAME).unlink()),
    Way(name="a signature removed", change=lambda its: (its.packages[0] / SIGNATURE).unlink()),
    Way(name="a file renamed", change=lambda its: _rename(its.packages[0] / "scene-1.jpg", "scene-9.jpg")),
    Way(name="a file replaced by a link to it", change=_replace_by_link),
    Way(name="a file swapped between packages", change=partial(_swap_in_packages, ("scene-1.jpg",))),
    Way(name="signatures swapped between packages", change=partial(_swap_in_packages, (SIGNATURE,))),
    Way(name="manifests swapped with signatures", change=partial(_swap_in_packages, (NAME, SIGNATURE))),
    Way(name="a manifest that is equal as JSON only", change=_rewrite_manifest),
    Way(name="a derived file added", change=lambda its: (its.packages[0] / DERIVED / "x.jpg").touch()),
    Way(
        name="a derived file removed",
        change=lambda its: (its.packages[0] / DERIVED / "copy-scene-1.jpg").unlink(),
    ),
    Way(
        name="a derived file renamed",
        change=lambda its: _rename(its.packages[0] / DERIVED / "copy-scene-1.jpg", "x.jpg"),
    ),
    Way(
        name="two derived files swapped",
        change=lambda its: _swap(*(its.packages[0] / DERIVED / f"copy-scene-{n}.jpg" for n in (1, 2))),
    ),
    Way(name="a derived file removed, also from the list", change=_derive_less),
    Way(
        name="derived lists swapped between packages",
        change=partial(_swap_in_packages, (f"{DERIVED}/{LIST}",)),
    ),
    Way(name="all that is derived swapped between packages", change=partial(_swap_in_packages, (DERIVED,))),
    Way(name="a derived list removed", change=lambda its: (its.packages[0] / DERIVED / LIST).unlink()),
    Way(
        name="a derived list signed with another key",
        change=lambda its: _derive_anew(its.packages[0]),
        wanted=Result.UNKNOWN_SIGNER,
    ),
    Way(name="a package added", change=_add_package),
    Way(name="a package doubled", change=lambda its: _double(its.packages[0])),
    Way(name="a package renamed", change=lambda its: _rename(its.packages[0], "north-other")),
    Way(name="packages reordered", change=lambda its: _swap(*its.packages[1:3])),
    Way(name="the first package dropped", change=lambda its: shutil.rmtree(its.packages[0])),
    Way(name="a package dropped in the middle", change=partial(_drop_middle, package=True, link=False)),
    Way(name="a link dropped in the middle", change=partial(_drop_middle, package=False, link=True)),
    Way(name="a package and its link dropped", change=partial(_drop_middle, package=True, link=True)),
    Way(name="dropped and renumbered", change=_drop_and_renumber),
    Way(name="links reordered", change=_reorder),
    Way(name="a link doubled", change=lambda its: its.write_links([*its.links(), its.links()[-1]])),
    Way(name="the chain removed", change=lambda its: shutil.rmtree(its.chain)),
    Way(name="the links removed", change=lambda its: (its.chain / LINKS).unlink()),
    Way(name="the chain under another name", change=lambda its: _rename(its.chain, "north-0123456789abcdef")),
    Way(name="the end cut off", change=cut_off, given=True),
    Way(
        name="the end and the last line's end cut off",
        change=lambda its: (its.chain / LINKS).write_bytes((its.chain / LINKS).read_bytes()[:-1]),
    ),
    Way(name="the end cut off, a checkpoint forged", change=_cut_off_and_replace_checkpoint, given=True),
    Way(
        name="the end cut off, a checkpoint forged, no checkpoint given",
        change=_cut_off_and_replace_checkpoint,
        wanted=Result.UNKNOWN_SIGNER,
    ),
    Way(name="all signed with another key", change=_sign_all_anew, wanted=Result.UNKNOWN_SIGNER),
    Way(name="all signed with another key, a checkpoint given", change=_sign_all_anew, given=True),
    Way(
        name="changed and all signed with another key",
        change=_change_and_sign_anew,
        wanted=Result.UNKNOWN_SIGNER,
    ),
)
