"""Builds the small videos and images that the sandbox's tests send, and runs its renderer."""

import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import numpy as np
from PIL import Image

from filmgate.providers.sandbox.job import Done, Error, Job, Line, decode_line

RENDERER = [sys.executable, "-m", "filmgate.providers.sandbox.render"]


def job(folder: Path, **fields: object) -> Job:
    """A job that writes clip.mp4 and poster.webp to `folder`; 1 s of 480p unless told."""
    base = {
        "operation": "generate",
        "prompt": "abstract silk",
        "seconds": 1,
        "aspect_ratio": "1:1",
        "resolution": "480p",
        "output": str(folder / "clip.mp4"),
        "poster": str(folder / "poster.webp"),
    }
    return msgspec.convert(base | fields, Job)


def run(asked: Job) -> list[Line]:
    """The renderer's answer lines; its exit code must be 0."""
    child = subprocess.run(RENDERER, input=msgspec.json.encode(asked), capture_output=True)
    assert (0, b"") == (child.returncode, child.stderr), child.stderr.decode()
    return [decode_line(line) for line in child.stdout.splitlines()]


def done(asked: Job) -> Done:
    """The facts of the clip that was made."""
    last = run(asked)[-1]
    assert last.done, last
    return last.done


def refused(asked: Job) -> Error:
    """Why there is no clip; nothing may have been written."""
    last = run(asked)[-1]
    assert last.error, last
    assert not Path(asked.output).exists()
    return last.error


def pictures(path: Path) -> list[np.ndarray]:
    """All frames, height x width x 3."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def loudness(path: Path, start: float, end: float) -> float:
    """Root mean square of the sound between two times in seconds."""
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples = np.concatenate(parts, axis=1)[:, round(start * 48_000) : round(end * 48_000)]
    return float(np.sqrt((samples**2).mean()))


def image(path: Path, width: int, height: int, **save: object) -> Path:
    """A picture with a bright block left of its middle."""
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[height // 4 : height // 2, width // 8 : width // 3] = (250, 120, 20)
    Image.fromarray(pixels).save(path, **save)
    return path


def video(
    path: Path,
    *,
    codec: str = "libx264",
    size: tuple[int, int] = (160, 90),
    fps: int = 24,
    seconds: float = 2.0,
    pix_fmt: str = "yuv420p",
    sound: str = "",
    times: Sequence[int] = (),
    clock: int | None = None,
    comment: str = "",
    pixel_shape: Fraction | None = None,
) -> Path:
    """An MP4 whose frames brighten from black; `times` are time stamps in `clock` ticks."""
    quiet = {"libx265": {"x265-params": "log-level=none"}, "libsvtav1": {"preset": "12"}}
    width, height = size
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata["comment"] = comment
        stream = container.add_stream(codec, rate=fps, options=quiet.get(codec, {}))
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.codec_context.time_base = Fraction(1, clock or fps)
        stream.codec_context.sample_aspect_ratio = pixel_shape or Fraction(1)
        tone = container.add_stream(sound, rate=48_000) if sound else None
        times = times or range(round(seconds * fps))
        for index, time in enumerate(times):
            level = round(255 * index / len(times))
            frame = av.VideoFrame.from_ndarray(
                np.full((height, width, 3), level, np.uint8), format="rgb24"
            )
            frame.pts, frame.time_base = time, Fraction(1, clock or fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone:
            _beep(container, tone, seconds)
    return path


def _beep(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    """A tone in the second half."""
    t = np.arange(round(seconds * 48_000)) / 48_000
    wave = 0.5 * np.sin(2 * np.pi * 440 * t) * (t > seconds / 2)
    samples = np.stack([wave, wave]).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
    frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), 0
    for part in av.AudioResampler(format=stream.format, layout="stereo", rate=48_000).resample(
        frame
    ):
        container.mux(stream.encode(part))
    container.mux(stream.encode())


def turned(path: Path) -> Path:
    """The same MP4 with a quarter turn clockwise in its track header (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40  # past version, times, ids, layer and volume
    one = 1 << 16
    matrix = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    data[start : start + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)
    return path


def boxes(path: Path) -> list[bytes]:
    """The kinds of a file's top-level boxes, in order."""
    data, position, kinds = path.read_bytes(), 0, []
    while position < len(data):
        kinds.append(data[position + 4 : position + 8])
        position += int.from_bytes(data[position : position + 4], "big")
    return kinds
