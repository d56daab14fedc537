"""The families of pictures a text prompt can become; each module here draws one."""

from collections.abc import Callable
from typing import Protocol

from filmgate.providers.sandbox import camera
from filmgate.providers.sandbox.grammar import Plan
from filmgate.providers.sandbox.movie import Picture
from filmgate.providers.sandbox.scenes.city import City
from filmgate.providers.sandbox.scenes.dunes import Dunes
from filmgate.providers.sandbox.scenes.hills import Hills
from filmgate.providers.sandbox.scenes.silk import Silk
from filmgate.providers.sandbox.scenes.space import Space
from filmgate.providers.sandbox.scenes.studio import Studio
from filmgate.providers.sandbox.scenes.water import Water


class Scene(Protocol):
    """A picture that moves: the same `t` gives the same frame, whatever was drawn before."""

    def frame(self, t: float) -> Picture:
        """The picture `t` seconds into the scene; the caller may draw on it."""
        ...


SCENES: dict[str, Callable[[Plan, int, int], Scene]] = {
    "city": City,
    "dunes": Dunes,
    "hills": Hills,
    "silk": Silk,
    "space": Space,
    "studio": Studio,
    "water": Water,
}
"""A scene's name in the vocabulary, and what draws it from (plan, width, height)."""


def text_scene(plan: Plan, width: int, height: int) -> Scene:
    """The scene that a plan asks for, filmed with the camera move it names."""
    scene = SCENES[plan.scene](plan, width, height)
    # What is asked to turn turns by itself: only moves of the camera are left to do.
    return _Filmed(scene, plan.camera) if plan.camera in {"push", "pull", "pan"} else scene


class _Filmed:
    """A scene seen by a moving camera."""

    def __init__(self, scene: Scene, move: str) -> None:
        self._scene, self._move = scene, move

    def frame(self, t: float) -> Picture:
        """See `Scene.frame`."""
        return camera.look(self._scene.frame(t), camera.view(self._move, t))
