"""xAI's own video API, as documents 001 and 002 give it: ``/v1/videos/generations`` and onward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from filmgate.core import ids
from filmgate.core.catalog import Catalog, Model
from filmgate.core.errors import FilmgateError, Inexpressible, InvalidRequest
from filmgate.core.video import Keyframe, Operation, VideoRequest
from filmgate.dialects import answers, results
from filmgate.dialects.base import Call, Outbound, Reply, View
from filmgate.dialects.passing import Slot, pass_back, pass_on, readable
from filmgate.dialects.placeholders import placeholders
from filmgate.dialects.reading import Fields, decimal, required, unfold, wrong_type
from filmgate.dialects.refusals import KEY_REUSED, refusal
from filmgate.dialects.sources import read_all, read_media, write_media

DEFAULT_MODEL = "grok-imagine-video"
_PATHS: dict[Operation, str] = {
    "generate": "/v1/videos/generations",
    "edit": "/v1/videos/edits",
    "extend": "/v1/videos/extensions",
}
_DEFAULTS: dict[Operation, dict[str, Any]] = {
    "generate": {"seconds": 8, "aspect_ratio": "16:9", "resolution": "480p"},
    "edit": {"seconds": 0},
    "extend": {"seconds": 6},
}
_IMAGE = ("image", "image_url", "input_reference", "image_urls", "images")
_REFERENCES = ("reference_images", "reference_image_urls")
_VIDEO = ("video", "video_url")
_SLOTS = (
    Slot(("model",), ("model",)),
    Slot(("prompt",), ("prompt",)),
    Slot(("seconds",), ("duration", "seconds")),
    Slot(("aspect_ratio", "resolution"), ("aspect_ratio", "resolution", "size")),
    Slot(("image", "references"), _IMAGE + _REFERENCES),
    Slot(("video",), _VIDEO),
    Slot(("last_frame",), ("last_frame",)),
    Slot(("keyframes",), ("keyframes",)),
    Slot(("reference_audios",), ("reference_audios",)),
    Slot(("audio",), ("generate_audio",)),
    Slot(("seed",), ("seed",)),
    Slot(("user",), ("user",)),
)
# xAI answers in kebab-case by kind of refusal, not by field.
_CODES = {
    400: "invalid-argument",
    401: "unauthenticated",
    403: "permission-denied",
    404: "not-found",
    405: "method-not-allowed",
    413: "payload-too-large",
    415: "unsupported-media-type",
    422: "invalid-argument",
    429: "resource-exhausted",
    503: "service-unavailable",
}
_TICKS_PER_MICRO_DOLLAR = 10**4  # 1 USD is 10^10 ticks


class Xai(answers.ReadsAnswers):
    """xAI's dialect."""

    name: ClassVar[str] = "xai"

    # --- facing a caller ---

    def decode(self, call: Call, catalog: Catalog) -> VideoRequest:
        """Read a create with xAI's defaults: 8 s of 16:9 at 480p (contracts, section 3).

        A ``video`` among the fields of a generation makes it an edit, as in xAI's gRPC.
        Raises ``InvalidRequest``.
        """
        body = unfold(call.body)
        fields = Fields(body)
        model = catalog[fields.text("model") or DEFAULT_MODEL]
        required(
            fields.text("prompt"), "Prompt cannot be empty. Please provide a prompt.", "prompt"
        )
        said = _said(fields)
        operation = call.operation
        if operation == "generate" and "video" in said:
            operation = "edit"
        _refuse(operation, fields, said)
        given = {"model": model.name, **_DEFAULTS[operation], **said}
        if operation == "generate":
            given |= model.selected
        elif operation == "edit":
            # An edit keeps its input's length and shape, whatever the caller says.
            given |= {"seconds": 0, "aspect_ratio": "", "resolution": ""}
        request = VideoRequest(operation=operation, original=body, spoken=self.name, **given)
        _check_limits(model, request)
        return request

    def encode_created(self, view: View) -> Reply:
        """``{"request_id"}``, as document 002 shows it."""
        return Reply(status=200, body={"request_id": ids.as_uuid(view.task.id)})

    def encode_task(self, view: View) -> Reply:
        """Document 002's poll; a live task is HTTP 202 with a body (contracts, section 1.1)."""
        task = view.task
        if not task.final:
            body = {"status": "pending", "progress": results.percent(view)}
            return Reply(status=202, body=body | {"model": task.request.model})
        if view.expired and not task.moderated:
            return Reply(status=200, body={"status": "expired", "model": task.request.model})
        problem = results.problem(view)
        if problem and not task.moderated:
            error = {"code": problem.code, "message": problem.message}
            failed = {"status": "failed", "error": error}
            return Reply(status=200, body=pass_back(task, self.name, failed, "model"))
        video = {
            "url": "" if task.moderated else view.link,
            "duration": results.seconds(view),
            "respect_moderation": not task.moderated,
        }
        done = {
            "status": "done",
            "progress": 100,
            "model": task.request.model,
            "video": video,
            "usage": {"cost_in_usd_ticks": task.charged * _TICKS_PER_MICRO_DOLLAR},
        }
        # The upstream's price is the operator's business: callers are told theirs.
        passed = pass_back(task, self.name, done, "model", "video.url", "usage.cost_in_usd_ticks")
        return Reply(status=200, body=passed)

    def encode_error(self, error: FilmgateError) -> Reply:
        """``{"code": kebab-case, "error": text}``; a field of the wrong type is 422."""
        words = refusal(error)
        status = words.status
        if words.code == "invalid_type":
            status = 422
        elif words.code == KEY_REUSED:
            status = 400
        body = {"code": _CODES.get(status, "internal-error"), "error": words.message}
        return Reply(status=status, body=body, headers=words.headers)

    # --- facing an upstream ---

    def encode_request(self, request: VideoRequest) -> Outbound:
        """Write a create; a body that came in this dialect travels on as it is.

        Raises ``Inexpressible`` for a preset, which xAI has no words for.
        """
        same = request.spoken == self.name
        written = _write(request, request.prompt if same else placeholders(request.prompt, "tag"))
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
        """``GET /v1/videos/{request_id}``."""
        return Outbound(method="GET", path=f"/v1/videos/{upstream_id}")


