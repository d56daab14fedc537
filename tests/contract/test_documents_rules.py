"""The documents' limits, lists and refusals, held by the dialects and the shipped models."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from filmgate.core.catalog import Catalog, fit
from filmgate.core.errors import (
    Forbidden,
    InsufficientBalance,
    InvalidRequest,
    MalformedBody,
    NotFound,
    RateLimited,
    StillRunning,
    Unauthenticated,
)
from filmgate.core.task import FAILURE_CODES
from filmgate.core.video import Media
from filmgate.dialects.registry import DIALECTS
from tests.contract.conftest import Decode
from tests.contract.documents import DOCUMENTS, creates, document, rules

# Bodies that break one rule each, by the document's words for it (003, section 10).
BROKEN = {
    "prompt is required": {"model": "grok-image-video"},
    "model field is required": {"prompt": "a"},
    "only supports exactly one reference image": {"model": "grok-video-1.5", "prompt": "a"},
}


def test_every_refusal_text_is_tried() -> None:
    texts = {row["text"] for row in rules("003")["errors"] if row["status"] == 400}
    assert set(BROKEN) == texts


@pytest.mark.parametrize("words", BROKEN)
def test_refusal_in_the_documents_words(words: str, decode: Decode) -> None:
    newapi = DIALECTS["newapi"]
    with pytest.raises(InvalidRequest) as refusal:
        decode("003", BROKEN[words])
    reply = newapi.encode_error(refusal.value)
    assert reply.status == 400
    assert words in reply.body["message"]
    assert words in reply.body["error"]["message"]


def test_error_statuses_of_the_documents() -> None:
    errors = [
        InvalidRequest("no"),
        Unauthenticated("no"),
        Forbidden("no"),
        InsufficientBalance("no"),
        NotFound("task", "no"),
        RateLimited("no"),
        StillRunning("no"),
    ]
    statuses = {DIALECTS["newapi"].encode_error(error).status for error in errors}
    assert set(rules("004")["error_statuses"]) == statuses
    assert {row["status"] for row in rules("003")["errors"] if row["status"]} <= statuses


def test_unusual_image_is_refused_in_the_documents_words() -> None:
    error = InvalidRequest("no", code="image_shape", param="messages")
    reply = DIALECTS["chat"].encode_error(error)
    assert (400, rules("000")["unusual_image"]) == (reply.status, reply.body["error"]["message"])


@pytest.mark.parametrize(
    ("number", "field", "value"),
    [
        ("003", "image_urls", ["https://example.com/1.png"]),
        ("003", "reference_images", ["https://example.com/1.png"]),
        ("003", "input_reference", "https://example.com/1.png"),
        ("003", "input_reference", {"image_url": "https://example.com/1.png"}),
        ("004", "image", "https://example.com/1.png"),
        ("004", "images", ["https://example.com/1.png"]),
    ],
)
def test_every_image_field_is_read(number: str, field: str, value: Any, decode: Decode) -> None:
    body = {"model": "grok-image-video", "prompt": "a", field: value}
    assert decode(number, body).images == (Media(url="https://example.com/1.png"),)


def test_every_image_field_is_tried() -> None:
    documented = {field["name"] for field in rules("003")["fields"]} | set(rules("004")["types"])
    plain = {"model", "prompt", "seconds", "duration", "aspect_ratio", "resolution", "size"}
    tried = {"image_urls", "reference_images", "input_reference", "image", "images"}
    assert documented == plain | tried


def test_sample_with_comments_is_no_json() -> None:
    raw = document("001").raw
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw)
    reply = DIALECTS["xai"].encode_error(MalformedBody("The body is not JSON."))
    assert (400, {"code", "error"}) == (reply.status, set(reply.body))


def test_failure_codes_are_the_documents() -> None:
    assert tuple(rules("002")["error_codes"]) == FAILURE_CODES


def test_models_of_the_documents_are_on_offer(catalog: Catalog) -> None:
    named = {body["model"] for n in DOCUMENTS for c in creates(n).values() if (body := c.body)}
    named |= {frame["model"] for frame in document("000").frames if isinstance(frame, dict)}
    named |= {*rules("001")["models"], *rules("003")["longest_seconds"], *rules("004")["models"]}
    assert [model for model in sorted(named) if model not in catalog] == []


def test_chat_lengths_are_chosen_by_model(catalog: Catalog) -> None:
    assert set(rules("000")["model_seconds"]) <= {model.fixed_seconds for model in catalog}


def test_limits_of_document_001(catalog: Catalog) -> None:
    for name in rules("001")["models"]:
        model = catalog[name]
        assert set(rules("001")["aspect_ratios"]) <= set(model.aspect_ratios)
        assert set(rules("001")["resolutions"]) <= set(model.resolutions)
        assert tuple(rules("001")["seconds"]) == model.seconds


def test_limits_of_document_002(catalog: Catalog, decode: Decode) -> None:
    field = {field["name"]: field for field in rules("002")["request_fields"]}
    body = {"prompt": "on", "video": "https://example.com/video.mp4"}
    request = decode("002", body)
    defaults = (request.model, str(request.seconds))
    assert (field["model"]["default"], field["duration"]["default"]) == defaults
    shortest, longest = rules("002")["seconds"]
    for seconds in (shortest, longest):
        fit(catalog[request.model], decode("002", body | {"duration": seconds}))
    for seconds in (shortest - 1, longest + 1):
        with pytest.raises(InvalidRequest):
            fit(catalog[request.model], decode("002", body | {"duration": seconds}))


@pytest.mark.parametrize("name", ["grok-image-video", "grok-video-1.5"])
def test_limits_of_document_003(name: str, catalog: Catalog) -> None:
    model, longest = catalog[name], rules("003")["longest_seconds"][name]
    assert set(rules("003")["aspect_ratios"][name]) == set(model.aspect_ratios)
    assert set(rules("003")["resolutions"]) <= set(model.resolutions)
    shapes_taken = {"text": "text", "image": "image", "images": "references"}
    assert {shapes_taken[kind] for kind in longest} == {
        shape for shape in model.shapes if shape in shapes_taken.values()
    }
    images = {"text": 0, "image": 1, "images": 2}
    assert longest == {kind: model.longest(images[kind]) for kind in longest}


def test_defaults_of_document_003(decode: Decode) -> None:
    request = decode("003", {"model": "grok-image-video", "prompt": "a"})
    defaults = {field["name"]: field.get("default") for field in rules("003")["fields"]}
    assert (defaults["seconds"], defaults["aspect_ratio"]) == (
        str(request.seconds),
        request.aspect_ratio,
    )
    assert request.resolution == rules("003")["resolutions"][0]


def test_lengths_of_document_003_are_taken_as_they_are(decode: Decode) -> None:
    body = {"model": "grok-image-video", "prompt": "a"}
    several = body | {"image_urls": ["https://example.com/1.png", "https://example.com/2.png"]}
    taken = [decode("003", body | {"seconds": n}).seconds for n in rules("003")["seconds"]]
    assert rules("003")["seconds"] == taken
    clamped = [decode("003", several | {"seconds": n}).seconds for n in rules("003")["seconds"]]
    longest = max(rules("003")["several_images_seconds"])
    assert [min(seconds, longest) for seconds in rules("003")["seconds"]] == clamped


def test_reference_limit_of_document_003(decode: Decode) -> None:
    most = rules("003")["max_references"]
    images = [f"https://example.com/{number}.png" for number in range(most + 1)]
    body = {"model": "grok-image-video", "prompt": "a"}
    assert len(decode("003", body | {"image_urls": images[:most]}).images) == most
    with pytest.raises(InvalidRequest, match=f"at most {most} reference images"):
        decode("003", body | {"image_urls": images})
