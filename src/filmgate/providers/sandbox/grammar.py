"""Reads a prompt: decides the scene, light, subjects, weather and camera of a clip."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from filmgate.providers.sandbox import vocabulary

DEFAULT_SCENE = "silk"
DEFAULT_CAMERA = "push"
DEFAULT_LOOK = "film"

# A picture of a scene where a prompt names no light of its own.
_HOME_PALETTE = {
    "water": "sunset",
    "city": "neon",
    "dunes": "mars",
    "studio": "day",
    "hills": "sunrise",
    "space": "dream",
    "silk": "aurora",
}


@dataclass(frozen=True)
class Plan:
    """What a prompt asks for, in the renderer's own terms."""

    prompt: str
    seed: int
    scene: str
    palette: str
    subjects: frozenset[str]
    particles: tuple[str, ...]
    camera: str
    """Empty when the prompt names no camera move."""
    colour: str
    """The subject's colour as ``#rrggbb``; empty when the prompt names none."""
    look: str
    """The style of an edit."""

    def rng(self, part: str) -> np.random.Generator:
        """A generator for one part of the clip: the same for the same prompt, seed and part."""
        digest = hashlib.sha256(f"{self.prompt}\0{self.seed}\0{part}".encode()).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


def read_prompt(prompt: str, seed: int | None) -> Plan:
    """Plan a clip. A seed of None is 0: the same prompt then gives the same clip."""
    text = prompt.casefold()
    scores = {
        scene: sum(weight for words, weight in words_of.items() if _says(text, words))
        for scene, words_of in vocabulary.SCENES.items()
    }
    scene = max(scores, key=lambda name: scores[name])
    if scores[scene] == 0:
        scene = DEFAULT_SCENE
    return Plan(
        prompt=prompt,
        seed=seed or 0,
        scene=scene,
        palette=_first(text, vocabulary.PALETTES, _HOME_PALETTE[scene]),
        subjects=frozenset(_all(text, vocabulary.SUBJECTS)),
        particles=tuple(_all(text, vocabulary.PARTICLES)),
        camera=_first(text, vocabulary.CAMERAS, ""),
        colour=next(
            (code for words, code in vocabulary.COLOURS.values() if _says(text, words)), ""
        ),
        look=_first(text, vocabulary.LOOKS, DEFAULT_LOOK),
    )


def image_order(prompt: str, count: int) -> list[int]:
    """The order in which a prompt names its images, as indexes; unnamed ones follow as given.

    ``@图一``, ``@图1`` and ``@image1`` count from one, ``<IMAGE_0>`` from zero.
    """
    named = []
    for match in _PLACEHOLDER.finditer(prompt):
        from_one, from_zero = match.groups()
        if from_zero is not None:
            named.append(int(from_zero))
        else:
            named.append((_NUMERALS.find(from_one) if from_one in _NUMERALS else int(from_one)) - 1)
    order = dict.fromkeys(index for index in named if 0 <= index < count)
    return list(order | dict.fromkeys(range(count)))


_NUMERALS = "零一二三四五六七"
_PLACEHOLDER = re.compile(
    r"[@\uff20]\s*(?:图片|图像|图|image|img)\s*_?([0-9]{1,2}|[一二三四五六七])|<image_([0-9]{1,2})>",
    re.IGNORECASE,
)


def _first(text: str, entries: dict[str, str], default: str) -> str:
    return next(_all(text, entries), default)


def _all(text: str, entries: dict[str, str]) -> Iterator[str]:
    return (name for name, words in entries.items() if _says(text, words))


def _says(text: str, words: str) -> bool:
    return _pattern(words).search(text) is not None


@cache
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(
        "|".join(
            rf"\b{word.replace('-', '[- ]')}s?\b" if word.isascii() else word
            for word in words.split()
        ),
        re.ASCII,  # so that an English word ends where Chinese begins
    )
