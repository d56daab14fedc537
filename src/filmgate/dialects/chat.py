"""Videos from a chat completion, as document 000 gives it: ``/v1/chat/completions``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from filmgate.core.catalog import Catalog, Model
from filmgate.core.errors import FilmgateError, Inexpressible, InvalidRequest
from filmgate.core.upstream import Upstream
from filmgate.core.video import Media, VideoRequest
from filmgate.dialects import answers, chat_stream, results
from filmgate.dialects.base import Call, Outbound, Reply, View
from filmgate.dialects.passing import Slot, carry_only, pass_on, readable
from filmgate.dialects.placeholders import placeholders
from filmgate.dialects.reading import Fields, empty, required, snake, switch, wrong_type
from filmgate.dialects.refusals import openai_error, refusal
from filmgate.dialects.sources import pictures, write_media

_SECONDS = ("video_length", "seconds", "duration")
_DEFAULTS: dict[str, Any] = {"seconds": 6, "aspect_ratio": "16:9", "resolution": "480p"}
# normal and custom are both the ordinary look: what the prompt says and nothing else.
_PRESETS = {"normal": "", "custom": "", "fun": "fun", "spicy": "spicy"}
_SLOTS = (
    Slot(("model",), ("model",)),
    Slot(("prompt", "image", "references"), ("messages",)),
    Slot(("user",), ("user",)),
)
_CONFIG_SLOTS = (
    Slot(("seconds",), _SECONDS),
    Slot(("aspect_ratio",), ("aspect_ratio", "size")),
    Slot(("resolution",), ("resolution_name", "resolution")),
    Slot(("preset",), ("preset",)),
)


def wants_stream(body: Any) -> bool:
    """Whether a request asks for a stream; one that does not say gets one, as document 000 shows.

    Raises ``InvalidRequest`` for a ``stream`` that is no boolean of any spelling.
    """
    value = body.get("stream") if isinstance(body, dict) else None
    return True if value is None else switch(value, "stream")


class Chat(answers.ReadsAnswers):
    """The chat dialect, which streams."""

    name: ClassVar[str] = "chat"

    # --- facing a caller ---

    def decode(self, call: Call, catalog: Catalog) -> VideoRequest:
        """Read the last user message and ``video_config``.

        Length and quality are the model's where its name selects them, whichever ``video_config``
        asks for. Raises ``InvalidRequest`` with the codes of contracts, section 2.
        """
        fields = Fields(call.body)
        model = catalog[required(fields.text("model"), "model is required.", "model")]
        wants_stream(call.body)
        message = _message(fields)
        required(
            message["prompt"],
            "The last user message has no text; say what the video shall show.",
            "messages",
            code="empty_content",
        )
        images = len(message.get("references", ()))  # one alone is never too many
        _check_images(model, images)
        config = _config_fields(fields)
        try:
            said = _config(config)
        except InvalidRequest as error:
            raise _not_taken(model, images, error.param) from None
        given = _DEFAULTS | message | said | {"user": fields.user()} | model.selected
        request = VideoRequest(model=model.name, original=call.body, spoken=self.name, **given)
        _check_limits(model, request, config)
        return request

    def encode_created(self, view: View) -> Reply:
        """The completion as it stands; a chat's create is answered when the video is done."""
        return self.encode_task(view)

    def encode_task(self, view: View) -> Reply:
        """One ``chat.completion`` whose content is the URL; a failure is a 4xx.

        Never a 5xx: clients would send (and pay for) the whole request again.
        """
        problem = results.problem(view)
        if problem:
            status = 400 if problem.code == "invalid_argument" else 422
            error = chat_stream.error_object(problem)
            return Reply(status=status, body={"error": error})
        return Reply(status=200, body=chat_stream.completion(view))

    def encode_error(self, error: FilmgateError) -> Reply:
        """``{"error": {message, type, param, code}}``, with document 000's own words for shapes."""
        words = refusal(error)
        return openai_error(words._replace(message=chat_stream.told(words.code, words.message)))

    def stream(self, view: View) -> chat_stream.ChatStream:
        """An encoder for one task's stream."""
        return chat_stream.ChatStream(view)

    # --- facing an upstream ---

    def encode_request(self, request: VideoRequest) -> Outbound:
        """Write a streamed create; a body that came in this dialect travels on as it is.

        Raises ``Inexpressible`` for edits, extensions and whatever else a chat has no field for.
        """
        same = request.spoken == self.name
        written = _write(request, request.prompt if same else placeholders(request.prompt))
        if same:
            written = _pass_on(request, written)
        return Outbound(method="POST", path="/v1/chat/completions", body=written | {"stream": True})

    def encode_poll(self, upstream_id: str) -> Outbound:
        """A chat cannot be polled, only read to its end. Raises ``Inexpressible``."""
        raise Inexpressible(self.name, "a status poll")

    def decode_task(self, status: int, body: Any) -> Upstream:
        """Read an unstreamed ``chat.completion``."""
        return chat_stream.read_completion(status, body)

    def decode_events(self, events: Iterable[str]) -> Upstream:
        """What a stream has said so far, from its ``data:`` payloads in order."""
        return chat_stream.read_events(events)


