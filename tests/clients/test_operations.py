"""All five operations end in a real MP4 of the asked shape, through the gateway, with its price."""

import base64
import io
from pathlib import Path
from typing import Any

import av
import pytest

from tests.gateway import Gateway
from tests.media_host import picture


def facts(data: bytes) -> dict[str, Any]:
    """What a decoder finds in an MP4: it is decoded to the end."""
    with av.open(io.BytesIO(data), format="mov") as container:
        video = container.streams.video[0]
        frames = sum(1 for _ in container.decode(video))
        return {
            "size": (video.width, video.height),
            "codecs": [stream.codec_context.name for stream in container.streams],
            "seconds": round(frames / float(video.average_rate or 1), 2),
        }


def make(gateway: Gateway, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Create over xAI's dialect and wait; the final poll and the MP4."""
    status, answer = gateway.call("POST", f"/v1/videos/{path}", body)
    assert status == 200, answer
    request_id = answer["request_id"]
    gateway.finish(request_id)
    status, poll = gateway.call("GET", f"/v1/videos/{request_id}")
    assert (status, poll["status"]) == (200, "done"), poll
    return poll, gateway.raw("GET", poll["video"]["url"], key="")[1]


def data_url(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "480p", (854, 480)),
        ("9:16", "480p", (480, 854)),
        ("1:1", "480p", (480, 480)),
        ("4:3", "720p", (960, 720)),
        ("2:3", "480p", (480, 720)),
    ],
)
def test_text(gateway: Gateway, ratio: str, resolution: str, size: tuple[int, int]) -> None:
    body = {"prompt": "silk", "duration": 2, "aspect_ratio": ratio, "resolution": resolution}
    poll, mp4 = make(gateway, "generations", body)
    assert facts(mp4) == {"size": size, "codecs": ["h264", "aac"], "seconds": 2.0}
    assert poll["video"]["duration"] == 2
    price = {"480p": 50_000, "720p": 70_000}[resolution] * 2
    assert poll["usage"]["cost_in_usd_ticks"] == price * 10_000


def test_one_image_as_data_url(gateway: Gateway) -> None:
    body = {
        "prompt": "push in",
        "duration": 1,
        "image": {"url": data_url(picture(1), "image/png")},
    }
    _, mp4 = make(gateway, "generations", body)
    assert facts(mp4)["seconds"] == 1.0


def test_seven_references_by_url(gateway: Gateway) -> None:
    references = [{"url": f"{gateway.media_url}/{number}.png"} for number in range(7)]
    body = {"prompt": "<IMAGE_0> to <IMAGE_6>", "duration": 2, "reference_images": references}
    poll, mp4 = make(gateway, "generations", body)
    assert facts(mp4)["seconds"] == 2.0
    assert poll["usage"]["cost_in_usd_ticks"] == (2 * 50_000 + 7 * 2_000) * 10_000


def test_edit_and_extend_a_foreign_clip(gateway: Gateway, clip: Path) -> None:
    video = {"url": data_url(clip.read_bytes(), "video/mp4")}
    poll, mp4 = make(gateway, "edits", {"prompt": "make it noir", "video": video})
    assert facts(mp4) == {"size": (854, 480), "codecs": ["h264", "aac"], "seconds": 3.0}
    assert poll["usage"]["cost_in_usd_ticks"] == 3 * (50_000 + 10_000) * 10_000
    poll, mp4 = make(gateway, "extensions", {"prompt": "on and on", "video": video, "duration": 2})
    assert facts(mp4)["seconds"] == 5.0
    assert poll["video"]["duration"] == 5
    assert poll["usage"]["cost_in_usd_ticks"] == (2 * 50_000 + 3 * 10_000) * 10_000


def test_a_result_is_extended_by_its_link_and_by_its_id(gateway: Gateway) -> None:
    task_id = gateway.create(seconds=2)
    link = gateway.finish(task_id)["result_url"]
    for video in (link, {"file_id": task_id.replace("task_", "video_")}):
        body = {"prompt": "and on", "video": video, "duration": 2}
        assert facts(make(gateway, "extensions", body)[1])["seconds"] == 4.0


def test_an_unfetchable_image_ends_the_task_in_the_documents_words(gateway: Gateway) -> None:
    task_id = gateway.create(image_urls=[f"{gateway.media_url}/bad"])
    data = gateway.finish(task_id)
    assert (data["status"], data["progress"], data["result_url"]) == ("FAILURE", "100%", "")
    assert data["fail_reason"] == (
        "Image URL could not be fetched: Fetching image failed with HTTP status 400 Bad Request."
    )


def test_a_failed_task_costs_nothing(gateway: Gateway) -> None:
    key = gateway.new_key("unlucky", "0.20")
    body = {
        "model": "grok-image-video",
        "prompt": "p",
        "seconds": 2,
        "image_urls": [f"{gateway.media_url}/bad"],
    }
    for _ in range(3):  # each holds most of the balance, so each needs the last one's refund
        status, answer = gateway.call("POST", "/v1/video/generations", body, key=key)
        assert status == 200, answer
        while True:
            status, poll = gateway.call(
                "GET", f"/v1/video/generations/{answer['task_id']}", key=key
            )
            if poll["data"]["status"] == "FAILURE":
                break


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("data:image/png;base64,!!!!", "base64"),
        (data_url(b"no image at all", "image/png"), "image"),
        (data_url(picture(0, (2000, 40)), "image/png"), "2000"),
        ("ftp://example.com/a.png", "URL"),
        ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB", "data URL"),
    ],
)
def test_broken_images_are_refused_at_once(gateway: Gateway, image: str, says: str) -> None:
    body = {"model": "grok-image-video", "prompt": "p", "image_urls": [image]}
    status, answer = gateway.call("POST", "/v1/video/generations", body)
    assert status == 400
    assert says in answer["error"]["message"]


def test_cancelling_gives_the_money_back(gateway: Gateway) -> None:
    key = gateway.new_key("fickle", "1.05")
    body = {"model": "grok-imagine-video", "prompt": "p", "duration": 15, "resolution": "720p"}
    for _ in range(2):  # the second can only be paid for with what the first gave back
        status, answer = gateway.call("POST", "/v1/videos/generations", body, key=key)
        assert status == 200, answer
        status, _ = gateway.call("DELETE", f"/v1/videos/{answer['request_id']}", key=key)
        assert status == 200
        poll: dict[str, Any] = {}
        while poll.get("status") != "failed":
            status, poll = gateway.call("GET", f"/v1/videos/{answer['request_id']}", key=key)
            assert poll["status"] in {"pending", "failed"}
        assert "cancel" in poll["error"]["message"]
