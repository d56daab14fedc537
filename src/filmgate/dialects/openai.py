"""OpenAI's videos API: ``/v1/videos`` (contracts, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from filmgate.core import ids
from filmgate.core.catalog import Catalog, Model
from filmgate.core.errors import FilmgateError, Inexpressible, InvalidRequest
from filmgate.core.task import Status
from filmgate.core.upstream import Upstream
from filmgate.core.video import AspectRatio, Operation, Resolution, VideoRequest
from filmgate.dialects import answers, results
from filmgate.dialects.base import Call, Outbound, Reply, View
from filmgate.dialects.passing import Slot, carry_only, pass_back, pass_on, readable
from filmgate.dialects.placeholders import placeholders
from filmgate.dialects.reading import (
    Fields,
    field_of,
    offered,
    open_texts,
    pixels,
    required,
    snake,
    unfold,
)
from filmgate.dialects.refusals import openai_error, refusal
from filmgate.dialects.sources import pictures, read_all, write_media

DEFAULT_MODEL = "grok-imagine-video"
_PATHS: dict[Operation, str] = {
    "generate": "/v1/videos",
    "edit": "/v1/videos/edits",
    "extend": "/v1/videos/extensions",
}
_IMAGES = ("input_reference", "image", "image_url", "images", "image_urls", "reference_images")
# OpenAI's own defaults: 4 seconds of 720x1280.
_DEFAULTS: dict[Operation, dict[str, Any]] = {
    "generate": {"seconds": 4, "aspect_ratio": "9:16", "resolution": "720p"},
    "edit": {},
    "extend": {"seconds": 4},
}
_SLOTS = (
    Slot(("model",), ("model",)),
    Slot(("prompt",), ("prompt",)),
    Slot(("seconds",), ("seconds", "duration")),
    Slot(("aspect_ratio", "resolution"), ("size", "aspect_ratio", "resolution")),
    Slot(("image", "references"), _IMAGES),
    Slot(("video",), ("video",)),
    Slot(("user",), ("user",)),
)
_STATUS: dict[Status, Literal["queued", "in_progress", "completed", "failed"]] = {
    "queued": "queued",
    "submitting": "queued",
    "in_progress": "in_progress",
    "unknown": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "failed",
}
# Where some servers name the clip's address: callers get ours.
_ADDRESSES = ("url", "video_url", "download_url", "result_url")
_POLL_AFTER = {"openai-poll-after-ms": "2000"}


class OpenAi(answers.ReadsAnswers):
    """The dialect of OpenAI's videos API."""

    name: ClassVar[str] = "openai"

    # --- facing a caller ---

    def decode(self, call: Call, catalog: Catalog) -> VideoRequest:
        """Read a create, an edit or an extension, from JSON or a form.

        ``size`` says shape and resolution; ``aspect_ratio``, ``resolution`` and ``duration`` count
        too. A form may give an object as JSON text. Raises ``InvalidRequest``, also for a file part
        of a name that nothing here reads.
        """
        body = open_texts(unfold(call.body), *_IMAGES, "video")
        _check_files(call, body)
        fields = Fields(body)
        model = catalog[fields.text("model") or DEFAULT_MODEL]
        required(fields.text("prompt"), "prompt is required.", "prompt")
        given = {"model": model.name, **_DEFAULTS[call.operation], **_said(fields)}
        if call.operation == "generate":
            if not fields.resolution():
                given["resolution"] = offered(given["resolution"], model)
            given |= model.selected
        else:
            # The result keeps its input's shape, and an edit its length.
            given |= {"aspect_ratio": "", "resolution": ""}
            if "video" not in given:
                raise InvalidRequest(
                    "video is required: a file, or an object with the id of a video.",
                    code="missing_required",
                    param="video",
                )
        if call.operation == "edit":
            given["seconds"] = 0
        request = VideoRequest(operation=call.operation, original=body, spoken=self.name, **given)
        _check_limits(model, request)
        return request

    def encode_created(self, view: View) -> Reply:
        """The video object."""
        return self.encode_task(view)

    def encode_task(self, view: View) -> Reply:
        """The video object, strictly typed (contracts, section 1.9)."""
        task, request = view.task, view.task.request
        problem = results.problem(view)
        error = None
        if problem:
            error = {"code": problem.code, "message": problem.message}
        asset = task.asset
        body = {
            "id": ids.as_video(task.id),
            "object": "video",
            "created_at": int(task.created_at),
            "completed_at": None if task.finished_at is None else int(task.finished_at),
            "expires_at": None,
            "status": "failed" if problem else _STATUS[task.status],
            "progress": results.percent(view),
            "model": request.model,
            "prompt": request.prompt,
            "seconds": str(results.seconds(view)),
            "size": f"{asset.width}x{asset.height}"
            if asset and asset.width
            else _size(request.aspect_ratio, request.resolution),
            "remixed_from_video_id": None,
            "error": error,
        }
        passed = pass_back(task, self.name, body, *body, *_ADDRESSES)
        return Reply(status=200, body=passed, headers=_POLL_AFTER)

    def encode_error(self, error: FilmgateError) -> Reply:
        """``{"error": {message, type, param, code}}``."""
        return openai_error(refusal(error))

    # --- facing an upstream ---

    def encode_request(self, request: VideoRequest) -> Outbound:
        """Write a create; a body that came in this dialect travels on as it is.

        Raises ``Inexpressible`` for what OpenAI has no field for, and for a clip that is not an
        uploaded or generated one: those go by id only.
        """
        same = request.spoken == self.name
        written = _write(request, request.prompt if same else placeholders(request.prompt))
        if same:
            written = pass_on(
                request.original,
                request,
                said=_said(Fields(readable(request.original))),
                written=written,
                defaults={"model": DEFAULT_MODEL} | _DEFAULTS[request.operation],
                slots=_SLOTS,
            )
        return Outbound(method="POST", path=_PATHS[request.operation], body=written)

    def encode_poll(self, upstream_id: str) -> Outbound:
        """``GET /v1/videos/{id}``."""
        return Outbound(method="GET", path=f"/v1/videos/{upstream_id}")

    def decode_task(self, status: int, body: Any) -> Upstream:
        """Read a video object. A finished clip without a URL of its own is at its content path.

        Such a path is below the upstream's base URL and wants the upstream's key.
        """
        try:
            content = f"/v1/videos/{answers.read_id(body)}/content"
        except FilmgateError:
            content = ""
        return answers.read_task(status, body, content)


