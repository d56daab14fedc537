"""Upstreams that are polled: what each answer to a submit means for the money."""

from __future__ import annotations

import logging
import time
from collections import Counter
from email.utils import formatdate
from typing import Any

import msgspec
import pytest

from filmgate.core.channel import Channel
from filmgate.core.errors import (
    CredentialsRefused,
    FilmgateError,
    Inexpressible,
    NotSubmitted,
    RequestRefused,
    SendAgainHere,
    SubmitUnknown,
)
from filmgate.core.task import Failure
from filmgate.core.video import Media, VideoRequest
from filmgate.dialects.registry import DIALECTS
from filmgate.providers.download import Downloads
from filmgate.providers.outbound import Wire
from filmgate.providers.upstream import UpstreamProvider, idempotency_key, in_turn
from tests.unit.providers.scripted import (
    CATALOG,
    KEY,
    OTHER_KEY,
    REQUEST,
    SECRETS,
    Step,
    channel,
    check,
    hang,
    hang_up,
    listener,
    part,
    polled_provider,
    say,
    task,
    upstream,
)

POLLED = ("xai", "newapi", "openai")
TASK = task()
FIRST, SECOND = in_turn(channel("xai", "", credentials=(KEY, OTHER_KEY)), TASK)


async def refusal(there: UpstreamProvider) -> FilmgateError:
    with pytest.raises(FilmgateError) as found:
        await there.submit(TASK, REQUEST)
    assert not [secret for secret in SECRETS if secret in str(found.value)]
    return found.value


# -- submit ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"request_id": "r-1"}, "r-1"),
        (201, {"id": "v-1", "task_id": "v-1"}, "v-1"),
        (202, {"data": {"task_id": 17}}, "17"),
        (200, {"code": "success", "data": "t-1"}, "t-1"),
    ],
)
async def test_any_2xx_is_success(
    wire: Wire, dialect: str, status: int, body: Any, expected: str
) -> None:
    async with upstream(say(status, body)) as there:
        assert expected == await polled_provider(wire, dialect, there.url).submit(TASK, REQUEST)
        seen = there.seen[0]
    assert seen.headers["Idempotency-Key"] == idempotency_key(TASK)
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert seen.body["prompt"] == "a boat"


@pytest.mark.parametrize("dialect", POLLED)
async def test_the_upstreams_own_model_name_is_sent(wire: Wire, dialect: str) -> None:
    async with upstream(say(200, {"id": "1"})) as there:
        models = {"grok-imagine-video": "their-video"}
        await polled_provider(wire, dialect, there.url, models=models).submit(TASK, REQUEST)
        assert there.seen[0].body["model"] == "their-video"


@pytest.mark.parametrize("model", ["grok-imagine-video-1.5", "removed-since"])
async def test_a_model_that_is_not_made_there(wire: Wire, model: str) -> None:
    there = polled_provider(wire, "xai", "http://127.0.0.1:9", models={"grok-imagine-video": "x"})
    with pytest.raises(Inexpressible):
        await there.submit(TASK, msgspec.structs.replace(REQUEST, model=model))


async def test_stored_files_are_offered_first(wire: Wire) -> None:
    async def offer(request: VideoRequest, _channel: Channel) -> VideoRequest:
        return msgspec.structs.replace(request, image=Media(url="https://ours.example/1.png"))

    async with upstream(say(200, {"id": "1"})) as there:
        made = UpstreamProvider(
            channel("xai", there.url),
            DIALECTS["xai"],
            wire,
            Downloads(wire, check),
            offer=offer,
            models=CATALOG,
        )
        stored = msgspec.structs.replace(REQUEST, image=Media(object_key="inputs/1"))
        await made.submit(TASK, stored)
        assert "https://ours.example/1.png" in str(there.seen[0].body)


