"""The models on offer as callers list them: OpenAI's ``/v1/models`` and xAI's own list."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from filmgate.core.catalog import Model

_OWNER = "xai"


def encode_list(models: Iterable[Model]) -> dict[str, Any]:
    """``GET /v1/models`` (document 003, section 3)."""
    return {"object": "list", "data": [encode_one(model) for model in models]}


def encode_one(model: Model) -> dict[str, Any]:
    """``GET /v1/models/{id}``: OpenAI's fields, then what the model can do. Lengths in seconds."""
    return {
        "id": model.name,
        "object": "model",
        "created": model.created,
        "owned_by": _OWNER,
        "description": model.description,
        "capabilities": list(model.shapes),
        "aspect_ratios": list(model.aspect_ratios),
        "resolutions": list(model.resolutions),
        "seconds": {
            "min": model.fixed_seconds or model.seconds[0],
            "max": model.fixed_seconds or model.seconds[1],
            "max_with_references": model.fixed_seconds or model.longest(2),
        },
        "max_reference_images": model.max_references,
    }


def encode_xai_list(models: Iterable[Model]) -> dict[str, Any]:
    """``GET /v1/video-generation-models``, in xAI's shape."""
    return {"models": [encode_xai_one(model) for model in models]}


def encode_xai_one(model: Model) -> dict[str, Any]:
    """``GET /v1/video-generation-models/{id}``; the fingerprint changes with the model's limits."""
    takes_images = {"image", "references", "frames"} & set(model.shapes)
    takes_videos = {"edit", "extend"} & set(model.shapes)
    modalities = [
        "text",
        *(["image"] if takes_images else []),
        *(["video"] if takes_videos else []),
    ]
    digest = hashlib.sha256(msgspec.json.encode(model)).hexdigest()
    return {
        "id": model.name,
        "fingerprint": f"fp_{digest[:10]}",
        "max_prompt_length": model.prompt_characters,
        "created": model.created,
        "object": "model",
        "owned_by": _OWNER,
        "version": "1.0.0",
        "input_modalities": modalities,
        "output_modalities": ["video"],
        "aliases": [],
    }
