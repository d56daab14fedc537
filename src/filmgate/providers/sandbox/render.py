"""The renderer's process: ``python -m filmgate.providers.sandbox.render``.

Reads one `Job` as one line of JSON on standard input and answers with `Line`s on standard
output. Exits 0 after a clip or a refusal, and otherwise when it crashed.
"""

import sys
import time
import traceback
from pathlib import Path
from typing import BinaryIO

from filmgate.core.confine import confine, take_stdout
from filmgate.providers.sandbox.job import (
    Done,
    Error,
    Job,
    Line,
    Refusal,
    decode_job,
    encode_line,
)

_MAX_JOB_BYTES = 1 << 20
_SECONDS_BETWEEN_LINES = 0.1


class Answers:
    """Writes answer lines; progress only rises and is told at most ten times a second."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._told = -1
        self._told_at = 0.0

    def progress(self, share: float) -> None:
        """Tell the share done, 0 to 1, if it is time to."""
        percent = min(int(share * 100), 99)  # the last one belongs to the finished file
        now = time.monotonic()
        if percent > self._told and now - self._told_at >= _SECONDS_BETWEEN_LINES:
            self._told, self._told_at = percent, now
            self.write(Line(progress=percent))

    def write(self, line: Line) -> None:
        """Write one line now."""
        self._stream.write(encode_line(line))
        self._stream.flush()


def main() -> int:
    """Do one job; the process's exit code."""
    confine()
    answers = Answers(take_stdout())
    try:
        done = _render(decode_job(sys.stdin.buffer.readline(_MAX_JOB_BYTES)), answers)
    except Refusal as refusal:
        answers.write(Line(error=refusal.error))
        return 0
    except Exception:
        traceback.print_exc()
        message = "The sandbox could not draw this clip; please try again."
        answers.write(Line(error=Error(code="internal_error", message=message)))
        return 1
    answers.write(Line(progress=100))
    answers.write(Line(done=done))
    return 0


def _render(job: Job, answers: Answers) -> Done:
    # Imported here, after the limits are set and standard output is out of reach.
    from filmgate.providers.sandbox.edit import edit
    from filmgate.providers.sandbox.extend import extend
    from filmgate.providers.sandbox.generate import generate
    from filmgate.providers.sandbox.movie import quiet_libraries, write

    quiet_libraries()
    answers.progress(0.0)
    make = {"generate": generate, "edit": edit, "extend": extend}[job.operation]
    clip = make(job)
    write(clip, Path(job.output), Path(job.poster), answers.progress)
    return Done(
        seconds=clip.seconds,
        input_seconds=clip.input_seconds,
        width=clip.width,
        height=clip.height,
        fps=clip.fps,
    )


if __name__ == "__main__":
    sys.exit(main())