def test_each_part_and_each_new_try_has_its_own_key() -> None:
    first = msgspec.structs.replace(TASK, upstream_id="")
    assert idempotency_key(first) == f"{TASK.id}-0"
    keys = [
        idempotency_key(msgspec.structs.replace(first, **changed))
        for changed in ({}, {"part": 1}, {"upstream_id": "u1"}, {"upstream_id": "u2"})
    ]
    assert len(set(keys)) == 4


OUR_KEY = [401, 402, 403]
REFUSED = [400, 404, 405, 413, 415, 422]
NOT_TAKEN = [301, 307, 308, 407]
UNKNOWN = [302, 303, 304, 408, 409, 500, 501, 502, 503, 504, 520, 529]


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, CredentialsRefused) for status in OUR_KEY),
        *((status, RequestRefused) for status in REFUSED),
        *((status, NotSubmitted) for status in [*NOT_TAKEN, 429]),
        *((status, SubmitUnknown) for status in UNKNOWN),
    ],
)
async def test_each_status_of_a_submit(
    wire: Wire, dialect: str, status: int, expected: type[FilmgateError]
) -> None:
    body = {"error": {"message": f"no: {KEY}", "code": "bad"}}
    async with upstream(say(status, body)) as there:
        assert expected is type(await refusal(polled_provider(wire, dialect, there.url)))
        assert len(there.seen) == 1


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize(
    "body",
    [
        {"code": "invalid-argument", "error": f"ratio 5:1 is not taken; key {KEY}"},
        {"error": {"message": f"ratio 5:1 is not taken; key {KEY}", "code": "invalid_argument"}},
        {"error": f"ratio 5:1 is not taken; key {KEY}"},
    ],
)
async def test_a_refusal_keeps_the_upstreams_words(wire: Wire, dialect: str, body: Any) -> None:
    async with upstream(say(400, body)) as there:
        error = await refusal(polled_provider(wire, dialect, there.url))
    assert isinstance(error, RequestRefused)
    expected = Failure(code="invalid_argument", message="ratio 5:1 is not taken; key [key]")
    assert expected == error.failure


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({}, 2.0),
        ({"Retry_After": "soon"}, 2.0),
    ],
)
async def test_a_busy_upstream_says_for_how_long(
    wire: Wire, header: dict[str, str], expected: float
) -> None:
    async with upstream(say(429, {}, **header)) as there:
        error = await refusal(polled_provider(wire, "xai", there.url))
    assert isinstance(error, NotSubmitted)
    assert expected == error.retry_after


async def test_a_busy_upstream_may_give_a_date(wire: Wire) -> None:
    date = formatdate(time.time() + 30, usegmt=True)
    async with upstream(say(429, {}, Retry_After=date)) as there:
        error = await refusal(polled_provider(wire, "xai", there.url))
    assert isinstance(error, NotSubmitted)
    assert 27 < error.retry_after <= 30


GARBAGE: list[Step] = [
    say(200, b"<html>welcome</html>"),
    say(200, b'{"id": "1'),
    say(200, {"status": "ok"}),
    say(200),
    say(204),
]
CUT_SHORT: list[Step] = [hang, hang_up, part(b'{"id": "1"}', 4)]


@pytest.mark.parametrize("dialect", POLLED)
@pytest.mark.parametrize("step", [*GARBAGE, *CUT_SHORT, say(502)])
@pytest.mark.parametrize(("safe", "expected"), [(False, SubmitUnknown), (True, SendAgainHere)])
async def test_an_answer_that_tells_nothing(
    wire: Wire, dialect: str, step: Step, safe: bool, expected: type[FilmgateError]
) -> None:
    async with upstream(step) as there:
        made = polled_provider(wire, dialect, there.url, resubmit_safe=safe, submit_deadline=0.2)
        assert expected is type(await refusal(made))
        assert len(there.seen) == 1


