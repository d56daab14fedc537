"""Plays pieces of clips one after the other into one MP4, without a seam in time or sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from filmgate.media.join.job import Facts, Join, Piece, Unreadable
from filmgate.media.join.source import SAMPLE_RATE, Sound, Source, open_source

# Both pieces hold the moments before a seam, so the sounds that are crossfaded there are alike.
_CROSSFADE_SAMPLES = SAMPLE_RATE // 100
_AUDIO_BITRATE = 128_000
# An upstream's pictures are encoded once more, and tails twice: closer than for a first encoding.
_QUALITY = "18"
_BT709, _BT601, _UNSPECIFIED = 1, 5, 2  # H.264, table E-5
_HD_HEIGHT = 720
_SMOOTH = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


@dataclass(frozen=True)
class _Cut:
    """A piece on the joined clip's clock: which of its frames it fills."""

    source: Source
    begin: float
    first: int
    end: int


def join(job: Join, progress: Callable[[float], None]) -> Facts:
    """Write the joined MP4; its facts. ``progress`` is told the share done, 0 to 1.

    Its length is that of the pieces together, to the nearest frame. Raises ``Unreadable``.
    """
    cuts = _lay_out(job.pieces)
    output = Path(job.output)
    part = output.with_name(output.name + ".part")
    try:
        _encode(cuts, part, progress)
        facts = open_source(str(part)).facts
        os.replace(part, output)
    finally:
        part.unlink(missing_ok=True)
    return facts


def _lay_out(pieces: tuple[Piece, ...]) -> list[_Cut]:
    cuts: list[_Cut] = []
    seconds, first = 0.0, 0
    for piece in pieces:
        source = open_source(piece.path)
        rate = cuts[0].source.rate if cuts else source.rate
        begin = piece.begin if piece.begin >= 0 else max(source.seconds + piece.begin, 0.0)
        # Every end is rounded from the whole length, so that no error adds up.
        seconds += source.seconds - begin
        end = round(seconds * rate)
        if end <= first:
            raise Unreadable(f"ends after {source.seconds:.2f} s, and was to go on from there")
        cuts.append(_Cut(source, begin, first, end))
        first = end
    return cuts


def _encode(cuts: list[_Cut], part: Path, progress: Callable[[float], None]) -> None:
    rate, total = cuts[0].source.rate, cuts[-1].end
    sound = _sound(cuts, rate)
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        # An extension's maker describes the whole clip so far.
        container.metadata.update(cuts[-1].source.labels)
        video = _video_stream(container, cuts[0].source)
        audio = container.add_stream("aac", rate=SAMPLE_RATE)
        audio.layout, audio.bit_rate = "stereo", _AUDIO_BITRATE
        heard = 0
        for index, picture in enumerate(_pictures(cuts, rate)):
            picture.pts, picture.time_base = index, 1 / rate
            container.mux(video.encode(picture))
            due = _sample(index + 1, rate)
            container.mux(audio.encode(_audio_frame(sound, heard, due)))
            heard = due
            progress((index + 1) / total)
        container.mux(video.encode())
        container.mux(audio.encode())


def _pictures(cuts: list[_Cut], rate: Fraction) -> Iterator[av.VideoFrame]:
    """Every picture of the joined clip, in its one size and colour space."""
    width, height = _even(cuts[0].source)
    to_ours = VideoReformatter()
    for cut in cuts:
        for frame in cut.source.pictures(cut.begin, cut.end - cut.first, rate):
            matrix: Any = frame.colorspace
            if matrix == _UNSPECIFIED:  # what players assume of an untagged file
                matrix = _BT709 if frame.height >= _HD_HEIGHT else _BT601
            picture = to_ours.reformat(
                frame,
                width=width,
                height=height,
                format="yuv420p",
                src_colorspace=matrix,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                interpolation=_SMOOTH,
                threads=1,
            )
            picture.pict_type = av.video.frame.PictureType.NONE  # the encoder decides afresh
            yield picture


def _video_stream(container: av.container.OutputContainer, like: Source) -> av.VideoStream:
    options = {"preset": "veryfast", "crf": _QUALITY, "profile": "high"}
    stream = container.add_stream("libx264", rate=like.rate, options=options)
    stream.width, stream.height = _even(like)
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.time_base = 1 / like.rate
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = ColorRange.MPEG
    return stream


def _sound(cuts: list[_Cut], rate: Fraction) -> Sound:
    """The one track: each piece's sound where its pictures are, crossfaded just before a seam."""
    track = np.zeros((2, _sample(cuts[-1].end, rate)), np.float32)
    for cut in cuts:
        start, end = _sample(cut.first, rate), _sample(cut.end, rate)
        fade = min(_CROSSFADE_SAMPLES, start, round(cut.begin * SAMPLE_RATE))
        heard = cut.source.sound(cut.begin - fade / SAMPLE_RATE, fade + end - start)
        rise = np.linspace(0, 1, fade, dtype=np.float32)
        heard[:, :fade] *= rise
        track[:, start - fade : start] *= 1 - rise
        track[:, start - fade : end] += heard
    return track


def _audio_frame(sound: Sound, start: int, end: int) -> av.AudioFrame:
    samples = np.ascontiguousarray(sound[:, start:end])
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = SAMPLE_RATE, Fraction(1, SAMPLE_RATE), start
    return frame


def _sample(frame: int, rate: Fraction) -> int:
    """The sample that sounds when a frame appears."""
    return round(frame * SAMPLE_RATE / rate)


def _even(source: Source) -> tuple[int, int]:
    return source.width & ~1, source.height & ~1
