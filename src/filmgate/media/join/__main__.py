"""The joining process: ``python -m filmgate.media.join``, the only one to decode upstreams' clips.

Reads one ``Job`` as one line of JSON on standard input and answers with ``Line``s on standard
output. Exits 0 when it could answer, and otherwise when it crashed.
"""

from __future__ import annotations

import sys
from typing import BinaryIO

import msgspec

from filmgate.core.confine import confine, take_stdout
from filmgate.media.join.job import Facts, Job, Line, Probe, Unreadable

_MAX_JOB_BYTES = 1 << 16


class _Answers:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._told = -1

    def progress(self, share: float) -> None:
        """Tell the share done, 0 to 1, when it is another percent."""
        percent = min(int(share * 100), 99)
        if percent > self._told:
            self._told = percent
            self.write(Line(progress=percent))

    def write(self, line: Line) -> None:
        self._stream.write(msgspec.json.encode(line) + b"\n")
        self._stream.flush()


def main() -> None:
    """Do one job."""
    confine()
    answers = _Answers(take_stdout())
    job = msgspec.json.decode(sys.stdin.buffer.readline(_MAX_JOB_BYTES), type=Job)
    try:
        answers.write(Line(facts=_do(job, answers)))
    except Unreadable as error:
        answers.write(Line(fault=str(error)))


def _do(job: Job, answers: _Answers) -> Facts:
    # Imported here, after the limits are set and standard output is out of reach.
    from filmgate.media.join.source import open_source, quiet_libraries
    from filmgate.media.join.splice import join

    quiet_libraries()
    if isinstance(job, Probe):
        return open_source(job.path).facts
    return join(job, answers.progress)


if __name__ == "__main__":
    main()
