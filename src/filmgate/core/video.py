"""What a caller wants made, in our own words: every dialect reads into it and writes from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

Operation = Literal["generate", "edit", "extend"]
AspectRatio = Literal["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3"]
Resolution = Literal["480p", "720p", "1080p"]


class Media(msgspec.Struct, frozen=True):
    """One image, clip or sound: exactly one of its fields is set.

    ``url`` is an http(s) address or a ``data:`` URL; ``file_id`` names an uploaded file;
    ``object_key`` names bytes the gateway has already taken into its object store; ``voice_id``
    names one of the upstream's own voices, so there is nothing to fetch.
    """

    url: str = ""
    file_id: str = ""
    object_key: str = ""
    voice_id: str = ""

    @property
    def address(self) -> str:
        """What stands for it in the body of a request: its URL, or a mark for a stored file."""
        return f"object:{self.object_key}" if self.object_key else self.url


class Keyframe(msgspec.Struct, frozen=True):
    """An image that the clip must show at ``timestamp_s`` seconds (contracts, section 3)."""

    image: Media
    timestamp_s: float


class VideoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One video, as asked for, after a dialect's defaults and clamps.

    ``model`` is the public name that the caller wrote. ``seconds`` is the length to generate, the
    length to *add* when extending, and 0 when editing (an edit keeps its input's length).
    ``aspect_ratio`` and ``resolution`` are ``""`` when the result follows the input clip.
    ``preset`` is ``fun`` or ``spicy``, or ``""`` for the ordinary look.
    ``original`` is the caller's own body in the dialect named by ``spoken``, so that fields nobody
    here knows still travel to an upstream that speaks the same one.
    """

    model: str
    prompt: str
    operation: Operation = "generate"
    seconds: int = 0
    aspect_ratio: AspectRatio | Literal[""] = ""
    resolution: Resolution | Literal[""] = ""
    image: Media | None = None
    references: tuple[Media, ...] = ()
    video: Media | None = None
    last_frame: Media | None = None
    keyframes: tuple[Keyframe, ...] = ()
    reference_audios: tuple[Media, ...] = ()
    audio: bool = True
    seed: int | None = None
    preset: str = ""
    user: str = ""
    original: dict[str, Any] = {}
    spoken: str = ""

    @property
    def images(self) -> tuple[Media, ...]:
        """Every still image of the request, in the caller's order."""
        first = (self.image,) if self.image else ()
        last = (self.last_frame,) if self.last_frame else ()
        return first + self.references + last + tuple(frame.image for frame in self.keyframes)

    def media(self) -> Iterator[Media]:
        """Every image, clip and sound of the request."""
        yield from self.images
        if self.video:
            yield self.video
        yield from self.reference_audios

    def with_media(self, new: Mapping[Media, Media]) -> VideoRequest:
        """The request with its media replaced, in ``original`` too where they go by their address.

        Media that ``new`` does not hold stay as they are.
        """

        def place(media: Media | None) -> Media | None:
            return new.get(media, media) if media else None

        addresses = {
            old.address: media.address
            for old, media in new.items()
            if old.address and media.address
        }
        return msgspec.structs.replace(
            self,
            image=place(self.image),
            references=tuple(new.get(media, media) for media in self.references),
            video=place(self.video),
            last_frame=place(self.last_frame),
            keyframes=tuple(
                Keyframe(image=new.get(frame.image, frame.image), timestamp_s=frame.timestamp_s)
                for frame in self.keyframes
            ),
            reference_audios=tuple(new.get(media, media) for media in self.reference_audios),
            original=_replace_strings(self.original, addresses),
        )


def _replace_strings(value: Any, new: Mapping[str, str]) -> Any:
    """A JSON value with every string that is in ``new`` replaced."""
    if isinstance(value, dict):
        return {key: _replace_strings(inner, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_replace_strings(inner, new) for inner in value]
    return new.get(value.strip(), value) if isinstance(value, str) else value
