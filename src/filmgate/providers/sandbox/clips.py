"""Opens a video that anyone may have sent: refuses what is not a whole plain MP4, decodes the rest.

The file is never trusted to say what it is: FFmpeg is told the format and may open nothing else.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from filmgate.providers.sandbox.job import Refusal
from filmgate.providers.sandbox.movie import EXACT_COLOUR, FPS, SAMPLE_RATE, Picture, Sound

MAX_BYTES = 64 * 1024**2
MAX_STREAMS = 4
SIDE = (64, 2048)
RATE = (5, 61)
VIDEO_CODECS = ("h264", "hevc", "av1")
SOUND_CODECS = ("aac", "mp3", "opus", "flac", "alac", "ac3", "eac3")

_OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0", "use_absolute_path": "0"}
_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"udta", b"meta", b"uuid"} | {
    b"moof", b"mfra", b"sidx", b"styp", b"emsg", b"prft", b"pdin", b"pnot", b"PICT"
}  # fmt: skip
_LENGTH_SLACK = 0.1  # seconds: an asked 15 s often arrives as 15.02
_SAME_TIME = 0.002  # seconds: time stamps are rounded to the file's clock
_HD_HEIGHT = 720
_BT709, _UNSPECIFIED = 1, 2


@dataclass(frozen=True)
class Footage:
    """A video that passed the checks, as it is to be shown: turned upright, sides even."""

    path: Path
    width: int
    height: int
    fps: int
    """The rate we go on with: the file's own when it is a whole number, else 24."""
    seconds: float
    comment: str

    def pictures(self, frames: int) -> Iterator[Picture]:
        """Exactly `frames` pictures at `fps`, the last one held if the video ends before.

        Raises `Refusal` when the video turns out to be damaged.
        """
        shown: Picture | None = None
        given = 0
        for time, picture in _decoded(self):
            # A picture stays up until the next one is due.
            while shown is not None and given < frames and given / self.fps + _SAME_TIME < time:
                yield shown.copy()
                given += 1
            shown = picture
            if given >= frames:
                return
        if shown is None:
            raise Refusal("The video has no pictures that can be decoded.")
        for _ in range(given, frames):
            yield shown.copy()

    def sound(self, seconds: float) -> Sound:
        """The first `seconds` of its sound, in step with the pictures; silence where it has none.

        Raises `Refusal` when the sound is damaged or of a kind we do not read.
        """
        return _decoded_sound(self.path, seconds)


def open_footage(path: Path, shortest: float, longest: float) -> Footage:
    """Check a video, whose length must be from `shortest` to `longest` seconds.

    Raises `Refusal`, with a sentence that says what to send instead.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Refusal(f"The video is larger than {MAX_BYTES >> 20} MB.")
    _check_boxes(path)
    with _open(path) as container:
        stream = _video_of(container)
        context = stream.codec_context
        for side in (context.width, context.height):
            if not SIDE[0] <= side <= SIDE[1]:
                raise Refusal(
                    f"The video is {context.width}x{context.height}: "
                    f"each side must be from {SIDE[0]} to {SIDE[1]} pixels."
                )
        rate, seconds = _measure(container, stream, longest)
        if not shortest - _LENGTH_SLACK <= seconds <= longest + _LENGTH_SLACK:
            raise Refusal(
                f"The video is {seconds:.1f} s long: it must be from {shortest:g} to {longest:g} s."
            )
        width, height = _shown_size(container, stream)
        comment = container.metadata.get("comment", "")
    return Footage(path, width, height, rate, min(seconds, longest), comment)


def _open(path: Path) -> "av.container.InputContainer":
    try:
        return av.open(str(path), format="mov", options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise Refusal("The video is not a readable MP4 file.") from error


def _check_boxes(path: Path) -> None:
    """Refuse a file whose top-level boxes do not fill it exactly (ISO 14496-12, 4.2)."""
    size = path.stat().st_size
    seen = []
    with path.open("rb") as file:
        position = 0
        while position < size:
            file.seek(position)
            header = file.read(16)
            if len(header) < 8:
                raise Refusal("The video is cut off: send the whole file.")
            length, kind = struct.unpack(">I4s", header[:8])
            if kind not in _BOXES:
                raise Refusal("The video is not an MP4 file.")
            if length == 1 and len(header) == 16:
                (length,) = struct.unpack(">Q", header[8:])
            elif length == 0:
                length = size - position  # this box runs to the end of the file
            if length < 8 or position + length > size:
                raise Refusal("The video is cut off: send the whole file.")
            seen.append(kind)
            position += length
    if b"moov" not in seen:
        raise Refusal("The video is cut off or not an MP4 file: it has no index.")


def _video_of(container: "av.container.InputContainer") -> av.VideoStream:
    if len(container.streams) > MAX_STREAMS:
        raise Refusal(f"The video has more than {MAX_STREAMS} streams.")
    for stream in container.streams.video:
        if stream.codec_context is not None and stream.codec_context.name in _DECODERS:
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"max_pixels": str(SIDE[1] ** 2)}
            return stream
    raise Refusal("The video must be H.264, H.265 or AV1 in an MP4 file.")


_DECODERS = {*VIDEO_CODECS, "libdav1d"}


def _measure(
    container: "av.container.InputContainer", stream: av.VideoStream, longest: float
) -> tuple[int, float]:
    """The rate to go on with and the length in seconds, counted from the packets themselves."""
    most = round((longest + 1) * RATE[1])
    clock = stream.time_base or Fraction(1, 90_000)
    starts: list[int] = []
    end = 0
    try:
        for packet in container.demux(stream):
            if packet.pts is None or packet.is_discard:
                continue
            if packet.is_corrupt:
                raise Refusal("The video is damaged: send the file again.")
            starts.append(packet.pts)
            end = max(end, packet.pts + (packet.duration or 0))
            if len(starts) > most:
                raise Refusal("The video has too many pictures for its length limit.")
    except av.FFmpegError as error:
        raise Refusal("The video is damaged: send the file again.") from error
    if not starts:
        raise Refusal("The video has no pictures.")
    seconds = float((end - min(starts)) * clock)
    rate = len(starts) / seconds if seconds > 0 else 0.0
    if not RATE[0] <= rate <= RATE[1]:
        raise Refusal(
            f"The video has {rate:.0f} pictures a second: it must have from {RATE[0]} to {RATE[1]}."
        )
    declared = float(stream.average_rate or 0)
    whole = abs(declared - round(declared)) < 0.001 and abs(declared - rate) < 0.5
    return (round(declared) if whole else FPS), seconds


def _shown_size(
    container: "av.container.InputContainer", stream: av.VideoStream
) -> tuple[int, int]:
    """Width and height of the upright picture with square pixels, both even."""
    container.seek(0)
    for frame in _frames(container, stream):
        width, height = _square(frame, stream)
        if frame.rotation % 180:
            width, height = height, width
        return width & ~1, height & ~1
    raise Refusal("The video has no pictures that can be decoded.")


def _square(frame: av.VideoFrame, stream: av.VideoStream) -> tuple[int, int]:
    """The frame's size after its pixels are made square, within the size limits."""
    width = round(frame.width * (stream.sample_aspect_ratio or 1))
    return min(max(width, SIDE[0]), SIDE[1]), frame.height


