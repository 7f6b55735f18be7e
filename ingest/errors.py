"""Why sources of frames have errors of their own: whoever runs a replay must learn what is wrong with which file or camera.

StoplineError
└── IngestError             ``source`` is the path, or the address without its secrets
    ├── SourceKindError         neither a path nor an address that we can open, or an option that does not fit it
    ├── FileError               a recording; trying again does not help
    │   ├── FileMissingError        nothing stands at that path
    │   ├── NotAFileError           a folder, a device, a pipe
    │   ├── FileUnreadableError     the system refuses to read it
    │   ├── FileEmptyError          0 bytes
    │   ├── NotVideoError           something else than a video
    │   ├── NoVideoTrackError       sound or data only
    │   ├── UnknownCodecError       no decoder for its picture
    │   ├── PictureTooLargeError    pictures of a size that no traffic camera has
    │   ├── FileCutOffError         broken off so early that no picture can be decoded
    │   └── NoFramesError           a whole container that holds no picture
    ├── SignalFeedError         a signal feed that cannot be used: a message that makes no sense, a run that does not fit
    ├── BrokerError             an MQTT broker that gives no signal feed
    │   ├── BrokerUnreachableError  nobody answers there
    │   └── BrokerRefusedError      it refuses the account or the subscription
    ├── StreamError             a live camera
    │   ├── StreamUnreachableError  nobody answers at that address
    │   ├── StreamUnauthorisedError account refused
    │   ├── StreamNotFoundError     the camera has no such stream
    │   ├── StreamOutsideError      its host lies outside the networks for cameras
    │   ├── StreamNoVideoError      the stream has no picture
    │   ├── StreamCodecError        no decoder for its picture
    │   ├── StreamAbsurdError       a size or rate of pictures that no traffic camera has
    │   ├── StreamSilentError       connected, and then nothing in time
    │   ├── StreamEndedError        it ended before its first picture
    │   └── StreamRefusedError      any other answer than a video we can read
    ├── LeaseError              a camera's lease that the disk does not keep
    └── PacketsGoneError        the packet ring no longer holds what was asked for
        └── FrameGoneError          likewise, one frame

The vendor's texts for live streams quote the address with its password. So the errors of live streams are
raised from a ``RedactedCause``, never from the vendor's exception.
"""

from __future__ import annotations

from rules.errors import StoplineError
from rules.observation import FrameStamp


class IngestError(StoplineError):
    """A source of frames that cannot be used; ``message`` says what is wrong and what would be right."""

    code = "input_unusable"

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source
        self.message = message


class SourceKindError(IngestError):
    """Neither the path of a recording nor the address of a camera, or an option that belongs to the other kind."""

    code = "input_kind"


class SignalFeedError(IngestError):
    """A signal feed that cannot be used; ``line`` is that of a message that makes no sense, from 1, None for the whole."""

    code = "signal_feed"

    def __init__(self, path: str, line: int | None, message: str) -> None:
        super().__init__(path if line is None else f"{path}:{line}", message)
        self.line = line


class BrokerError(IngestError):
    """An MQTT broker that gives no signal feed; ``source`` is its address without its secrets."""

    code = "broker"
    retryable = True


class BrokerUnreachableError(BrokerError):
    """Nobody answers at that address, or not as an MQTT broker does."""

    code = "broker_unreachable"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(
            source, f"the MQTT broker cannot be reached ({reason}); check host, port and network"
        )
        self.reason = reason


class BrokerRefusedError(BrokerError):
    """The broker refuses the account or the topic."""

    code = "broker_refused"
    retryable = False

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(
            source,
            f"the MQTT broker refuses ({reason}); check the user in the address, the file that "
            "STOPLINE_MQTT_PASSWORD_FILE names, and the topic",
        )
        self.reason = reason


class FileError(IngestError):
    """A recording that cannot be used; ``source`` is its path as given."""

    code = "input_file"


class FileMissingError(FileError):
    """Nothing stands at that path."""

    code = "input_missing"

    def __init__(self, path: str) -> None:
        super().__init__(path, "no such file; give the path of a recorded video")


class NotAFileError(FileError):
    """A folder, a device or a pipe stands there."""

    code = "input_not_a_file"

    def __init__(self, path: str, *, is_folder: bool) -> None:
        what = "is a folder; give the path of one video in it" if is_folder else "is not a regular file"
        super().__init__(path, what)
        self.is_folder = is_folder


class FileUnreadableError(FileError):
    """The operating system refuses to read it; ``reason`` is its word for why."""

    code = "input_unreadable"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, f"cannot be read: {reason}; check its permissions and its disk")
        self.reason = reason


class FileEmptyError(FileError):
    """The file has 0 bytes."""

    code = "input_empty"

    def __init__(self, path: str) -> None:
        super().__init__(path, "is empty (0 bytes); the recording or its copy never began")


class NotVideoError(FileError):
    """The content is no video, whatever the name says; ``found`` says what it looks like, where that is known."""

    code = "input_not_video"

    def __init__(self, path: str, found: str | None = None) -> None:
        looks = f" (it looks like {found})" if found else ""
        super().__init__(path, f"is not a video{looks}; give an MP4, MKV, MPEG-TS, AVI or similar recording")
        self.found = found


class NoVideoTrackError(FileError):
    """A media file without a picture; ``tracks`` are the kinds of its tracks, in order."""

    code = "input_no_video_track"

    def __init__(self, path: str, tracks: tuple[str, ...]) -> None:
        has = ", ".join(tracks)
        super().__init__(path, f"has no video track (it has: {has}); give a recording with a picture")
        self.tracks = tracks


