"""The seam: what the parent may send and what comes back."""

import subprocess
import sys

import msgspec
import pytest

from filmgate.providers.sandbox.job import (
    Done,
    Error,
    Job,
    Line,
    Refusal,
    decode_job,
    decode_line,
    encode_line,
)
from tests.unit.sandbox.media import RENDERER

GOOD = {
    "operation": "generate",
    "prompt": "",
    "seconds": 1,
    "output": "a.mp4",
    "poster": "a.webp",
}


def test_a_job_survives_the_way() -> None:
    job = msgspec.convert(GOOD, Job)
    assert job == decode_job(msgspec.json.encode(job))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 0}, "seconds must be from 1 to 30, not 0."),
        ({"seconds": 31}, "seconds must be from 1 to 30, not 31."),
        ({"images": ["i"] * 8}, "Send at most 7 images."),
        ({"operation": "edit"}, "To edit a video, send the video."),
        ({"operation": "extend", "video": "v"}, "seconds must be from 2 to 10, not 1."),
        ({"operation": "extend", "video": "v", "seconds": 11}, "from 2 to 10, not 11."),
        ({"operation": "dance"}, "The job is not valid"),
        ({"unknown": 1}, "The job is not valid"),
    ],
)
def test_a_bad_job_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode_job(msgspec.json.encode(GOOD | change))
    assert words in caught.value.error.message
    assert ("invalid_argument", "") == (caught.value.error.code, caught.value.error.reason)


@pytest.mark.parametrize(
    "line",
    [
        Line(progress=0),
        Line(done=Done(6.0, 0.0, 854, 480, 24)),
        Line(error=Error("invalid_argument", "no", "image_shape")),
    ],
)
def test_a_line_survives_the_way(line: Line) -> None:
    assert line == decode_line(encode_line(line))
    assert encode_line(line).count(b"\n") == 1


def test_the_parent_loads_nothing_heavy() -> None:
    program = (
        "import sys, filmgate.providers.sandbox.job;"
        "print(sorted({'av', 'cv2', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert b"[]" == child.stdout.strip()


def test_garbage_on_stdin_is_a_clean_refusal() -> None:
    child = subprocess.run(RENDERER, input=b"not json\n", capture_output=True, check=True)
    error = decode_line(child.stdout).error
    assert error is not None
    assert "invalid_argument" == error.code
