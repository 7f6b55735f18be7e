"""Plugs the rooms together for live cameras: models are loaded once for all cameras of a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from api.bootstrap import PLATE_MODELS, CameraPipeline, Models, OpenedSource
from api.clock import Clock
from api.model_manifest import MANIFEST, load_manifest, verified_path
from api.paired_analyst import PairedAnalyst
from api.settings import Settings
from api.site_file import SiteFile
from api.site_stream import StreamPart
from detector.analyst import VideoAnalyst
from detector.lamps import LampBox, LampReader
from detector.picture import Pixels
from detector.plates import PlateReader
from detector.scene_watch import SceneWatch
from detector.tracker import ByteTracker
from detector.weights import Weights, load_weights
from ingest.errors import StreamError
from ingest.networks import Account, CameraNetworks
from ingest.packet_ring import PacketRing
from ingest.paired_source import PairedRing, PairedSource
from ingest.redact import redact_url
from ingest.rtsp_source import RtspSource, Transport
from rules.observation import Box, PlateReading
from rules.site import PlatePolicy

OPEN_TIMEOUT_S, SILENCE_S = 5.0, 3.0
"""How long a camera may take to answer, and how old its last packet may be: with the longest wait in between, a camera that
is back is seen within 5 s."""


class SharedPlateReader:
    """A plate reader that threads take turns with."""

    def __init__(self, reader: PlateReader) -> None:
        self._reader = reader
        self._turn = threading.Lock()

    def read(self, bgr: Pixels, box_px: Box, track_id: int) -> PlateReading | None:
        """As PlateRecogniser."""
        with self._turn:
            return self._reader.read(bgr, box_px, track_id)


class LivePipeline(CameraPipeline):
    """The parts of one live camera. The scene that its first segment learnt is that of the later ones too, so that a camera
    that was turned while nobody saw it is noticed.
    """

    def __init__(
        self,
        site_file: SiteFile,
        camera_id: str,
        models: Models,
        weights: Weights,
        plates: SharedPlateReader | None,
        clock: Clock,
        networks: CameraNetworks,
        accounts: Callable[[], Mapping[str, Account]],
    ) -> None:
        super().__init__(site_file, camera_id, models, weights, None, clock, networks)
        self._shared_plates = plates
        self._accounts = accounts
        self._scene = SceneWatch()

    @property
    def stream(self) -> StreamPart:
        """Where its pictures come from."""
        part = next(one for one in self._site_file.document.cameras if one.id == self._camera_id)
        assert part.stream is not None, "only cameras with a stream are watched"
        return part.stream

    def open_live(self, segment: int, on_thread: Callable[[int], None]) -> OpenedSource:
        """A new connection, its first picture decoded; its account as the file has it now. Raises IngestError."""
        return open_stream(
            self.stream,
            camera_id=self._camera_id,
            segment=segment,
            clock=self._clock,
            networks=self._networks,
            accounts=self._accounts(),
            on_thread=on_thread,
        )

    def live_analyst(self, opened: OpenedSource) -> VideoAnalyst | PairedAnalyst:
        """An analyst for that connection."""
        pair = opened.source if isinstance(opened.source, PairedSource) else None
        large_px = opened.source.size_px
        small_px = large_px if pair is None else pair.small_px
        x, y = small_px[0] / large_px[0], small_px[1] / large_px[1]
        boxes = []
        for head in self._site.heads:
            if head.camera_id == self._camera_id:
                x1, y1, x2, y2 = head.box_px
                boxes.append(LampBox(head_id=head.head_id, box_px=(x1 * x, y1 * y, x2 * x, y2 * y)))
        self._scene.restart()
        plates = self._shared_plates if pair is None else None
        analyst = VideoAnalyst(self.new_detector(), ByteTracker(), LampReader(boxes), plates, self._scene)
        if pair is None:
            return analyst
        assert isinstance(opened.footage, PairedRing)
        return PairedAnalyst(analyst, self._shared_plates, opened.footage, (1 / x, 1 / y))


def open_stream(
    stream: StreamPart,
    *,
    camera_id: str,
    segment: int,
    clock: Clock,
    networks: CameraNetworks | None,
    accounts: Mapping[str, Account],
    on_thread: Callable[[int], None],
) -> OpenedSource:
    """A new connection to the stream, or to the pair that it is; its first picture is decoded. Raises IngestError."""
    url = address_with_account(stream, stream.address, accounts)
    if stream.small_address is not None:
        ring = PairedRing()
        pair = PairedSource(
            url,
            address_with_account(stream, stream.small_address, accounts),
            camera_id=camera_id,
            clock=clock,
            segment=segment,
            packet_ring=ring,
            open_timeout_s=OPEN_TIMEOUT_S,
            read_timeout_s=SILENCE_S,
            transport=Transport(stream.transport),
            networks=networks,
            on_thread=on_thread,
        )
        return _opened(url, pair, ring)
    footage = PacketRing()
    source = RtspSource(
        url,
        camera_id=camera_id,
        clock=clock,
        segment=segment,
        open_timeout_s=OPEN_TIMEOUT_S,
        read_timeout_s=SILENCE_S,
        packet_ring=footage,
        transport=Transport(stream.transport),
        networks=networks,
        on_thread=on_thread,
    )
    return _opened(url, source, footage)


def _opened(url: str, source: RtspSource | PairedSource, footage: PacketRing) -> OpenedSource:
    return OpenedSource(
        name=redact_url(url), source=source, footage=footage, length_s=None, size_bytes=None, is_live=True
    )


def address_with_account(stream: StreamPart, address: str, accounts: Mapping[str, Account]) -> str:
    """That address of the stream, with the account that it names. Raises AccountMissingError."""
    if stream.account is None:
        return address
    if stream.account not in accounts:
        raise AccountMissingError(redact_url(address), stream.account)
    return accounts[stream.account].in_url(address)


class AccountMissingError(StreamError):
    """The site file names an account that is not in the file of camera accounts."""

    code = "stream_account_missing"
    retryable = True

    def __init__(self, source: str, account: str) -> None:
        super().__init__(source, f"no account {account!r} in the file of camera accounts")


class LivePipelines:
    """Makes the parts of each camera of one process; computing is by one thread a model, since cameras share the cores."""

    def __init__(self, settings: Settings, weights: Path, clock: Clock, *, read_plates: bool) -> None:
        self._settings, self._weights_path, self._clock = settings, weights, clock
        self._reads_plates = read_plates
        self._weights: dict[tuple[int, int] | None, Weights] = {}
        self._plates: tuple[SharedPlateReader, tuple[tuple[str, str], ...]] | None = None

    def pipeline(self, site_file: SiteFile, camera_id: str) -> LivePipeline:
        """Raises WeightsError, ModelFileError and ManifestError."""
        size = site_file.document.detector.input_size
        if size not in self._weights:
            self._weights[size] = load_weights(
                self._weights_path, input_size=size, threads=1, inference=self._settings.inference
            )
        weights = self._weights[size]
        reader: SharedPlateReader | None = None
        plates: tuple[tuple[str, str], ...] = ()
        if self._reads_plates and site_file.site.camera(camera_id).plates is not PlatePolicy.OFF:
            reader, plates = self._plate_reader()
        return LivePipeline(
            site_file,
            camera_id,
            Models(weights_name=self._weights_path.name, weights_sha256=weights.sha256, plates=plates),
            weights,
            reader,
            self._clock,
            self._settings.networks(),
            self._settings.camera_accounts,
        )

    def _plate_reader(self) -> tuple[SharedPlateReader, tuple[tuple[str, str], ...]]:
        if self._plates is None:
            manifest = load_manifest(self._settings.models / MANIFEST)
            files = (verified_path(manifest, name, self._settings.cache) for name in PLATE_MODELS)
            detector, recogniser, charset = files
            named = tuple((name, manifest.model(name).sha256) for name in PLATE_MODELS)
            self._plates = (SharedPlateReader(PlateReader(detector, recogniser, charset, 1)), named)
        return self._plates
