"""Makes the clip of an edit job: the input's own pictures restyled, its own sound kept."""

from collections.abc import Iterator
from pathlib import Path

from filmgate.providers.sandbox import sound
from filmgate.providers.sandbox.clips import Footage, open_footage
from filmgate.providers.sandbox.grades import Look
from filmgate.providers.sandbox.grammar import read_prompt
from filmgate.providers.sandbox.job import Job
from filmgate.providers.sandbox.movie import Clip, Picture
from filmgate.providers.sandbox.overlay import Overlay, has_han
from filmgate.providers.sandbox.provenance import Provenance
from filmgate.providers.sandbox.weather import Weather

SHORTEST, LONGEST = 0.5, 15.0
MOST_KEPT = 8.7
"""Seconds of an edited video that are kept (xAI's limit for edits)."""


def edit(job: Job) -> Clip:
    """The restyled video. Raises `Refusal` when the input video is unusable."""
    assert job.video is not None
    footage = open_footage(Path(job.video), SHORTEST, LONGEST)
    plan = read_prompt(job.prompt, job.seed)
    frames = max(1, int(min(footage.seconds, MOST_KEPT) * footage.fps + 0.01))
    seconds = frames / footage.fps
    look = Look(plan.look, footage.width, footage.height)
    weather = Weather(plan, footage.width, footage.height)
    overlay = Overlay(
        job.prompt, footage.width, footage.height, seconds, chinese=has_han(job.prompt)
    )
    return Clip(
        width=footage.width,
        height=footage.height,
        fps=footage.fps,
        frames=frames,
        pictures=_restyled(footage, frames, look, weather, overlay),
        sound=footage.sound(seconds) if job.audio else sound.silence(seconds),
        comment=Provenance(plan.prompt, plan.seed, "edit", seconds).encode(),
        input_seconds=footage.seconds,
    )


def _restyled(
    footage: Footage, frames: int, look: Look, weather: Weather, overlay: Overlay
) -> Iterator[Picture]:
    for index, picture in enumerate(footage.pictures(frames)):
        t = index / footage.fps
        styled = look.apply(picture)
        weather.draw(styled, t)
        overlay.draw(styled, t)
        yield styled
