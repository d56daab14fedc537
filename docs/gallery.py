"""Renders the README's picture: frames of clips that the sandbox makes from one prompt each.

Run `python3 dev.py gallery`; it takes about half a minute on two cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import msgspec
import numpy as np
from PIL import Image

from filmgate.providers.sandbox.job import Job

PICTURE = Path(__file__).resolve().parent / "pictures" / "sandbox.jpg"
_COLUMNS, _CELL = 3, (400, 225)
_PROMPTS = (
    "A serene lake at sunrise with mist rolling over the water",
    "A red sports car driving through rainy neon streets at night",
    "一枚水晶能量火箭从火星红色沙丘上发射升空",
    "A small red ball bouncing once on a clean white tabletop",
    "colourful nebula with a ringed planet",
    "misty mountains at sunset, parallax layers",
    "海上日落,一艘帆船缓缓驶过金色的波浪",
    "luxury product showcase, rotating diamond",
    "abstract dream of velvet music",
)


def frame(prompt: str, folder: Path) -> Image.Image:
    """The frame in the middle of a three-second clip."""
    job = Job(
        operation="generate",
        prompt=prompt,
        output=str(folder / "clip.mp4"),
        poster=str(folder / "poster.webp"),
        seconds=3,
        aspect_ratio="16:9",
        resolution="720p",
    )
    renderer = [sys.executable, "-m", "filmgate.providers.sandbox.render"]
    subprocess.run(renderer, input=msgspec.json.encode(job), check=True, capture_output=True)
    with av.open(job.output) as clip:
        pictures = list(clip.decode(video=0))
    shown: np.ndarray = pictures[len(pictures) // 2].to_ndarray(format="rgb24")
    return Image.fromarray(shown).resize(_CELL, Image.Resampling.LANCZOS)


def main() -> None:
    """Render every prompt and paste the frames into one picture."""
    rows = -(-len(_PROMPTS) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _CELL[0], rows * _CELL[1]))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        homes = [Path(folder, str(number)) for number in range(len(_PROMPTS))]
        for home in homes:
            home.mkdir()
        for number, cell in enumerate(pool.map(frame, _PROMPTS, homes)):
            row, column = divmod(number, _COLUMNS)
            sheet.paste(cell, (column * _CELL[0], row * _CELL[1]))
            print(f"{number + 1}/{len(_PROMPTS)}", file=sys.stderr)
    PICTURE.parent.mkdir(exist_ok=True)
    sheet.save(PICTURE, quality=82, optimize=True)


if __name__ == "__main__":
    main()
