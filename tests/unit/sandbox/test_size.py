"""The size table: every ratio at every resolution."""

import pytest

from filmgate.providers.sandbox.job import Refusal
from filmgate.providers.sandbox.size import picture_size

TABLE = {
    ("1:1", "480p"): (480, 480),
    ("1:1", "720p"): (720, 720),
    ("1:1", "1080p"): (1080, 1080),
    ("16:9", "480p"): (854, 480),
    ("16:9", "720p"): (1280, 720),
    ("16:9", "1080p"): (1920, 1080),
    ("9:16", "480p"): (480, 854),
    ("9:16", "720p"): (720, 1280),
    ("9:16", "1080p"): (1080, 1920),
    ("4:3", "480p"): (640, 480),
    ("4:3", "720p"): (960, 720),
    ("4:3", "1080p"): (1440, 1080),
    ("3:4", "480p"): (480, 640),
    ("3:4", "720p"): (720, 960),
    ("3:4", "1080p"): (1080, 1440),
    ("3:2", "480p"): (720, 480),
    ("3:2", "720p"): (1080, 720),
    ("3:2", "1080p"): (1620, 1080),
    ("2:3", "480p"): (480, 720),
    ("2:3", "720p"): (720, 1080),
    ("2:3", "1080p"): (1080, 1620),
}


@pytest.mark.parametrize(("asked", "expected"), TABLE.items())
def test_size(asked: tuple[str, str], expected: tuple[int, int]) -> None:
    assert expected == picture_size(*asked)


@pytest.mark.parametrize("asked", [("2:1", "480p"), ("", "480p"), ("16:9", "4k"), ("16:9", "")])
def test_unknown_size_is_refused(asked: tuple[str, str]) -> None:
    with pytest.raises(Refusal, match="must be one of"):
        picture_size(*asked)
