"""Verifies a chain by its files alone, and checkpoints against it: numbers, hashes from link to link, signatures, times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evidence.canonical import moment, sha256_hex
from evidence.chain import (
    NO_LINK,
    Checkpoint,
    Link,
    LinkKind,
    read_checkpoint,
    read_link,
)
from evidence.chain_file import CHECKPOINTS, LINKS, whole_lines
from evidence.signing import SignedFormError
from evidence.verification import Findings, State, Trust

LINK_CHECKS = ("number", "previous", "signature")
CHECKPOINT_CHECKS = ("signature", "count", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A line of the chain's file; ``link`` is None where it is none, and ``why`` says why."""

    sha256: str
    link: Link | None
    why: str


class ChainFiles:
    """The links of one chain as they stand in its file, and the checkpoints beside them."""

    def __init__(self, links: Path, trust: Trust, chain_id: str | None = None) -> None:
        """``chain_id`` None: that of the first link. Raises OSError where the file is there and cannot be read."""
        self._folder = links.parent
        self._trust = trust
        self._signed: dict[int, tuple[State, str]] = {}
        lines, self._rest = whole_lines(links.read_bytes() if links.exists() else b"")
        self._entries = [_entry(line) for line in lines]
        first = next((entry.link for entry in self._entries if entry.link is not None), None)
        self.id = chain_id if chain_id is not None else "" if first is None else first.chain_id
        self._place: dict[tuple[LinkKind, str], int] = {}
        for place, entry in enumerate(self._entries):
            if entry.link is not None:
                self._place.setdefault((entry.link.kind, entry.link.manifest_sha256), place)

    @property
    def count(self) -> int:
        """How many lines there are."""
        return len(self._entries)

    def link_of(self, kind: LinkKind, manifest_sha256: str) -> Link | None:
        """The first link of that kind for that manifest."""
        place = self._place.get((kind, manifest_sha256))
        return None if place is None else self._entries[place].link

    def cases(self) -> Sequence[Link]:
        """The links of packages that were made."""
        return [
            entry.link
            for entry in self._entries
            if entry.link is not None and entry.link.kind is LinkKind.CASE
        ]

    def verify(self, found: Findings, *, only: int | None = None) -> None:
        """Every link is checked; with ``only``, the signatures of that number and its neighbours alone, and all hashes."""
        near = range(self.count) if only is None else self._near(only)
        sound = 0
        unknown: dict[str, int] = {}
        for place in range(self.count):
            state, says = self._judge(place, signature=place in near)
            sound += state is State.OK
            if state is State.FAILED:
                found.fail(f"link {place + 1}", LINK_CHECKS, says)
            elif state is State.UNKNOWN_SIGNER:
                unknown[says] = unknown.get(says, 0) + 1
        for says, count in unknown.items():
            found.add("links", LINK_CHECKS, State.UNKNOWN_SIGNER, f"{count} of {self.count} {says}")
        if self._rest:
            found.fail(
                f"link {self.count + 1}",
                (),
                "its line has no end: an interrupted run left it (--resume finishes that), or it was changed",
            )
        if sound == self.count and not self._rest:
            which = "" if only is None else f"; signatures of {', '.join(str(place + 1) for place in near)}"
            found.add("links", LINK_CHECKS, State.OK, f"{self.count} in an unbroken row{which}")

    def judge_near(self, number: int) -> tuple[State, str]:
        """The link of that number and its neighbours; what is wrong with the first that is not in order."""
        judged = [(place + 1, *self._judge(place, signature=True)) for place in self._near(number)]
        for state in (State.FAILED, State.UNKNOWN_SIGNER):
            for at, found, says in judged:
                if found is state:
                    return state, says if at == number else f"link {at}: {says}"
        beside = " and ".join(str(at) for at, _, _ in judged if at != number)
        return State.OK, f"it fits link {beside}" if beside else "it is the only one"

    def verify_checkpoints(self, found: Findings) -> None:
        """The checkpoints that stand beside the links fit them. They prove no completeness: who cuts one may cut the other."""
        path = self._folder / CHECKPOINTS
        if not path.exists():
            found.add("checkpoints", (), State.NOTE, "the chain has none yet")
            return
        lines, rest = whole_lines(path.read_bytes())
        for number, line in enumerate(lines, start=1):
            try:
                checkpoint = read_checkpoint(line)
            except SignedFormError as exc:
                found.fail(f"checkpoint {number}", (), f"it cannot be read: {exc}")
                continue
            state, says = self.judge_checkpoint(checkpoint)
            found.add(f"checkpoint {number}", CHECKPOINT_CHECKS, state, says)
        if rest:
            found.fail(
                f"checkpoint {len(lines) + 1}",
                (),
                "its line has no end: an interrupted run left it (--resume finishes that), or it was changed",
            )

    def judge_checkpoint(self, checkpoint: Checkpoint) -> tuple[State, str]:
        """Whether the chain holds what the checkpoint says that it held, and who says so."""
        signed = checkpoint.signed
        said = f"{checkpoint.count} links on {moment(checkpoint.at)}"
        state, says = self._trust.judge(signed.signature, signed.message, checkpoint.at)
        if state is State.FAILED:
            return state, f"{said}: {says}"
        if checkpoint.chain_id != self.id:
            return State.FAILED, f"it is of chain {checkpoint.chain_id}, and this is {self.id}"
        if checkpoint.count > self.count:
            return State.FAILED, f"{said}, and there are {self.count}: the end was cut off"
        head = NO_LINK if checkpoint.count == 0 else self._entries[checkpoint.count - 1].sha256
        if checkpoint.head_sha256 != head:
            return State.FAILED, f"{said}: link {checkpoint.count} was another one then"
        return state, f"{said}; {says}"

    def _judge(self, place: int, *, signature: bool) -> tuple[State, str]:
        entry, number = self._entries[place], place + 1
        link = entry.link
        if link is None:
            return State.FAILED, f"it cannot be read: {entry.why}"
        if link.chain_id != self.id:
            return State.FAILED, f"it is of chain {link.chain_id}, and this is {self.id}"
        if link.number != number:
            return State.FAILED, f"it has the number {link.number}: links were dropped, added or moved"
        if link.previous_sha256 != (NO_LINK if place == 0 else self._entries[place - 1].sha256):
            return State.FAILED, "the link before it is another one than when it was made"
        if self._place[link.kind, link.manifest_sha256] != place:
            return State.FAILED, "an earlier link says the same"
        made = self._place.get((LinkKind.CASE, link.manifest_sha256), place)
        if link.kind is LinkKind.TOMBSTONE and made >= place:
            return State.FAILED, "it deletes a package that was not made before"
        if not signature:
            return State.OK, ""
        if place not in self._signed:
            signed = link.signed
            self._signed[place] = self._trust.judge(signed.signature, signed.message, link.at)
        return self._signed[place]

    def _near(self, number: int) -> range:
        """The places of the link of that number and of its neighbours."""
        return range(max(0, number - 2), min(self.count, number + 1))


def find_chains(custody: Path, trust: Trust) -> tuple[ChainFiles, ...]:
    """The chains of a data folder's custody, in order of their names. Raises OSError."""
    if not custody.is_dir():
        return ()
    return tuple(
        ChainFiles(folder / LINKS, trust, folder.name)
        for folder in sorted(custody.iterdir())
        if folder.is_dir()
    )


def _entry(line: bytes) -> _Entry:
    try:
        return _Entry(sha256=sha256_hex(line), link=read_link(line), why="")
    except SignedFormError as exc:
        return _Entry(sha256=sha256_hex(line), link=None, why=str(exc))