def _said(fields: Fields) -> dict[str, Any]:
    """What a body says, by ``VideoRequest`` field, without defaults. Raises ``InvalidRequest``."""
    single = read_all(fields.items(*_IMAGE))
    references = read_all(fields.items(*_REFERENCES))
    videos = read_all(fields.items(*_VIDEO))
    if len(videos) > 1:
        raise InvalidRequest("Only one video can be given.", param="video")
    if single and references:
        raise InvalidRequest(
            "image and reference_images cannot be used together.", param="reference_images"
        )
    name, last_frame = fields.find("last_frame")
    said = {
        "model": fields.text("model") or None,
        "prompt": fields.text("prompt") or None,
        "seconds": fields.whole("duration", "seconds"),
        "aspect_ratio": fields.ratio(),
        "resolution": fields.resolution() or fields.size_class(),
        "image": single[0] if len(single) == 1 else None,
        "references": references or (single if len(single) > 1 else None),
        "video": videos[0] if videos else None,
        "last_frame": None if last_frame is None else read_media(last_frame, name),
        "keyframes": tuple(_keyframe(item, name) for name, item in fields.items("keyframes")),
        "reference_audios": read_all(fields.items("reference_audios")),
        "audio": fields.switch("generate_audio"),
        "seed": fields.whole("seed"),
        "user": fields.user() or None,
    }
    return {field: value for field, value in said.items() if value not in (None, ())}


def _keyframe(item: Any, name: str) -> Keyframe:
    if not isinstance(item, dict):
        raise wrong_type(name, "a list of objects with image and timestamp_s")
    frame = Fields(item)
    _, image = frame.find("image", "image_url", "url")
    _, moment = frame.find("timestamp_s")
    return Keyframe(
        image=read_media(image, f"{name}.image"),
        timestamp_s=decimal(moment, f"{name}.timestamp_s"),
    )


def _refuse(operation: Operation, fields: Fields, said: Mapping[str, Any]) -> None:
    """What an edit or extension cannot carry (document 002)."""
    if operation == "generate":
        return
    if "video" not in said:
        raise InvalidRequest(
            "video is required: a URL, a data URL or a file id.",
            code="missing_required",
            param="video",
        )
    if operation == "extend":
        for name in ("aspect_ratio", "resolution", "size"):
            if fields.find(name)[1] is not None:
                raise InvalidRequest(
                    f"{name} is not supported for extensions: the result keeps the input's shape.",
                    code="unsupported_parameter",
                    param=name,
                )


def _check_limits(model: Model, request: VideoRequest) -> None:
    """The ranges of contracts, section 3, in the order of the fields."""
    if request.operation != "edit":
        low, high = (2, 10) if request.operation == "extend" else model.seconds
        high = min(high, model.longest(len(request.images)))
        if not low <= request.seconds <= high:
            raise InvalidRequest(
                f"duration must be between {low} and {high} seconds.",
                code="invalid_video_length",
                param="duration",
            )
    if request.operation == "generate" and request.aspect_ratio not in model.aspect_ratios:
        raise InvalidRequest(
            f"aspect_ratio must be one of {', '.join(model.aspect_ratios)}.",
            code="invalid_aspect_ratio",
            param="aspect_ratio",
        )
    if request.operation == "generate" and request.resolution not in model.resolutions:
        raise InvalidRequest(
            f"resolution must be one of {', '.join(model.resolutions)} for {model.name}.",
            code="invalid_resolution",
            param="resolution",
        )
    for field, items, most in (
        ("reference_images", request.references, model.max_references),
        ("reference_audios", request.reference_audios, 3),
        ("keyframes", request.keyframes, 4),
    ):
        if len(items) > most:
            raise InvalidRequest(f"{field} takes at most {most} entries.", param=field)
    for frame in request.keyframes:
        if not 0 <= frame.timestamp_s <= request.seconds:
            raise InvalidRequest(
                "keyframes.timestamp_s must lie within the clip.", param="keyframes"
            )


def _write(request: VideoRequest, prompt: str) -> dict[str, Any]:
    """A request in xAI's fields. Raises ``Inexpressible`` for a preset."""
    if request.preset:
        raise Inexpressible(Xai.name, "preset")
    body: dict[str, Any] = {"model": request.model, "prompt": prompt}
    if request.operation != "edit":
        body["duration"] = request.seconds
    if request.operation == "generate":
        body |= {"aspect_ratio": request.aspect_ratio, "resolution": request.resolution}
    for field in ("image", "video", "last_frame"):
        if media := getattr(request, field):
            body[field] = write_media(media, Xai.name, field)
    if request.references:
        body["reference_images"] = [
            write_media(media, Xai.name, "reference_images") for media in request.references
        ]
    if request.keyframes:
        body["keyframes"] = [
            {
                "image": write_media(frame.image, Xai.name, "keyframes"),
                "timestamp_s": frame.timestamp_s,
            }
            for frame in request.keyframes
        ]
    if request.reference_audios:
        body["reference_audios"] = [
            write_media(media, Xai.name, "reference_audios") for media in request.reference_audios
        ]
    if not request.audio:
        body["generate_audio"] = False
    if request.seed is not None:
        body["seed"] = request.seed
    if request.user:
        body["user"] = request.user
    return body
