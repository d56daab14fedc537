"""The lists of models, in OpenAI's and in xAI's shape."""

from __future__ import annotations

from filmgate.core.catalog import Catalog
from filmgate.dialects import models


def test_openai_list(catalog: Catalog) -> None:
    listed = models.encode_list(catalog)
    assert listed["object"] == "list"
    by_id = {row["id"]: row for row in listed["data"]}
    assert set(by_id) == {model.name for model in catalog}
    one = by_id["grok-image-video"]
    assert (one["object"], one["owned_by"], one["created"]) == ("model", "xai", 1769472000)
    assert one["seconds"] == {"min": 1, "max": 15, "max_with_references": 10}
    assert by_id["grok-imagine-1.0-video-20s-hd"]["resolutions"] == ["720p"]
    assert by_id["grok-imagine-1.0-video-20s-hd"]["seconds"]["max"] == 20


def test_xai_list(catalog: Catalog) -> None:
    one = models.encode_xai_list(catalog)["models"][0]
    assert one["id"] == "grok-imagine-video"
    assert one["input_modalities"] == ["text", "image", "video"]
    assert one["output_modalities"] == ["video"]
    assert one["fingerprint"].startswith("fp_")
    lite = models.encode_xai_one(catalog["grok-imagine-video-1.5-lite"])
    assert lite["input_modalities"] == ["text", "image"]