def _message(fields: Fields) -> dict[str, Any]:
    """The last user message as ``prompt`` and its images. Raises ``InvalidRequest``."""
    name, messages = fields.find("messages")
    if messages is None:
        messages = []
    if not isinstance(messages, list):
        raise wrong_type(name, "a list of messages")
    last = _last_user(messages)
    if last is None:
        return {"prompt": ""}
    content = messages[last].get("content")
    if content is None or isinstance(content, str):
        return {"prompt": content or ""}
    if not isinstance(content, list):
        raise wrong_type("messages.content", "a string or a list of parts")
    texts, images = [], []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind in ("image_url", "input_image", "image"):
            if not empty(part | {"type": None}):
                images.append(("messages.content.image_url", part))
        else:
            raise wrong_type("messages.content", "a list of text and image_url parts")
    return {"prompt": "\n".join(texts), **pictures(images)}


def _last_user(messages: list[Any]) -> int | None:
    for index in reversed(range(len(messages))):
        if not isinstance(messages[index], dict):
            raise wrong_type("messages", "a list of objects with role and content")
        if messages[index].get("role", "user") == "user":
            return index
    return None


def _config_fields(fields: Fields) -> Fields:
    name, config = fields.find("video_config")
    if config is not None and not isinstance(config, dict):
        raise wrong_type(name, "an object")
    return Fields(config or {}, within="video_config.")


def _config(config: Fields) -> dict[str, Any]:
    """What ``video_config`` says, by ``VideoRequest`` field.

    Raises ``InvalidRequest`` whose ``param`` is the setting that cannot be read.
    """
    said: dict[str, Any] = {
        "aspect_ratio": config.ratio(),
        "seconds": config.whole(*_SECONDS),
        "resolution": config.resolution(),
    }
    if preset := config.text("preset"):
        if preset.strip().lower() not in _PRESETS:
            raise wrong_type(config.find("preset")[0], "a preset")
        said["preset"] = _PRESETS[preset.strip().lower()]
    return {field: value for field, value in said.items() if value is not None}


def _check_images(model: Model, images: int) -> None:
    most = model.max_references if "references" in model.shapes else 1
    if images > most:
        raise InvalidRequest(
            f"{model.name} takes at most {most} image{'s' if most > 1 else ''}, not {images}.",
            code="too_many_images",
            param="messages",
        )


def _check_limits(model: Model, request: VideoRequest, config: Fields) -> None:
    images = len(request.images)
    taken = (
        model.seconds[0] <= request.seconds <= model.longest(images),
        request.aspect_ratio in model.aspect_ratios,
        request.resolution in model.resolutions,
    )
    for fits, slot in zip(taken, _CONFIG_SLOTS, strict=False):
        if not fits:
            raise _not_taken(model, images, config.find(*slot.names)[0])


def _not_taken(model: Model, images: int, setting: str) -> InvalidRequest:
    """The refusal of a setting, as ``video_config.size``, by what this model takes of it."""
    name = snake(setting.rpartition(".")[2])
    field = next(slot.means[0] for slot in _CONFIG_SLOTS if name in slot.names)
    longest = f"{model.longest(images)}{' with several images' if images > 1 else ''}"
    code, wanted = {
        "seconds": (
            "invalid_video_length",
            f"a whole number of seconds from {model.seconds[0]} to {longest}",
        ),
        "aspect_ratio": ("invalid_aspect_ratio", f"one of {', '.join(model.aspect_ratios)}"),
        "resolution": ("invalid_resolution", f"one of {', '.join(model.resolutions)}"),
        "preset": ("invalid_preset", f"one of {', '.join(_PRESETS)}"),
    }[field]
    return InvalidRequest(f"{setting} must be {wanted} for {model.name}.", code=code, param=setting)


def _write(request: VideoRequest, prompt: str) -> dict[str, Any]:
    """A request as document 000's sample has it."""
    carry_only(
        Chat.name,
        request,
        *("seconds", "aspect_ratio", "resolution", "image", "references", "preset", "user"),
    )
    if len(request.references) == 1 or (request.image and request.references):
        raise Inexpressible(Chat.name, "references")
    config = {
        "video_length": str(request.seconds),
        "aspect_ratio": request.aspect_ratio,
        "preset": request.preset or "normal",
        "resolution_name": request.resolution,
    }
    user = {"user": request.user} if request.user else {}
    message = {"role": "user", "content": _content(prompt, request.images)}
    return {"model": request.model, "messages": [message], "video_config": config, **user}


def _content(prompt: str, images: tuple[Media, ...]) -> str | list[dict[str, Any]]:
    if not images:
        return prompt
    parts: list[dict[str, Any]] = [{"type": "text", "text": prompt}]
    for media in images:
        parts.append({"type": "image_url", "image_url": write_media(media, Chat.name, "image")})
    return parts


def _pass_on(request: VideoRequest, written: dict[str, Any]) -> dict[str, Any]:
    """The caller's body with the least changed; earlier messages and unknown settings stay."""
    original = readable(request.original)
    fields = Fields(original)
    said = {"model": fields.text("model"), "user": fields.user(), **_message(fields)}
    messages = list(request.original.get("messages", []))
    last = _last_user(messages)
    if last is not None:
        messages[last] = messages[last] | {"content": written["messages"][0]["content"]}
    body = pass_on(
        request.original,
        request,
        said=said,
        written=written | {"messages": messages},
        defaults={},
        slots=_SLOTS,
    )
    name, config = fields.find("video_config")
    config = pass_on(
        config or {},
        request,
        said=_config(_config_fields(fields)),
        written=written["video_config"],
        defaults=_DEFAULTS,
        slots=_CONFIG_SLOTS,
    )
    return body | ({name: config} if config else {})
