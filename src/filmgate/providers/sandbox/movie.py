"""Writes a clip: pictures and sound in, an H.264 and AAC MP4 (and its poster) out."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

# OpenCV's stubs do not tell element types, so these names do, for the reader.
Picture = NDArray[Any]
"""Bytes: one frame of height x width x 3, red first (or x 1 or 4 where a docstring says so)."""
Floats = NDArray[Any]
"""Single-precision numbers."""
Sound = NDArray[Any]
"""Single-precision samples: two channels x samples, -1 to 1, at `SAMPLE_RATE`."""

FPS = 24
SAMPLE_RATE = 48_000
TITLE = "Sandbox preview: procedural, not AI / 沙盒演示:程序绘制,非 AI 生成"

EXACT_COLOUR = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""For conversions between RGB and YUV: without it, each one darkens a picture by one level."""

_AUDIO_BITRATE = 128_000
_AAC_FRAME = 1024
_POSTER_AT = 1 / 3
_POSTER_QUALITY = 82
_BT709 = 1  # primaries, transfer and matrix share this code in H.264's table E


@dataclass(frozen=True)
class Clip:
    """Everything that goes into one file."""

    width: int
    height: int
    fps: int
    frames: int
    pictures: Iterator[Picture]
    """Exactly `frames` pictures, in order."""
    sound: Sound
    comment: str
    """Goes into the MP4's comment."""
    input_seconds: float = 0.0
    """Length of the video it was made from, if any."""

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def quiet_libraries() -> None:
    """Keep OpenCV to one thread and FFmpeg to itself."""
    cv2.setNumThreads(1)
    av.logging.set_level(av.logging.PANIC)


def write(clip: Clip, output: Path, poster: Path, progress: Callable[[float], None]) -> None:
    """Encode `clip` to `output` and a still of it to `poster`.

    Both names appear only when their file is whole. `progress` is told the share done, 0 to 1.
    """
    part = output.with_name(output.name + ".part")
    still = poster.with_name(poster.name + ".part")
    try:
        _encode(clip, part, still, progress)
        os.replace(still, poster)
        os.replace(part, output)
    finally:
        part.unlink(missing_ok=True)
        still.unlink(missing_ok=True)


def _encode(clip: Clip, part: Path, still: Path, progress: Callable[[float], None]) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(part), "w", format="mp4", options=options) as container:
        container.metadata.update(title=TITLE, comment=clip.comment)
        video = _video_stream(container, clip)
        audio = container.add_stream("aac", rate=SAMPLE_RATE, options={"flags": "+bitexact"})
        audio.bit_rate = _AUDIO_BITRATE
        to_yuv = VideoReformatter()
        heard = 0
        for index, picture in enumerate(clip.pictures):
            if index == int(clip.frames * _POSTER_AT):
                _write_poster(picture, still)
            frame = to_yuv.reformat(
                av.VideoFrame.from_ndarray(picture, format="rgb24"),
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                interpolation=EXACT_COLOUR,
                threads=1,
            )
            frame.pts, frame.time_base = index, Fraction(1, clip.fps)
            container.mux(video.encode(frame))
            due = round((index + 1) * SAMPLE_RATE / clip.fps)
            heard = _encode_sound(container, audio, clip.sound, heard, due)
            progress((index + 1) / clip.frames)
        _encode_sound(container, audio, clip.sound, heard, clip.sound.shape[1], last=True)
        container.mux(video.encode())
        container.mux(audio.encode())


def _video_stream(container: av.container.OutputContainer, clip: Clip) -> av.VideoStream:
    preset = "superfast" if min(clip.width, clip.height) >= 720 else "veryfast"
    options = {
        "preset": preset,
        "crf": "21",
        "profile": "high",
        "flags": "+bitexact",
        # Macroblock-tree is not bit-exact across CPUs.
        "x264-params": "no-mbtree=1",
    }
    stream = container.add_stream("libx264", rate=clip.fps, options=options)
    stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
    context = stream.codec_context
    context.thread_count = 1
    context.time_base = Fraction(1, clip.fps)
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = ColorRange.MPEG
    return stream


def _encode_sound(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    sound: Sound,
    start: int,
    end: int,
    last: bool = False,
) -> int:
    """Encode whole AAC frames of `sound` up to sample `end`; the rest too if it is the `last`."""
    while start < end and (last or start + _AAC_FRAME <= end):
        samples = np.ascontiguousarray(sound[:, start : min(start + _AAC_FRAME, end)])
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        frame.pts = start
        container.mux(stream.encode(frame))
        start += samples.shape[1]
    return start


def _write_poster(picture: Picture, path: Path) -> None:
    quality = [cv2.IMWRITE_WEBP_QUALITY, _POSTER_QUALITY]
    done, data = cv2.imencode(".webp", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), quality)
    if not done:
        raise RuntimeError("the poster could not be encoded")
    path.write_bytes(data.tobytes())
