"""The models on offer: what each can do and costs. A fact about a model is data, never an `if`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from filmgate.core.errors import InvalidRequest, UnknownModel
from filmgate.core.pricing import Prices
from filmgate.core.video import AspectRatio, Operation, Resolution, VideoRequest

Shape = Literal["text", "image", "references", "frames", "edit", "extend"]


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One public model name and its limits.

    ``family`` is the upstream model behind it. ``shapes`` are the kinds of request it takes:
    from text, one image, several references, given frames, editing or extending a clip.
    ``seconds`` is (shortest, longest) of one generation; ``references_seconds`` the longest with
    several references. ``fixed_seconds`` is set where the model's name selects the length
    (document 000), as ``fixed_resolution`` where it selects the quality.
    """

    name: str
    family: str
    description: str
    shapes: tuple[Shape, ...]
    aspect_ratios: tuple[AspectRatio, ...]
    prices: Prices
    seconds: tuple[int, int] = (1, 15)
    references_seconds: int = 10
    max_references: int = 7
    fixed_seconds: int | None = None
    fixed_resolution: Resolution | None = None
    prompt_characters: int = 4000
    created: int = 1769472000

    @property
    def resolutions(self) -> tuple[Resolution, ...]:
        """The resolutions it can make: the one that its name selects, or those with a price."""
        return (self.fixed_resolution,) if self.fixed_resolution else tuple(self.prices.per_second)

    @property
    def selected(self) -> dict[str, Any]:
        """What its name alone decides of a generation, by ``VideoRequest`` field.

        That holds in every dialect, whatever a caller asks for (document 000).
        """
        said = {"seconds": self.fixed_seconds, "resolution": self.fixed_resolution}
        return {field: value for field, value in said.items() if value is not None}

    def longest(self, images: int) -> int:
        """The longest clip in seconds that it makes from this many images."""
        return min(self.seconds[1], self.references_seconds) if images > 1 else self.seconds[1]


class Catalog:
    """The models by public name, in the operator's order."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._models = {model.name: model for model in models}

    def replace(self, models: Iterable[Model]) -> None:
        """Offer these models from now on."""
        self._models = {model.name: model for model in models}

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __contains__(self, name: object) -> bool:
        return name in self._models

    def __getitem__(self, name: str) -> Model:
        """The model of that name. Raises ``UnknownModel``."""
        model = self._models.get(name)
        if model is None:
            raise UnknownModel(name)
        return model


def shape_of(request: VideoRequest) -> Shape:
    """Which kind of request this is."""
    if request.operation != "generate":
        return request.operation
    if request.last_frame or request.keyframes:
        return "frames"
    if request.references:
        return "references"
    return "image" if request.image else "text"


_NEEDS: dict[Shape, str] = {
    "text": "generate from text alone",
    "image": "animate an image",
    "references": "use reference images",
    "frames": "use first, last or key frames",
    "edit": "edit a video",
    "extend": "extend a video",
}

_SECONDS: dict[Operation, tuple[int, int] | None] = {
    "generate": None,
    "edit": (0, 0),
    "extend": (2, 10),
}


def fit(model: Model, request: VideoRequest) -> None:
    """Check that ``model`` can make ``request``; the last gate before any money moves.

    Dialects refuse in their own words first; this is what holds for all of them. Raises
    ``InvalidRequest`` naming the field and what would be accepted.
    """
    shape = shape_of(request)
    if shape not in model.shapes:
        raise InvalidRequest(
            f"{model.name} cannot {_NEEDS[shape]}; choose another model from GET /v1/models.",
            code="failed_precondition",
            param="model",
        )
    if len(request.prompt) > model.prompt_characters:
        raise InvalidRequest(
            f"prompt is too long: {len(request.prompt)} characters, "
            f"at most {model.prompt_characters}.",
            code="prompt_too_long",
            param="prompt",
        )
    if len(request.images) > model.max_references:
        raise InvalidRequest(
            f"{model.name} supports at most {model.max_references} reference images",
            code="too_many_images",
            param="reference_images",
        )
    longest = model.longest(len(request.images))
    low, high = _SECONDS[request.operation] or (model.seconds[0], longest)
    if not low <= request.seconds <= high:
        raise InvalidRequest(
            f"duration must be between {low} and {high} seconds, not {request.seconds}.",
            code="invalid_video_length",
            param="duration",
        )
    if request.operation != "generate":
        return
    if request.aspect_ratio not in model.aspect_ratios:
        raise InvalidRequest(
            f"aspect_ratio must be one of {', '.join(model.aspect_ratios)}.",
            code="invalid_aspect_ratio",
            param="aspect_ratio",
        )
    if request.resolution not in model.resolutions:
        raise InvalidRequest(
            f"resolution must be one of {', '.join(model.resolutions)} for {model.name}.",
            code="invalid_resolution",
            param="resolution",
        )


def read_catalog(document: dict[str, object]) -> Catalog:
    """A catalogue from a parsed ``catalog.toml``: each model row over its family's table.

    Raises ``msgspec.ValidationError`` naming the field that is wrong.
    """
    families = msgspec.convert(document.get("family", {}), dict[str, dict[str, object]])
    rows = msgspec.convert(document.get("model", []), list[dict[str, object]])
    merged = [families.get(str(row.get("family")), {}) | row for row in rows]
    return Catalog(msgspec.convert(merged, list[Model]))