async def test_never_reached(wire: Wire) -> None:
    async def nothing(_reader: Any, _writer: Any) -> None: ...

    async with listener(nothing) as url:
        secure = url.replace("http", "https")
        assert type(await refusal(polled_provider(wire, "xai", secure))) is NotSubmitted
    assert type(await refusal(polled_provider(wire, "xai", url))) is NotSubmitted


# -- several credentials --------------------------------------------------------------------------


@pytest.mark.parametrize("status", OUR_KEY)
async def test_the_next_credential_is_tried(wire: Wire, status: int) -> None:
    steps = (say(status), say(200, {"id": "1"}), say(200, {"status": "pending"}))
    async with upstream(*steps) as there:
        made = polled_provider(wire, "xai", there.url, credentials=(KEY, OTHER_KEY))
        await made.submit(TASK, REQUEST)
        await made.poll(TASK)
        # What took the job is what it is polled with.
        assert there.keys() == [FIRST, SECOND, SECOND]


async def test_all_credentials_refused(wire: Wire) -> None:
    async with upstream(say(401)) as there:
        made = polled_provider(wire, "xai", there.url, credentials=(KEY, OTHER_KEY))
        assert isinstance(await refusal(made), CredentialsRefused)
        assert there.keys() == [FIRST, SECOND]


@pytest.mark.parametrize("step", [say(400), say(429), say(500), hang_up])
async def test_only_a_refused_key_brings_the_next(wire: Wire, step: Step) -> None:
    async with upstream(step) as there:
        await refusal(polled_provider(wire, "xai", there.url, credentials=(KEY, OTHER_KEY)))
        assert there.keys() == [FIRST]


async def test_after_a_restart_the_owner_of_the_job_is_found(wire: Wire) -> None:
    steps = (say(404), say(200, {"status": "pending"}), say(200, {"status": "pending"}))
    async with upstream(*steps) as there:
        made = polled_provider(wire, "xai", there.url, credentials=(KEY, OTHER_KEY))
        await made.poll(TASK)
        await made.poll(TASK)
        assert there.keys() == [FIRST, SECOND, SECOND]


async def test_a_job_is_gone_only_when_every_key_says_so(wire: Wire) -> None:
    both = {"credentials": (KEY, OTHER_KEY)}
    async with upstream(say(404)) as there:
        assert (await polled_provider(wire, "xai", there.url, **both).poll(TASK)).status == "failed"
    async with upstream(say(404), say(401)) as there:
        with pytest.raises(CredentialsRefused):
            await polled_provider(wire, "xai", there.url, **both).poll(TASK)


def test_tasks_spread_over_credentials_and_stay_where_they_are() -> None:
    keys = tuple(f"sk-{letter * 12}" for letter in "abc")
    ids = [f"{number:032x}" for number in range(600)]

    def first(keys: tuple[str, ...], task_id: str) -> str:
        return in_turn(channel("xai", "", credentials=keys), task(id=task_id))[0]

    counts = Counter(first(keys, task_id) for task_id in ids)
    assert min(counts.values()) > 150
    fewer = keys[:2]
    assert all(
        first(fewer, task_id) == first(keys, task_id)
        for task_id in ids
        if first(keys, task_id) in fewer
    )


# -- find -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("safe", "expected"), [(False, SubmitUnknown), (True, SendAgainHere)])
async def test_a_cut_submission(wire: Wire, safe: bool, expected: type[FilmgateError]) -> None:
    with pytest.raises(FilmgateError) as found:
        await polled_provider(wire, "xai", "http://127.0.0.1:9", resubmit_safe=safe).find(TASK)
    assert expected is type(found.value)


async def test_no_log_has_a_secret(
    wire: Wire, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for status in (400, 401, 429, 500):
        async with upstream(say(status, {"error": f"{KEY} planted-header-value"})) as there:
            await refusal(polled_provider(wire, "xai", there.url))
    told = caplog.text + "".join(capsys.readouterr())
    assert not [secret for secret in SECRETS if secret in told]
