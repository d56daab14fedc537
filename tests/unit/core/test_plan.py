"""Long clips as a generation and its extensions."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.core.errors import Inexpressible
from filmgate.core.plan import Part, part_request, plan, tail_seconds
from filmgate.core.video import Media, VideoRequest

IMAGES = (Media(url="https://example.com/1.png"), Media(url="https://example.com/2.png"))
ASKED = VideoRequest(
    model="grok-imagine-1.0-video-30s",
    prompt="a kite",
    seconds=30,
    aspect_ratio="16:9",
    resolution="480p",
    seed=7,
    original={"model": "grok-imagine-1.0-video-30s"},
    spoken="chat",
)


def planned(seconds: int, call: int = 15, references: int = 10, images: int = 0) -> list[int]:
    request = msgspec.structs.replace(ASKED, seconds=seconds, references=IMAGES[:images])
    return [part.seconds for part in plan(request, call, references)]


@pytest.mark.parametrize(
    ("parts", "given"),
    [
        ([6], {"seconds": 6}),
        ([15], {"seconds": 15}),
        ([14, 2], {"seconds": 16}),
        ([15, 5], {"seconds": 20}),
        ([15, 8, 7], {"seconds": 30}),
        ([10, 10], {"seconds": 20, "images": 2}),
        ([15, 5], {"seconds": 20, "images": 1}),
        ([10, 10, 10], {"seconds": 30, "images": 2}),
        ([9, 2], {"seconds": 11, "images": 2}),
        ([30], {"seconds": 30, "call": 30}),
    ],
)
def test_few_parts_and_none_too_short(parts: list[int], given: dict[str, int]) -> None:
    assert parts == planned(**given)


@given(st.integers(1, 120), st.integers(4, 30))
def test_parts_add_up_within_what_a_call_can_make(seconds: int, call: int) -> None:
    first, *added = planned(seconds, call)
    assert seconds == first + sum(added)
    assert first <= call
    assert all(2 <= part <= 10 for part in added)
    assert not added or first >= 2


def test_calls_too_short_for_an_extension() -> None:
    with pytest.raises(Inexpressible):
        planned(3, call=2)


@pytest.mark.parametrize("operation", ["edit", "extend"])
def test_other_operations_are_one_part(operation: str) -> None:
    request = msgspec.structs.replace(ASKED, operation=operation, seconds=6)
    assert (Part(operation, 6),) == plan(request, 4, 4)


def test_the_whole_request_is_asked_as_it_is() -> None:
    assert part_request(ASKED, Part("generate", 30), None) is ASKED


def test_the_first_part_is_the_request_with_its_own_length() -> None:
    request = msgspec.structs.replace(ASKED, image=IMAGES[0])
    expected = msgspec.structs.replace(request, seconds=15, original={}, spoken="")
    assert expected == part_request(request, Part("generate", 15), None)


def test_a_later_part_extends_the_one_before() -> None:
    tail = Media(object_key="parts/1/0-tail.mp4")
    request = msgspec.structs.replace(ASKED, references=IMAGES, last_frame=IMAGES[0])
    expected = VideoRequest(
        model=ASKED.model, prompt="a kite", operation="extend", seconds=8, video=tail, seed=7
    )
    assert expected == part_request(request, Part("extend", 8), tail)


@pytest.mark.parametrize(("given", "of"), [(8.0, 25.0), (8.0, 15.0), (5.5, 5.5)])
def test_only_the_end_of_a_clip_is_given_on(given: float, of: float) -> None:
    assert given == tail_seconds(of)
