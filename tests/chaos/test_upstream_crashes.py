"""kill -9 around a paid submission to an upstream: never bought twice, never charged for air."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.books import check_books
from tests.chaos.upstream import KEY, Upstream, faulty_upstream
from tests.gateway import Gateway


def gateway_to(upstream: Upstream, home: Path, *options: str) -> Gateway:
    gateway = Gateway(home, FILMGATE_ALLOW_PRIVATE_UPSTREAMS="1")
    added = gateway.command(
        *("channel", "add", "relay", "--dialect", "newapi", "--base-url", upstream.base_url),
        *("--api-key", KEY, "--model", "grok-imagine-video=grok-image-video"),
        *("--submit-deadline", "2", "--poll-seconds", "0.3", *options),
    )
    assert added.returncode == 0, added.stderr
    return gateway


@pytest.mark.parametrize(
    ("point", "accepted"),
    [("marked, not yet sent upstream", 0), ("upstream took it, id not yet saved", 1)],
)
def test_an_unknown_submission_is_refunded_flagged_and_never_sent_again(
    tmp_path: Path, clip: Path, point: str, accepted: int
) -> None:
    with faulty_upstream(clip) as upstream:
        gateway = gateway_to(upstream, tmp_path).start(FILMGATE_TEST_CRASH=point)
        try:
            task_id = gateway.create(prompt="once")
            gateway.wait_killed()
            gateway.start()
            data = gateway.finish(task_id)
            assert data["status"] == "FAILURE"
            assert "you were not charged" in data["fail_reason"]
            (row,) = check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
            assert "ask relay" in row["flagged"]
            assert (upstream.accepted["once"], row["charged"]) == (accepted, 0)
        finally:
            gateway.kill()


def test_a_channel_that_honours_idempotency_keys_is_asked_again_with_the_same_key(
    tmp_path: Path, clip: Path
) -> None:
    with faulty_upstream(clip) as upstream:
        gateway = gateway_to(upstream, tmp_path, "--resubmit-safe")
        gateway.start(FILMGATE_TEST_CRASH="upstream took it, id not yet saved")
        try:
            task_id = gateway.create(prompt="again")
            gateway.wait_killed()
            gateway.start()
            assert gateway.finish(task_id)["status"] == "SUCCESS"
            assert upstream.asked["again"] == 2
            assert len(upstream.keys["again"]) == 1
            check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
        finally:
            gateway.kill()


def test_links_of_the_upstream_may_be_passed_on(tmp_path: Path, clip: Path) -> None:
    with faulty_upstream(clip) as upstream, faulty_upstream(clip) as elsewhere:
        upstream.media_url = elsewhere.base_url
        options = ("--delivery", "link", "--refund-moderated")
        gateway = gateway_to(upstream, tmp_path, *options).start()
        try:
            data = gateway.finish(gateway.create(prompt="all is well"))
            assert data["result_url"].startswith(elsewhere.base_url)
            # A result that was withheld is given back where the channel says so.
            withheld = gateway.finish(gateway.create(prompt="poll=moderated200"))
            assert withheld["status"] == "FAILURE"
            rows = check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
            charged = {json.loads(row["request"])["prompt"]: row["charged"] for row in rows}
            assert charged == {"all is well": 50_000, "poll=moderated200": 0}
            assert not list((tmp_path / "objects" / "videos").glob("*"))
        finally:
            gateway.stop()


def test_what_may_have_been_bought_is_not_sent_to_another_channel(
    tmp_path: Path, clip: Path
) -> None:
    with faulty_upstream(clip) as upstream, faulty_upstream(clip) as other:
        gateway = gateway_to(upstream, tmp_path, "--resubmit-safe")
        gateway.command(
            *("channel", "add", "other", "--dialect", "newapi", "--base-url", other.base_url),
            *("--api-key", KEY, "--model", "grok-imagine-video=grok-image-video"),
            *("--priority", "1", "--poll-seconds", "0.3"),
        )
        gateway.start()
        try:
            # It takes the job, fails, and is asked again with the same key until it answers.
            task_id = gateway.create(prompt="submit=500once")
            assert gateway.finish(task_id)["status"] == "SUCCESS"
            assert (upstream.asked["submit=500once"], other.asked["submit=500once"]) == (2, 0)
            # Where it is certain that nothing was bought, the other one gets the job.
            task_id = gateway.create(prompt="submit=422")
            assert gateway.finish(task_id)["status"] == "FAILURE"
            assert (upstream.asked["submit=422"], other.asked["submit=422"]) == (1, 1)
        finally:
            gateway.stop()
