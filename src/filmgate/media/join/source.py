"""Opens an upstream's MP4 and decodes it by time: pictures for given moments, and their sound.

The file is never trusted to say what it is: FFmpeg is told the format and may open nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from filmgate.media.join.job import Facts, Unreadable

Sound = NDArray[np.float32]
"""Two channels x samples, -1 to 1, at ``SAMPLE_RATE``."""
SAMPLE_RATE = 48_000

_OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0", "use_absolute_path": "0"}
_RATES = (1, 120)


@dataclass(frozen=True)
class Source:
    """A clip as measured from its packets; times are seconds since its first picture."""

    path: str
    width: int
    height: int
    rate: Fraction
    seconds: float
    origin: float
    """When the first picture is shown, on the file's own clock."""
    has_audio: bool
    labels: dict[str, str]
    """The title and comment, where the file has them: they may say who made it."""

    @property
    def facts(self) -> Facts:
        return Facts(self.seconds, self.width, self.height, self.has_audio)

    def pictures(self, begin: float, count: int, rate: Fraction) -> Iterator[av.VideoFrame]:
        """``count`` pictures at ``rate`` from ``begin`` on: for each moment, the nearest one.

        Nearest, because an upstream may have encoded its input anew on a clock that rounds. Raises
        ``Unreadable``.
        """
        step, given = float(1 / rate), 0
        shown: tuple[float, av.VideoFrame] | None = None
        for time, frame in self._decoded():
            while shown and given < count and begin + given * step < (shown[0] + time) / 2:
                yield shown[1]
                given += 1
            if given == count:
                return
            shown = time, frame
        if shown is None:
            raise Unreadable("has no pictures that can be decoded")
        yield from repeat(shown[1], count - given)

    def sound(self, begin: float, samples: int) -> Sound:
        """So many samples of its sound from ``begin`` on, silence where it has none.

        Raises ``Unreadable``.
        """
        track = np.zeros((2, samples), np.float32)
        if not self.has_audio:
            return track
        at: int | None = None
        with _open(self.path) as container, _damage_is_unreadable():
            # FFmpeg would make one channel quieter on its way to two; copied, it is as loud.
            layout = "mono" if container.streams.audio[0].channels == 1 else "stereo"
            resampler = av.AudioResampler(format="fltp", layout=layout, rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                if at is None:
                    at = round(((frame.time or 0.0) - self.origin - begin) * SAMPLE_RATE)
                for part in resampler.resample(frame):
                    at = _place(track, part.to_ndarray(), at)
                if at >= samples:
                    break
        return track

    def _decoded(self) -> Iterator[tuple[float, av.VideoFrame]]:
        with _open(self.path) as container, _damage_is_unreadable():
            for frame in container.decode(video=0):
                if frame.is_corrupt or frame.time is None:
                    raise Unreadable("is damaged")
                yield frame.time - self.origin, frame


def quiet_libraries() -> None:
    """Keep FFmpeg to itself."""
    av.logging.set_level(av.logging.PANIC)


def open_source(path: str) -> Source:
    """Measure the MP4 at ``path``. Raises ``Unreadable`` when it is not one."""
    with _open(path) as container, _damage_is_unreadable():
        if not container.streams.video or container.streams.video[0].codec_context is None:
            raise Unreadable("has no video stream that we can decode")
        stream = container.streams.video[0]
        clock = stream.time_base or Fraction(1, 90_000)
        shown = [
            (packet.pts, packet.pts + (packet.duration or 0))
            for packet in container.demux(stream)
            if packet.pts is not None and not packet.is_discard
        ]
        if not shown:
            raise Unreadable("has no pictures")
        first, end = min(start for start, _ in shown), max(end for _, end in shown)
        seconds = float((end - first) * clock)
        rate = _nominal(stream.average_rate, len(shown) / seconds if seconds else 0.0)
        labels = ("title", "comment")
        return Source(
            path=path,
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            rate=rate,
            seconds=seconds,
            origin=float(first * clock),
            has_audio=bool(container.streams.audio),
            labels={key: value for key, value in container.metadata.items() if key in labels},
        )


def _nominal(declared: Fraction | None, counted: float) -> Fraction:
    """The frame rate that was meant; a whole one is often missed by the file's rounded clock."""
    rate = declared or Fraction(counted).limit_denominator(1001)
    if not _RATES[0] <= rate <= _RATES[1]:
        raise Unreadable(f"has {float(rate):.1f} pictures a second")
    whole = round(rate)
    return Fraction(whole) if abs(rate - whole) < Fraction(1, 100) else rate


def _open(path: str) -> av.container.InputContainer:
    try:
        return av.open(path, format="mov", options=_OPTIONS, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        raise Unreadable("is not a readable MP4") from error


class _damage_is_unreadable:
    """Turns FFmpeg's errors into ``Unreadable``."""

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, av.FFmpegError):
            raise Unreadable("is damaged") from error


def _place(track: Sound, samples: NDArray[Any], at: int) -> int:
    """Copy samples of one or two channels to ``at`` (they may overhang); where the next ones go."""
    end: int = at + samples.shape[1]
    low, high = max(at, 0), min(end, track.shape[1])
    if low < high:
        track[:, low:high] = samples[:, low - at : high - at]
    return end