def _said(fields: Fields) -> dict[str, Any]:
    """What a body says, by ``VideoRequest`` field, without defaults. Raises ``InvalidRequest``."""
    videos = read_all(fields.items("video"))
    if len(videos) > 1:
        raise InvalidRequest("Only one video can be given.", param="video")
    ratio, resolution = fields.ratio(), fields.resolution() or fields.size_class()
    said = {
        "model": fields.text("model") or None,
        "prompt": fields.text("prompt") or None,
        "seconds": fields.whole("seconds", "duration"),
        "aspect_ratio": ratio,
        "resolution": resolution,
        "video": videos[0] if videos else None,
        "user": fields.user() or None,
    }
    images = pictures(fields.items(*_IMAGES))
    return {field: value for field, value in said.items() if value is not None} | images


def _check_files(call: Call, body: Mapping[str, Any]) -> None:
    """No file is left out in silence."""
    generating = call.operation == "generate"
    known = _IMAGES if generating else (*_IMAGES, "video")
    for name in call.files:
        if snake(field_of(name, body)) not in known:
            clip = "" if generating else " and the clip as video"
            raise InvalidRequest(
                f"The file part {name[:100]} is not known here: "
                f"send an image as input_reference{clip}.",
                code="unknown_file",
                param=name[:100],
            )


def _check_limits(model: Model, request: VideoRequest) -> None:
    low, high = (2, 10) if request.operation == "extend" else model.seconds
    high = min(high, model.longest(len(request.images)))
    if request.operation != "edit" and not low <= request.seconds <= high:
        raise InvalidRequest(
            f"seconds must be between {low} and {high}.",
            code="invalid_video_length",
            param="seconds",
        )
    if request.operation != "generate":
        return
    if request.aspect_ratio not in model.aspect_ratios:
        raise InvalidRequest(
            f"size must be of one of the shapes {', '.join(model.aspect_ratios)}.",
            code="invalid_aspect_ratio",
            param="size",
        )
    if request.resolution not in model.resolutions:
        raise InvalidRequest(
            f"resolution must be one of {', '.join(model.resolutions)} for {model.name}.",
            code="invalid_resolution",
            param="resolution",
        )


def _size(ratio: AspectRatio | Literal[""], resolution: Resolution | Literal[""]) -> str:
    """``1280x720``; until an edited clip is there its size is taken for the commonest."""
    width, height = pixels(ratio or "16:9", resolution or "720p")
    return f"{width}x{height}"


def _write(request: VideoRequest, prompt: str) -> dict[str, Any]:
    """A request in OpenAI's fields; several references go as ``reference_images``."""
    carry_only(
        OpenAi.name,
        request,
        "operation",
        "seconds",
        "aspect_ratio",
        "resolution",
        "image",
        "references",
        "video",
        "user",
    )
    if len(request.references) == 1 or (request.image and request.references):
        raise Inexpressible(OpenAi.name, "references")
    body: dict[str, Any] = {"model": request.model, "prompt": prompt}
    if request.operation != "edit":
        body["seconds"] = str(request.seconds)
    if request.operation == "generate":
        body["size"] = _size(request.aspect_ratio, request.resolution)
    if request.video:
        if not request.video.file_id:
            raise Inexpressible(OpenAi.name, "video")
        body["video"] = {"id": request.video.file_id}
    if request.image:
        body["input_reference"] = write_media(
            request.image, OpenAi.name, "image", address="image_url"
        )
    if request.references:
        body["reference_images"] = [
            write_media(media, OpenAi.name, "references", address="image_url")
            for media in request.references
        ]
    if request.user:
        body["user"] = request.user
    return body
