"""Makes the clip of an extend job: the input's pictures and sound, then how they go on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from filmgate.providers.sandbox import camera, sound
from filmgate.providers.sandbox.clips import Footage, open_footage
from filmgate.providers.sandbox.grammar import Plan, read_prompt
from filmgate.providers.sandbox.job import Job
from filmgate.providers.sandbox.movie import SAMPLE_RATE, Clip, Picture, Sound
from filmgate.providers.sandbox.overlay import Overlay, has_han
from filmgate.providers.sandbox.provenance import Provenance, read_comment
from filmgate.providers.sandbox.scenes import SCENES, text_scene
from filmgate.providers.sandbox.weather import KINDS, Weather

SHORTEST, LONGEST = 2.0, 15.0
# How far (mean of 255) a clip's last picture may be from the scene that its comment names.
_SAME_SCENE = 14.0
_CLEARING_SECONDS = 1.0  # new weather comes in over so long


@dataclass(frozen=True)
class _Story:
    """What the clip so far was, and what the job adds to it."""

    plan: Plan
    """The plan to go on with: the clip's own when it is ours, else the job's."""
    scene: str
    begin: float
    """The scene's time, in seconds, at the join."""
    old_weather: tuple[str, ...]
    new_weather: tuple[str, ...]

    @property
    def ours(self) -> bool:
        """Whether a scene of ours goes on, rather than the last picture."""
        return self.scene in SCENES


def extend(job: Job) -> Clip:
    """The longer video. Raises `Refusal` when the input video is unusable."""
    assert job.video is not None  # decode_job has refused that
    footage = open_footage(Path(job.video), SHORTEST, LONGEST)
    story = _story(footage, read_prompt(job.prompt, job.seed))
    kept = round(footage.seconds * footage.fps)
    frames = kept + job.seconds * footage.fps
    overlay = Overlay(
        job.prompt,
        footage.width,
        footage.height,
        job.seconds,
        chinese=has_han(story.plan.prompt),  # the badge stays as it is
    )
    silent = sound.silence(frames / footage.fps)
    return Clip(
        width=footage.width,
        height=footage.height,
        fps=footage.fps,
        frames=frames,
        pictures=_pictures(footage, kept, frames, story, overlay),
        sound=_sound(footage, story, kept, frames) if job.audio else silent,
        comment=Provenance(
            story.plan.prompt,
            story.plan.seed,
            story.scene,
            story.begin + job.seconds,
            story.old_weather + story.new_weather,
        ).encode(),
        input_seconds=kept / footage.fps,
    )


def _story(footage: Footage, asked: Plan) -> _Story:
    past = read_comment(footage.comment)
    if past is None or past.scene not in SCENES:
        return _Story(asked, "extend", 0.0, (), asked.particles)
    plan = read_prompt(past.prompt, past.seed)
    old = tuple(name for name in KINDS if name in past.weather)
    new = tuple(name for name in asked.particles if name not in old)
    return _Story(plan, plan.scene, past.end, old, new)


def _pictures(
    footage: Footage, kept: int, frames: int, story: _Story, overlay: Overlay
) -> Iterator[Picture]:
    last: Picture | None = None
    for index, picture in enumerate(footage.pictures(kept)):
        last = picture.copy() if index == kept - 1 else None
        overlay.draw(picture, (index - kept) / footage.fps)
        yield picture
    assert last is not None  # a video has at least one picture
    go_on = _continuation(last, story)
    for index in range(frames - kept):
        t = index / footage.fps
        picture = go_on(t)
        overlay.draw(picture, t)
        yield picture


def _continuation(last: Picture, story: _Story) -> Callable[[float], Picture]:
    """The picture so many seconds after the join."""
    height, width = last.shape[:2]

    def weather(names: tuple[str, ...]) -> Weather:
        return Weather(replace(story.plan, particles=names), width, height)

    old, new = weather(story.old_weather), weather(story.new_weather)
    if story.ours:
        scene = text_scene(story.plan, width, height)

        def goes_on(t: float) -> Picture:
            picture = scene.frame(story.begin + t)
            old.draw(picture, story.begin + t)
            return _come_in(new, picture, story.begin + t, t)

        # A comment can lie: only go on with the scene that the last picture shows.
        if _distance(goes_on(0), last) < _SAME_SCENE:
            return goes_on
    return lambda t: _come_in(new, camera.look(last, camera.view("push", t)), t, t)


def _come_in(weather: Weather, picture: Picture, t: float, since: float) -> Picture:
    share = min(since / _CLEARING_SECONDS, 1.0)
    if share == 1.0:
        weather.draw(picture, t)
        return picture
    with_it = picture.copy()
    weather.draw(with_it, t)
    return cv2.addWeighted(with_it, share, picture, 1 - share, 0)


def _distance(a: Picture, b: Picture) -> float:
    small = [cv2.resize(p, (64, 36), interpolation=cv2.INTER_AREA).astype(np.int16) for p in (a, b)]
    return float(np.abs(small[0] - small[1]).mean())


def _sound(footage: Footage, story: _Story, kept: int, frames: int) -> Sound:
    """The input's sound, crossfaded into the bed of the continuation."""
    track = footage.sound(frames / footage.fps)
    join = round(kept / footage.fps * SAMPLE_RATE)
    overlap = min(round(sound.JOIN_SECONDS * SAMPLE_RATE), join)
    rise = np.linspace(0, 1, overlap, dtype=np.float32)
    plan = replace(story.plan, particles=story.old_weather + story.new_weather)
    bed = sound.ambience(
        plan,
        max(story.begin - overlap / SAMPLE_RATE, 0.0),
        (track.shape[1] - join + overlap) / SAMPLE_RATE,
    )
    bed[:, :overlap] *= rise
    if not story.ours:  # ours has faded out by itself
        track[:, join - overlap : join] *= 1 - rise
    track[:, join:] = 0
    track[:, join - overlap :] += bed[:, : track.shape[1] - join + overlap]
    track[:, -overlap:] *= np.linspace(1, 0, overlap, dtype=np.float32)
    return np.clip(track, -1, 1)
