"""Reads the site files that say which cameras are watched, again and again: a changed one takes effect, a wrong one does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from api.errors import ConfigInvalidError, Problem
from api.site_file import SiteFile, parse_site_file
from api.work.fleet import CameraSpec
from api.work.live_signals import listeners

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What is in force: the cameras by id, of which site each is and for how many days it keeps its passages, and the problems
    of files that are not.
    """

    cameras: dict[str, CameraSpec] = field(default_factory=dict)
    site_ids: dict[str, str] = field(default_factory=dict)
    passage_days: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


class SiteFolder:
    """Site files at ``paths``, and those in folders among them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._good: dict[Path, SiteFile] = {}
        self._bytes: dict[Path, bytes] = {}
        self._seen: dict[Path, str] | None = None
        self._problems: dict[Path, tuple[Problem, ...]] = {}

    def read(self) -> Published | None:
        """What is published now; None where nothing has changed since the last call.

        A file that is wrong now, or cannot be read, leaves in force what it said before; one that is gone ends its cameras.
        """
        found = {path: _content(path) for path in self._files()}
        seen = {path: "" if data is None else sha256(data).hexdigest() for path, data in found.items()}
        if seen == self._seen:
            return None
        before = self._seen or {}
        for path, data in found.items():
            if seen[path] != before.get(path):
                self._take(path, data)
        for path in set(before) - set(found):
            for kept in (self._good, self._bytes, self._problems):
                kept.pop(path, None)
        self._seen = seen
        return self._published()

    def _files(self) -> list[Path]:
        files: list[Path] = []
        for path in self._paths:
            if path.is_dir():
                files += sorted(one for one in path.iterdir() if one.suffix in SUFFIXES and one.is_file())
            else:
                files.append(path)
        return list(dict.fromkeys(files))

    def _take(self, path: Path, data: bytes | None) -> None:
        if data is None:
            self._problems[path] = (Problem(file=str(path), line=None, field="", message="cannot be read"),)
            return
        try:
            self._good[path], self._bytes[path] = parse_site_file(data, str(path)), data
            self._problems.pop(path, None)
        except ConfigInvalidError as exc:
            self._problems[path] = exc.problems

    def _published(self) -> Published:
        cameras: dict[str, CameraSpec] = {}
        site_ids: dict[str, str] = {}
        days: dict[str, int] = {}
        problems = [problem for path in sorted(self._problems) for problem in self._problems[path]]
        for path in sorted(self._good):
            site_file = self._good[path]
            for part in site_file.document.cameras:
                if part.stream is None:
                    continue
                if part.id in cameras:
                    message = f"{cameras[part.id].site_name} has a camera {part.id!r} too; cases are named by camera"
                    problems.append(Problem(file=str(path), line=None, field="cameras", message=message))
                    continue
                cameras[part.id] = CameraSpec(
                    camera_id=part.id,
                    site_name=str(path),
                    site=self._bytes[path],
                    key=_key(site_file, part.id),
                )
                site_ids[part.id] = site_file.site.site_id
                days[part.id] = site_file.site.passage_days
        return Published(cameras=cameras, site_ids=site_ids, passage_days=days, problems=tuple(problems))


def _key(site_file: SiteFile, camera_id: str) -> str:
    """Changes with everything in the site file that this camera depends on: not with the others' parts, nor with retention.

    Which others want to know what it sees of the heads is part of it.
    """
    document = site_file.document.model_dump(mode="json", by_alias=True, exclude={"retention"})
    document["cameras"] = [one for one in document["cameras"] if one["id"] == camera_id]
    document["listeners"] = listeners(site_file.site, camera_id)
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
