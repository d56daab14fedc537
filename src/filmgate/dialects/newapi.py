"""The API of new-api relays, as documents 003 and 004 give it: ``/v1/video/generations``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from filmgate.core import ids
from filmgate.core.catalog import Catalog, Model
from filmgate.core.errors import (
    FilmgateError,
    Inexpressible,
    InvalidRequest,
    UnknownModel,
)
from filmgate.core.task import Status
from filmgate.core.video import AspectRatio, Media, Resolution, VideoRequest
from filmgate.dialects import answers, results
from filmgate.dialects.base import Call, Outbound, Reply, View
from filmgate.dialects.passing import Slot, carry_only, pass_back, pass_on, readable
from filmgate.dialects.placeholders import placeholders
from filmgate.dialects.reading import (
    Fields,
    field_of,
    offered,
    open_texts,
    required,
    snake,
    unfold,
    without,
)
from filmgate.dialects.refusals import error_object, refusal
from filmgate.dialects.sources import count_images, pictures

T = TypeVar("T")

_SECONDS = ("seconds", "duration")
_FRAME = ("aspect_ratio", "resolution", "resolution_name", "size")
_IMAGES = ("image_urls", "image", "images", "input_reference", "reference_images")
_DEFAULTS: dict[str, Any] = {"seconds": 4, "aspect_ratio": "16:9", "resolution": "720p"}
_SLOTS = (
    Slot(("model",), ("model",)),
    Slot(("prompt",), ("prompt",)),
    Slot(("seconds",), _SECONDS),
    Slot(("aspect_ratio", "resolution"), _FRAME),
    Slot(("image", "references"), _IMAGES),
    Slot(("user",), ("user",)),
)
# What a relay in front of us knows of its own business, and its raw upstream answer.
_PRIVATE = (
    *("channel", "channel_id", "user", "user_id", "username", "group", "quota", "data"),
    *("platform", "properties", "private_data", "url", "video_url"),
)
_STATUS: dict[Status, str] = {
    "queued": "QUEUED",
    "submitting": "SUBMITTED",
    "in_progress": "IN_PROGRESS",
    "unknown": "IN_PROGRESS",
    "completed": "SUCCESS",
    "failed": "FAILURE",
    "cancelled": "FAILURE",
}


class NewApi(answers.ReadsAnswers):
    """The new-api dialect."""

    name: ClassVar[str] = "newapi"

    # --- facing a caller ---

    def decode(self, call: Call, catalog: Catalog) -> VideoRequest:
        """Read a create; refusals come in the order and words of contracts, section 4.

        ``seconds`` is clamped rather than refused: absent or <= 0 is 4, too long is the longest.
        Images of every field are merged, also where document 003, section 6.3, asks callers not to
        use two of them. As relays do, a ``metadata`` object fills in the length, frame and images
        that the body itself does not say. Raises ``InvalidRequest``.
        """
        body, metadata = _without_metadata(_with_files(call))
        fields = Fields(body)
        layers = (fields, Fields(metadata, within="metadata."))
        model = catalog[required(fields.text("model"), "model field is required", "model")]
        prompt = required(fields.text("prompt"), "prompt is required", "prompt")
        ratio = _ratio(model, layers)
        resolution = _resolution(model, layers)
        images = _first(layers, lambda layer: layer.items(*_IMAGES)) or []
        count = count_images(images)
        _check_count(model, count)
        given = {"aspect_ratio": ratio, "resolution": resolution, **pictures(images)}
        given["seconds"] = _seconds(model, layers, count)
        return VideoRequest(
            model=model.name,
            prompt=prompt,
            user=fields.user(),
            original=body,
            spoken=self.name,
            **(given | model.selected),
        )

    def encode_created(self, view: View) -> Reply:
        """The task object of document 003, section 7."""
        task_id = ids.as_task(view.task.id)
        body = {
            "id": task_id,
            "task_id": task_id,
            "object": "video",
            "model": view.task.request.model,
            "status": "queued",
            "progress": 0,
            "created_at": int(view.task.created_at),
        }
        return Reply(status=200, body=body)

    def encode_task(self, view: View) -> Reply:
        """The poll of document 003, section 8: always five fields, ``""`` and never null.

        A video that was withheld or has expired is a ``FAILURE``: the documents' own programs wait
        on for a ``SUCCESS`` without a ``result_url``.
        """
        problem = results.problem(view)
        data = {
            "task_id": ids.as_task(view.task.id),
            "status": "FAILURE" if problem else _STATUS[view.task.status],
            "progress": f"{results.percent(view)}%",
            "result_url": "" if problem or not view.task.final else view.link,
            "fail_reason": problem.message if problem else "",
        }
        body = {"code": "success", "message": "", "data": data}
        changed = ("code", "message", *(f"data.{name}" for name in (*data, *_PRIVATE)))
        return Reply(status=200, body=pass_back(view.task, self.name, body, *changed))

    def encode_error(self, error: FilmgateError) -> Reply:
        """One body that suits every relay's client (contracts, section 4)."""
        words = refusal(error)
        if isinstance(error, UnknownModel):
            words = words._replace(status=400)
        elif words.code == "task_not_found":
            words = words._replace(code="task_not_exist")
        body = {
            "code": words.code,
            "message": words.message,
            "data": None,
            "error": error_object(words),
        }
        return Reply(status=words.status, body=body, headers=words.headers)

    # --- facing an upstream ---

    def encode_request(self, request: VideoRequest) -> Outbound:
        """Write a create; a body that came in this dialect travels on as it is.

        Raises ``Inexpressible`` for edits, extensions and whatever else relays have no field for.
        """
        same = request.spoken == self.name
        written = _write(request, request.prompt if same else placeholders(request.prompt))
        if same:
            written = pass_on(
                request.original,
                request,
                said=_said(Fields(readable(request.original))),
                written=written,
                defaults=_DEFAULTS,
                slots=_SLOTS,
            )
        return Outbound(method="POST", path="/v1/video/generations", body=written)

    def encode_poll(self, upstream_id: str) -> Outbound:
        """``GET /v1/video/generations/{task_id}``."""
        return Outbound(method="GET", path=f"/v1/video/generations/{upstream_id}")


