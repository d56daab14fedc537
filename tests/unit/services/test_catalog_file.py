"""The models as a file: an export reads back as it was, a wrong file names its field."""

from __future__ import annotations

import pytest

from filmgate.app import shipped_catalog
from filmgate.core.errors import InvalidRequest
from filmgate.services.catalog_file import read_models, write_models

ROW = """
[[model]]
name = "a"
family = "f"
description = "A model"
shapes = ["text"]
aspect_ratios = ["16:9"]
prices = { per_second = { 480p = 50_000 } }
"""


def test_an_export_reads_back_as_it_was() -> None:
    shipped = list(shipped_catalog())
    exported = write_models(shipped)
    assert shipped == read_models(exported)
    # What a family shares stands once, so that a price is changed in one place.
    assert exported.count("per_input_second") == 1


@pytest.mark.parametrize(
    ("text", "param", "says"),
    [
        ("model = ", "", "not TOML"),
        ("", "model", "no model"),
        ("[[models]]\nname = 'a'", "models", "[[model]]"),
        (ROW + ROW, "name", "two rows"),
        (ROW.replace("50_000", "0.05"), "prices.per_second[...]", "a: prices"),
        (ROW.replace("50_000", "-1"), "prices", "below 0"),
        (ROW.replace("480p = 50_000", ""), "prices.per_second", "at least one"),
        (ROW.replace("480p", "481p"), "prices.per_second", "481p"),
        (ROW.replace('"text"', '"poem"'), "shapes[0]", "poem"),
        (ROW.replace("family", "familly"), "", "a: Object contains unknown field `familly`"),
        (ROW + "seconds = [15, 1]", "seconds", "in that order"),
        (ROW + "fixed_seconds = 30", "fixed_seconds", "between 1 and 15"),
        (ROW + "fixed_resolution = '720p'", "fixed_resolution", "price"),
        (ROW.replace('"a"', '"a b"'), "name", "visible"),
    ],
)
def test_a_wrong_model_names_its_field(text: str, param: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_models(text)
    assert says in refused.value.message
    assert param == refused.value.param
