"""Makes any video request that the shipped models can serve, and any task that comes of it."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from hypothesis import strategies as st

from filmgate.core.catalog import Catalog, fit, read_catalog
from filmgate.core.pricing import quote
from filmgate.core.task import FAILURE_CODES, STATUSES, Asset, Failure, Task
from filmgate.core.video import Keyframe, Media, VideoRequest
from filmgate.dialects.base import View

CATALOG: Catalog = read_catalog(
    tomllib.loads(resources.files("filmgate").joinpath("catalog.toml").read_text("utf-8"))
)

_NUMBERS = st.integers(1, 999_999)
_WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
_IMAGE_NAMES = st.sampled_from(["@图一", "@图2", "@image1", "@IMAGE3", "<IMAGE_0>", "@图十二", "@"])
PROMPTS = st.lists(st.one_of(_WORDS, _IMAGE_NAMES), min_size=1, max_size=5).map(" ".join)
IMAGES = st.one_of(
    _NUMBERS.map(lambda n: Media(url=f"https://example.com/{n}.png")),
    _NUMBERS.map(lambda n: Media(url=f"data:image/png;base64,{n}")),
    _NUMBERS.map(lambda n: Media(file_id=f"file_{n}")),
)
VIDEOS = st.one_of(
    _NUMBERS.map(lambda n: Media(url=f"https://example.com/{n}.mp4")),
    _NUMBERS.map(lambda n: Media(file_id=f"video_{n:032x}")),
)
# What only some dialects have words for; mostly left out, so that every dialect gets its share.
_EXTRAS = st.one_of(
    st.just({}),
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "user": st.just("u-1"),
            "seed": st.integers(0, 2**31),
            "audio": st.booleans(),
            "preset": st.sampled_from(["fun", "spicy"]),
            "reference_audios": st.just((Media(voice_id="eve"),)),
        },
    ),
)


@st.composite
def generations(draw: st.DrawFn) -> VideoRequest:
    """A generation within its model's limits, of any shape that the model takes."""
    model = draw(st.sampled_from(list(CATALOG)))
    shape = draw(st.sampled_from([s for s in model.shapes if s not in ("edit", "extend")]))
    inputs: dict[str, Any] = {}
    if shape == "image":
        inputs["image"] = draw(IMAGES)
    elif shape == "references":
        inputs["references"] = tuple(draw(st.lists(IMAGES, min_size=1, max_size=7, unique=True)))
    elif shape == "frames":
        inputs["last_frame"] = draw(IMAGES)
        inputs["keyframes"] = tuple(
            Keyframe(image=image, timestamp_s=0.5) for image in draw(st.lists(IMAGES, max_size=4))
        )
    images = len(inputs.get("references", ())) + 1 + len(inputs.get("keyframes", ()))
    seconds = draw(st.integers(model.seconds[0], model.longest(images)))
    fields: dict[str, Any] = {
        "model": model.name,
        "prompt": draw(PROMPTS),
        "seconds": model.fixed_seconds or seconds,
        "aspect_ratio": draw(st.sampled_from(model.aspect_ratios)),
        "resolution": model.fixed_resolution or draw(st.sampled_from(model.resolutions)),
    }
    request = VideoRequest(**fields, **inputs, **draw(_EXTRAS))
    fit(model, request)
    return request


@st.composite
def continuations(draw: st.DrawFn) -> VideoRequest:
    """An edit or an extension."""
    operation = draw(st.sampled_from(["edit", "extend"]))
    models = [model.name for model in CATALOG if operation in model.shapes]
    request = VideoRequest(
        model=draw(st.sampled_from(models)),
        prompt=draw(PROMPTS),
        operation=operation,
        seconds=draw(st.integers(2, 10)) if operation == "extend" else 0,
        video=draw(VIDEOS),
    )
    fit(CATALOG[request.model], request)
    return request


REQUESTS = st.one_of(generations(), generations(), continuations())


@st.composite
def views(draw: st.DrawFn) -> View:
    """A task in any status, as its owner may see it."""
    request = draw(REQUESTS)
    status = draw(st.sampled_from(STATUSES))
    moderated = status == "completed" and draw(st.booleans())
    asset = Asset(key="k", size=1, sha256="0", seconds=draw(st.floats(0.5, 60)))
    message = draw(_WORDS.map(" ".join).filter(str.strip))
    task = Task(
        id=f"{draw(_NUMBERS):032x}",
        customer_id="c",
        key_id="k",
        dialect="xai",
        request=request,
        quote=quote(CATALOG[request.model].prices, request),
        status=status,
        progress=draw(st.integers(0, 100)),
        failure=Failure(draw(st.sampled_from(FAILURE_CODES)), message)
        if status == "failed"
        else None,
        asset=asset if status == "completed" else None,
        moderated=moderated,
        charged=draw(st.integers(0, 10**9)) if status == "completed" else 0,
        created_at=1_780_000_000.0,
    )
    done = status == "completed" and not moderated
    return View(task, link=f"https://example.com/{task.id}.mp4" if done else "")