def _with_files(call: Call) -> dict[str, Any]:
    """The body, in which files of a name that says nothing are images after all others."""
    body: dict[str, Any] = open_texts(unfold(call.body), *_IMAGES, "metadata")
    fields = dict.fromkeys(field_of(name, body) for name in call.files)
    unknown = [field for field in fields if field in body and snake(field) not in _IMAGES]
    if not unknown:
        return body
    last = _IMAGES[-1]
    images = [image for _, image in Fields(body).items(last)]
    for field in unknown:
        value = body.pop(field)
        images += value if isinstance(value, list) else [value]
    return without(body, last) | {last: images}


def _without_metadata(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body and its ``metadata``, taken apart.

    What ``metadata`` says of the video leaves the body: an upstream where it wins over the body
    would make something else than was paid for.
    """
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return body, {}
    rest = without(metadata, *_SECONDS, *_FRAME, *_IMAGES)
    if rest == metadata:
        return body, {}
    return without(body, "metadata") | ({"metadata": rest} if rest else {}), metadata


def _first(layers: tuple[Fields, ...], read: Callable[[Fields], T]) -> T | None:
    """What the first of these that says anything says."""
    return next((found for layer in layers if (found := read(layer))), None)


def _ratio(model: Model, layers: tuple[Fields, ...]) -> AspectRatio:
    ratio = _first(layers, Fields.ratio) or "16:9"
    if ratio not in model.aspect_ratios:
        raise InvalidRequest(
            f"{model.name} supports aspect_ratio {', '.join(model.aspect_ratios)}",
            code="invalid_aspect_ratio",
            param="aspect_ratio",
        )
    return ratio


def _resolution(model: Model, layers: tuple[Fields, ...]) -> Resolution:
    """A resolution named outright must be on offer; one implied by a ``size`` is lowered to it."""
    for layer in layers:
        if named := layer.resolution():
            if named in model.resolutions or model.fixed_resolution:
                return named
            raise InvalidRequest(
                f"{model.name} supports resolution {', '.join(model.resolutions)}",
                code="invalid_resolution",
                param="resolution",
            )
        if implied := layer.size_class():
            return offered(implied, model)
    return offered("720p", model)


def _seconds(model: Model, layers: tuple[Fields, ...], images: int) -> int:
    lengths = (layer.whole(name) or 0 for layer in layers for name in _SECONDS)
    asked = next((length for length in lengths if length > 0), _DEFAULTS["seconds"])
    return max(model.seconds[0], min(asked, model.longest(images)))


def _check_count(model: Model, images: int) -> None:
    if model.shapes == ("image",) and images != 1:
        raise InvalidRequest(
            f"{model.name} only supports exactly one reference image",
            code="invalid_image_count",
            param="image_urls",
        )
    if images > model.max_references:
        raise InvalidRequest(
            f"{model.name} supports at most {model.max_references} reference images",
            code="invalid_image_count",
            param="image_urls",
        )


def _said(fields: Fields) -> dict[str, Any]:
    """What a body says, by ``VideoRequest`` field, without defaults and clamps."""
    said = {
        "model": fields.text("model"),
        "prompt": fields.text("prompt"),
        "seconds": fields.whole(*_SECONDS),
        "aspect_ratio": fields.ratio(),
        "resolution": fields.resolution() or fields.size_class(),
        "user": fields.user(),
    }
    images = pictures(fields.items(*_IMAGES))
    return {field: value for field, value in said.items() if value is not None} | images


def _write(request: VideoRequest, prompt: str) -> dict[str, Any]:
    """A request in document 003's recommended fields."""
    carry_only(
        NewApi.name, request, "seconds", "aspect_ratio", "resolution", "image", "references", "user"
    )
    # One reference would read as a first frame.
    if len(request.references) == 1 or (request.image and request.references):
        raise Inexpressible(NewApi.name, "references")
    body: dict[str, Any] = {
        "model": request.model,
        "prompt": prompt,
        "seconds": request.seconds,
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
    }
    if request.images:
        body["image_urls"] = [_address(media) for media in request.images]
    if request.user:
        body["user"] = request.user
    return body


def _address(media: Media) -> str:
    """A relay takes plain strings, so a file id must have become a URL before."""
    if not media.url:
        raise Inexpressible(NewApi.name, "file_id")
    return media.url
