"""Stored files as upstreams get them, and the links that they may get them by."""

from __future__ import annotations

import base64
import time
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from filmgate.core.channel import Channel
from filmgate.core.errors import InputUnfetchable
from filmgate.core.video import Keyframe, Media, VideoRequest
from filmgate.media.objects import Objects
from filmgate.services.links import LIFETIME_SECONDS, Links
from filmgate.services.offering import Offering

PUBLIC, PRIVATE = "https://films.example.com", "http://127.0.0.1:8080"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(40)
IMAGE = Media(object_key=f"inputs/{'a' * 64}")
CLIP = Media(object_key="videos/0190.mp4")
PNG_URL = Media(url="data:image/png;base64," + base64.b64encode(PNG).decode())
MP4_URL = Media(url="data:video/mp4;base64," + base64.b64encode(MP4).decode())
ASKED = VideoRequest(
    model="grok-imagine-video",
    prompt="",
    operation="edit",
    image=IMAGE,
    video=CLIP,
    keyframes=(Keyframe(image=IMAGE, timestamp_s=2.0),),
    original={"image": {"url": IMAGE.address}, "seen": [IMAGE.address], "note": ""},
)


def channel(inputs: str) -> Channel:
    return msgspec.convert(
        {"id": "1", "name": "up", "dialect": "xai", "inputs": inputs}, type=Channel
    )


async def offered(inputs: str, public_url: str, asked: VideoRequest = ASKED) -> VideoRequest:
    objects = Objects.open("memory:///")
    await objects.put_bytes(IMAGE.object_key, PNG, content_type="")
    await objects.put_bytes(CLIP.object_key, MP4, content_type="")
    offering = Offering(objects, Links(b"secret", public_url), public_url)
    return await offering.offer(asked, channel(inputs))


def linked(media: Media, public_url: str) -> Media:
    return Media(url=Links(b"secret", public_url).make_input(media.object_key))


@pytest.mark.parametrize(
    ("inputs", "public_url", "by_link"),
    [
        ("inline", PUBLIC, (False, False)),
        ("link", PRIVATE, (True, True)),
        ("auto", PUBLIC, (False, True)),
        ("auto", "http://93.184.216.34:8080", (False, True)),
        ("auto", PRIVATE, (False, False)),
        ("auto", "https://10.1.2.3", (False, False)),
        ("auto", "http://[::1]:8080", (False, False)),
        ("auto", "https://gateway", (False, False)),
        ("auto", "https://gateway.lan", (False, False)),
    ],
)
async def test_the_channel_says_how(
    inputs: str, public_url: str, by_link: tuple[bool, bool]
) -> None:
    image = linked(IMAGE, public_url) if by_link[0] else PNG_URL
    clip = linked(CLIP, public_url) if by_link[1] else MP4_URL
    asked = await offered(inputs, public_url)
    assert (image, clip, image) == (asked.image, asked.video, asked.keyframes[0].image)


async def test_the_callers_own_body_names_the_same_files() -> None:
    body = (await offered("inline", PUBLIC)).original
    assert {"image": {"url": PNG_URL.url}, "seen": [PNG_URL.url], "note": ""} == body


async def test_what_is_elsewhere_stays() -> None:
    asked = VideoRequest(
        model="grok-imagine-video",
        prompt="",
        references=(Media(url="https://example.com/a.png"), Media(file_id="file_1")),
        reference_audios=(Media(voice_id="ara"),),
        original={"reference_images": ["https://example.com/a.png"]},
    )
    assert asked == await offered("auto", PUBLIC, asked)


@pytest.mark.parametrize("inputs", ["inline", "link"])
async def test_a_file_that_is_gone(inputs: str) -> None:
    asked = msgspec.structs.replace(ASKED, video=Media(object_key="videos/other.mp4"))
    with pytest.raises(InputUnfetchable, match="send it again"):
        await offered(inputs, PUBLIC, asked)


# -- input links --------------------------------------------------------------------------------


def parts_of(url: str) -> tuple[str, str, str]:
    query = parse_qs(urlsplit(url).query)
    name = urlsplit(url).path.removeprefix("/v1/inputs/")
    return name, query["expires"][0], query["signature"][0]


@pytest.mark.parametrize(
    ("key", "name"),
    [(IMAGE.object_key, "a" * 64), ("parts/1/0-tail.mp4",) * 2, ("videos/0190.mp4",) * 2],
)
def test_a_link_names_its_file(key: str, name: str) -> None:
    links = Links(b"secret", PUBLIC)
    asked = parts_of(links.make_input(key))
    assert name == asked[0]
    assert key == links.input_of(*asked)


def test_a_link_opens_nothing_else() -> None:
    links = Links(b"secret", PUBLIC)
    name, expires, signature = parts_of(links.make_input(IMAGE.object_key))
    assert links.input_of("b" * 64, expires, signature) is None
    assert links.input_of(name, str(int(expires) + 3600), signature) is None
    assert links.input_of(name, expires, signature[:-1]) is None
    assert links.input_of(name, "", "") is None
    assert Links(b"other", PUBLIC).input_of(name, expires, signature) is None
    assert not links.check(IMAGE.object_key, expires, signature)


def test_a_link_expires() -> None:
    links = Links(b"secret", PUBLIC)
    old = links.make_input(IMAGE.object_key, now=time.time() - LIFETIME_SECONDS - 3601)
    assert links.input_of(*parts_of(old)) is None
