"""How a clip longer than one upstream call is made: a generation, then extensions of its end."""

from __future__ import annotations

import msgspec

from filmgate.core.errors import Inexpressible
from filmgate.core.video import Media, Operation, VideoRequest

# Document 002: an extension adds 2 to 10 s to a clip of 2 to 15 s.
EXTENSION_SECONDS = (2, 10)
SHORTEST_INPUT_SECONDS = 2
# An upstream bills every second it is given (contracts, section 8). So much shows who is in the
# picture and how it moves; it is far from the 15 s that an upstream takes at most.
TAIL_SECONDS = 8.0


class Part(msgspec.Struct, frozen=True):
    """One upstream call of a plan; ``seconds`` as in ``VideoRequest``: to make, or to add."""

    operation: Operation
    seconds: int


def plan(request: VideoRequest, call_seconds: int, references_seconds: int) -> tuple[Part, ...]:
    """The upstream calls that make ``request``, in order; as few as can be.

    ``call_seconds`` is the longest clip of one call, ``references_seconds`` the longest from
    several images. What fits one call is one part, as asked. Otherwise the first part is as long
    as it may be, since only it sees the caller's images, and the extensions share the rest evenly:
    20 s is 15 + 5, or 10 + 10 from several images; 30 s is 15 + 8 + 7.
    Raises ``Inexpressible`` when calls so short cannot add up to the length.
    """
    longest = min(call_seconds, references_seconds) if len(request.images) > 1 else call_seconds
    if request.operation != "generate" or request.seconds <= longest:
        return (Part(request.operation, request.seconds),)
    least, most = EXTENSION_SECONDS
    extensions = -(-(request.seconds - longest) // most)
    first = min(longest, request.seconds - least * extensions)
    if first < SHORTEST_INPUT_SECONDS:
        raise Inexpressible("upstream's", f"{request.seconds} s in calls of {longest} s")
    each, over = divmod(request.seconds - first, extensions)
    added = (each + (number < over) for number in range(extensions))
    return (Part("generate", first), *(Part("extend", seconds) for seconds in added))


def tail_seconds(previous_seconds: float) -> float:
    """How much of the end of a clip of that length (in seconds) the next extension is given."""
    return min(previous_seconds, TAIL_SECONDS)


def part_request(request: VideoRequest, part: Part, previous: Media | None) -> VideoRequest:
    """What to ask of the upstream for ``part``; ``previous`` is the clip that it extends.

    ``previous`` is ``None`` for the first part. A part that is the whole request is that request,
    with the caller's own body; no other part is what that body says.
    """
    if part == Part(request.operation, request.seconds):
        return request
    shorter = msgspec.structs.replace(request, seconds=part.seconds, original={}, spoken="")
    if previous is None:
        return shorter
    return msgspec.structs.replace(
        shorter,
        operation=part.operation,
        video=previous,
        image=None,
        references=(),
        last_frame=None,
        keyframes=(),
        reference_audios=(),
        aspect_ratio="",
        resolution="",
    )