def _frames(
    container: "av.container.InputContainer", stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    """Decoded frames of one size, without gaps. Raises `Refusal` on damage."""
    size = stream.codec_context.width, stream.codec_context.height
    try:
        for frame in container.decode(stream):
            if frame.is_corrupt or frame.pts is None:
                raise Refusal("The video is damaged: send the file again.")
            if (frame.width, frame.height) != size:
                raise Refusal("The video changes its size half way: send one with a single size.")
            yield frame
    except (av.FFmpegError, ValueError) as error:
        raise Refusal("The video is damaged: send the file again.") from error


def _decoded(footage: Footage) -> Iterator[tuple[float, Picture]]:
    """Seconds since the first picture, and the picture."""
    to_rgb = VideoReformatter()
    with _open(footage.path) as container:
        stream = _video_of(container)
        start: int | None = None
        for frame in _frames(container, stream):
            assert frame.pts is not None  # `_frames` has refused that
            assert frame.time_base is not None
            start = frame.pts if start is None else start
            time = float((frame.pts - start) * frame.time_base)
            yield time, _upright(frame, stream, to_rgb)[: footage.height, : footage.width]


def _upright(frame: av.VideoFrame, stream: av.VideoStream, to_rgb: VideoReformatter) -> Picture:
    width, height = _square(frame, stream)
    matrix: Any = frame.colorspace
    if matrix == _UNSPECIFIED and frame.height >= _HD_HEIGHT:
        matrix = _BT709  # what players assume of an untagged HD file
    rgb = to_rgb.reformat(
        frame,
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=matrix,
        interpolation=EXACT_COLOUR,
        threads=1,
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90)))


def _decoded_sound(path: Path, seconds: float) -> Sound:
    track = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
    with _open(path) as container:
        if not container.streams.audio:
            return track
        stream = container.streams.audio[0]
        name = stream.codec_context.name if stream.codec_context else "unknown"
        if name not in SOUND_CODECS and not name.startswith("pcm_"):
            raise Refusal(f"The video's sound is {name}: send AAC sound, or none.")
        video = _video_of(container)
        origin = float((video.start_time or 0) * (video.time_base or 0))
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
        position: int | None = None
        try:
            for frame in container.decode(stream):
                if position is None:
                    position = round(((frame.time or 0.0) - origin) * SAMPLE_RATE)
                for part in resampler.resample(frame):
                    position = _place(track, part.to_ndarray(), position)
                if position >= track.shape[1]:
                    break
        except (av.FFmpegError, ValueError) as error:
            raise Refusal("The video's sound is damaged: send the file again.") from error
    return track


def _place(track: Sound, samples: Sound, position: int) -> int:
    """Copy samples into the track at `position` (they may overhang); where the next ones go."""
    end: int = position + samples.shape[1]
    low, high = max(position, 0), min(end, track.shape[1])
    if low < high:
        track[:, low:high] = samples[:, low - position : high - position]
    return end
