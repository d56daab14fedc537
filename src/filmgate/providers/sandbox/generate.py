"""Makes the clip of a generate job: from text, from one image, or from several references."""

from collections.abc import Callable, Iterator
from pathlib import Path

from filmgate.providers.sandbox import sound
from filmgate.providers.sandbox.grammar import DEFAULT_CAMERA, Plan, image_order, read_prompt
from filmgate.providers.sandbox.images import crop, open_image
from filmgate.providers.sandbox.job import Job
from filmgate.providers.sandbox.movie import FPS, Clip, Picture
from filmgate.providers.sandbox.overlay import Overlay, has_han
from filmgate.providers.sandbox.provenance import Provenance
from filmgate.providers.sandbox.references import References
from filmgate.providers.sandbox.scenes import text_scene
from filmgate.providers.sandbox.size import picture_size
from filmgate.providers.sandbox.still import Still
from filmgate.providers.sandbox.weather import Weather

Frame = Callable[[float], Picture]


def generate(job: Job) -> Clip:
    """The clip a prompt (and images) ask for. Raises `Refusal` when an image is unusable."""
    width, height = picture_size(job.aspect_ratio, job.resolution)
    plan = read_prompt(job.prompt, job.seed)
    kind, frame = _source(job, plan, width, height)
    frames = job.seconds * FPS
    weather = Weather(plan, width, height)
    overlay = Overlay(job.prompt, width, height, job.seconds, chinese=has_han(job.prompt))
    bed = sound.faded(sound.ambience(plan, 0.0, job.seconds))
    return Clip(
        width=width,
        height=height,
        fps=FPS,
        frames=frames,
        pictures=_draw(frame, frames, weather, overlay),
        sound=bed if job.audio else sound.silence(job.seconds),
        comment=Provenance(
            plan.prompt, plan.seed, kind, float(job.seconds), plan.particles
        ).encode(),
    )


def _source(job: Job, plan: Plan, width: int, height: int) -> tuple[str, Frame]:
    """What the clip is called in its comment, and what draws it."""
    if not job.images:
        return plan.scene, text_scene(plan, width, height).frame
    order = image_order(job.prompt, len(job.images))
    pictures = [crop(open_image(Path(job.images[i])), width, height) for i in order]
    if len(pictures) == 1:
        return "image", Still(pictures[0], plan.camera or DEFAULT_CAMERA).frame
    return "references", References(pictures, plan, job.seconds).frame


def _draw(frame: Frame, frames: int, weather: Weather, overlay: Overlay) -> Iterator[Picture]:
    for index in range(frames):
        t = index / FPS
        picture = frame(t)
        weather.draw(picture, t)
        overlay.draw(picture, t)
        yield picture