class UnknownCodecError(FileError):
    """No decoder for its video."""

    code = "input_unknown_codec"

    def __init__(self, path: str) -> None:
        super().__init__(path, "its video is coded in a way for which there is no decoder; give it as H.264")


class FileCutOffError(FileError):
    """Broken off so early that not one picture can be decoded; ``found`` says what is left."""

    code = "input_cut_off"

    def __init__(self, path: str, found: str) -> None:
        super().__init__(path, f"is cut off: {found}; copy it again from the recorder")
        self.found = found


class PictureTooLargeError(FileError):
    """Pictures of a size that no traffic camera has: a small file that would fill the memory."""

    code = "input_picture_too_large"

    def __init__(self, path: str, size_px: tuple[int, int], most_px: int) -> None:
        super().__init__(
            path, f"has pictures of {size_px[0]}x{size_px[1]} px; sides of up to {most_px} are read"
        )
        self.size_px = size_px


class NoFramesError(FileError):
    """A whole video file that holds not one picture."""

    code = "input_no_frames"

    def __init__(self, path: str) -> None:
        super().__init__(path, "holds no picture (0 frames); record again")


class StreamError(IngestError):
    """A live camera that cannot be used; ``source`` is its address without its secrets."""

    code = "stream"
    retryable = True


class StreamUnreachableError(StreamError):
    """Nobody answers at that address."""

    code = "stream_unreachable"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, f"cannot be reached ({reason}); check host, port and network")
        self.reason = reason


class StreamUnauthorisedError(StreamError):
    """The camera refuses the account, or wants one."""

    code = "stream_unauthorised"
    retryable = False

    def __init__(self, source: str) -> None:
        super().__init__(source, "the camera refuses this account; check user and password")


class StreamNotFoundError(StreamError):
    """The camera answers, and has no stream of that path."""

    code = "stream_not_found"
    retryable = False

    def __init__(self, source: str) -> None:
        super().__init__(source, "the camera has no stream of that path; check what follows the port")


class StreamOutsideError(StreamError):
    """Its host lies outside the networks in which cameras may stand; ``numbers`` are the host's."""

    code = "stream_outside"
    retryable = False

    def __init__(self, source: str, numbers: str, networks: str) -> None:
        super().__init__(
            source,
            f"its host ({numbers}) lies outside the networks in which cameras may stand ({networks}); correct the "
            "address, or STOPLINE_CAMERA_NETWORKS",
        )
        self.numbers = numbers


class StreamNoVideoError(StreamError):
    """The camera answers with a stream that has no picture."""

    code = "stream_no_video"
    retryable = False

    def __init__(self, source: str) -> None:
        super().__init__(source, "its stream has no video track; check the path")


class StreamCodecError(StreamError):
    """No decoder for its picture; ``codec`` as the camera names it, where it does."""

    code = "stream_codec"
    retryable = False

    def __init__(self, source: str, codec: str) -> None:
        super().__init__(source, f"no decoder for its video ({codec}); set the camera to H.264 or H.265")
        self.codec = codec


class StreamAbsurdError(StreamError):
    """A size or rate of pictures that no traffic camera has, and no machine could look at; ``what`` says which."""

    code = "stream_absurd"
    retryable = False

    def __init__(self, source: str, what: str) -> None:
        super().__init__(source, f"sends {what}; correct the camera's settings")
        self.what = what


class StreamSilentError(StreamError):
    """Connected, and then nothing came for ``waited_s``."""

    code = "stream_silent"

    def __init__(self, source: str, waited_s: float) -> None:
        super().__init__(source, f"sends nothing (waited {waited_s:g} s); check the camera")
        self.waited_s = waited_s


class StreamEndedError(StreamError):
    """The stream ended before one picture could be decoded; ``reason`` as far as it is known."""

    code = "stream_ended"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, f"ended before its first picture ({reason})")
        self.reason = reason


class StreamRefusedError(StreamError):
    """Any other answer than a video that we can read; ``reason`` is the redacted word of the reader."""

    code = "stream_refused"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, f"does not give a video over RTSP ({reason}); check port and path")
        self.reason = reason


class LeaseError(IngestError):
    """The disk does not keep a camera's lease; ``reason`` is the system's word for why."""

    code = "lease"
    retryable = True

    def __init__(self, camera_id: str, reason: str) -> None:
        super().__init__(f"camera {camera_id}", f"its lease cannot be kept ({reason})")
        self.reason = reason


class PacketsGoneError(IngestError):
    """The packet ring holds nothing between ``from_s`` and ``to_s``; ``kept_s`` is what it holds, None when nothing."""

    code = "packets_gone"

    def __init__(self, source: str, wanted: str, kept_s: tuple[float, float] | None) -> None:
        has = f"{kept_s[0]:.3f} s to {kept_s[1]:.3f} s" if kept_s else "nothing"
        super().__init__(source, f"{wanted} is not in the packet ring, which holds {has}; hold it in time")
        self.kept_s = kept_s


class FrameGoneError(PacketsGoneError):
    """The frame of that stamp cannot be decoded again, since its packets, or those it builds on, are gone."""

    code = "frame_gone"

    def __init__(self, stamp: FrameStamp, kept_s: tuple[float, float] | None) -> None:
        wanted = f"frame {stamp.index} of segment {stamp.segment} ({stamp.media_s:.3f} s)"
        super().__init__(f"camera {stamp.camera_id}", wanted, kept_s)
        self.stamp = stamp
