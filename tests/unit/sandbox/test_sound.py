"""The ambient bed."""

import numpy as np
import pytest

from filmgate.providers.sandbox.grammar import read_prompt
from filmgate.providers.sandbox.movie import SAMPLE_RATE
from filmgate.providers.sandbox.sound import ambience, faded
from filmgate.providers.sandbox.vocabulary import SCENES


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_has_a_gentle_bed(scene: str) -> None:
    prompt = next(iter(SCENES[scene])).split()[0]
    bed = ambience(read_prompt(f"{prompt} rain", 1), 0, 2)
    assert (2, 2 * SAMPLE_RATE) == bed.shape
    assert 0.005 < np.sqrt((bed**2).mean()) < 0.3
    assert np.abs(bed).max() < 1


def test_stretches_join() -> None:
    plan = read_prompt("sea", 4)
    whole = ambience(plan, 0, 3)
    parts = np.concatenate([ambience(plan, 0, 1.5), ambience(plan, 1.5, 1.5)], axis=1)
    assert np.allclose(whole, parts, atol=1e-6)


def test_it_fades_in_and_out() -> None:
    bed = faded(np.ones((2, 3 * SAMPLE_RATE), np.float32))
    assert bed[0, 0] == 0
    assert bed[0, -1] < 0.01
    assert bed[0, SAMPLE_RATE] == 1
