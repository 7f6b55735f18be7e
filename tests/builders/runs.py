"""A finished run of a scripted pipeline: real recordings, real rules, a real folder."""

from __future__ import annotations

from pathlib import Path

from api.site_file import SiteFile
from api.work.progress import Advance
from api.work.replay import replay
from api.work.replay_source import ReplayRequest
from api.work.run_folder import OpenMode
from tests.builders.scripted import HandClock, ScriptedPipeline


class Silence:
    """Progress that nobody sees."""

    def begun(self, at: Advance) -> None: ...

    def advanced(self, at: Advance) -> None: ...

    def ended(self, at: Advance, outcome: str) -> None: ...

    def noted(self, text: str) -> None: ...


def a_finished_run(
    out: Path, pipeline: ScriptedPipeline, *sources: Path, site_file: SiteFile | None = None
) -> Path:
    """``out``, filled with the run of camera cam1 over the sources, without evidence."""
    request = ReplayRequest(
        sources=tuple(str(source) for source in sources),
        site_file=site_file or pipeline.site_file,
        camera_id="cam1",
        out=out,
        mode=OpenMode.NEW,
        start_times=(),
        duration_s=None,
        with_evidence=False,
    )
    replay(request, pipeline, Silence(), HandClock(), lambda: False)
    return out
