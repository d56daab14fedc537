"""Every curl command of the documents, run by bash against a running gateway.

All videos are asked for at once, before the first test looks at one of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest

from tests.contract import frames, shapes
from tests.contract.documents import (
    DOCUMENTS,
    Address,
    answers,
    creates,
    curl_command,
    curls,
    document,
    rules,
)

pytestmark = pytest.mark.xdist_group("gateway")

PATIENCE = 300  # seconds until a video must be there, with all the others in the queue
CREATES = [(number, name) for number in DOCUMENTS for name in creates(number) if number != "000"]
# Whose poll to use. Document 001 shows none: it is the same API as 002.
POLLS = {"001": "002", "002": "002", "003": "003", "004": "004"}
FINAL = {*rules("002")["statuses"], *rules("003")["final_statuses"]} - {"pending"}
CURLRC = """
silent
show-error
noproxy = "*"
max-time = 300
write-out = "%{stderr}%{http_code}"
"""


class Answer(NamedTuple):
    """What a command got: the HTTP status and the body it printed."""

    status: int
    body: str

    @property
    def json(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.body)
        return body


class Run(NamedTuple):
    """One video from create to file: all answers in order, and the file that was downloaded."""

    created: Answer
    polls: list[Answer]
    link: str
    clip: Path


def shell(command: str, folder: Path, result_url: str = "") -> Answer:
    """Run a command as it stands in ``folder``; curl's own settings tell us the HTTP status."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".curlrc").write_text(CURLRC)
    environment = os.environ | {"CURL_HOME": str(folder), "result_url": result_url}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, check=False
    )
    errors = done.stderr.decode()
    assert done.returncode == 0, f"curl failed: {errors}"
    return Answer(int(errors[-3:]), done.stdout.decode())


def task_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The part of a poll's answer that speaks of the task."""
    task: dict[str, Any] = answer.get("data", answer)
    return task


def download(address: Address, link: str, folder: Path) -> Path:
    """Fetch a result with document 003's command."""
    assert shell(curl_command("003", "download", address), folder, link).status == 200
    (clip,) = folder.glob("*.mp4")
    return clip


def run(address: Address, folder: Path, number: str, name: str) -> Run:
    """Ask for one video, poll until it has ended, and download it."""
    created = shell(curl_command(number, name, address), folder)
    assert created.status == 200, created.body
    task_id = created.json.get("request_id") or created.json["task_id"]
    poll = curl_command(POLLS[number], "poll", address, task_id)
    polls, deadline = [shell(poll, folder)], time.monotonic() + PATIENCE
    while task_of(polls[-1].json)["status"] not in FINAL:
        assert time.monotonic() < deadline, f"not finished in time: {polls[-1].body}"
        time.sleep(1)
        polls.append(shell(poll, folder))
    task = task_of(polls[-1].json)
    link = task["video"]["url"] if "video" in task else task.get("result_url", "")
    assert link, polls[-1].body
    return Run(created, polls, link, download(address, link, folder))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("curls")


class Everything(NamedTuple):
    """All videos of the documents: the polled ones by document and name, and the streamed one.

    They are futures, so that a video that fails fails its own tests only.
    """

    runs: dict[tuple[str, str], Future[Run]]
    stream: Future[Answer]


@pytest.fixture(scope="module")
def everything(address: Address, folder: Path) -> Everything:
    with ThreadPoolExecutor(len(CREATES) + 1) as pool:
        return Everything(
            {each: pool.submit(run, address, folder / "-".join(each), *each) for each in CREATES},
            pool.submit(shell, curl_command("000", "chat", address), folder / "000"),
        )


def documented(number: str, name: str) -> dict[str, Any]:
    return answers(POLLS[number])[name]


def media_facts(clip: Path) -> tuple[int, int, float]:
    """Width, height and seconds of an MP4 that was decoded to its first frame."""
    assert clip.read_bytes()[4:8] == b"ftyp"
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        next(container.decode(video))
        assert container.duration is not None
        return video.width, video.height, container.duration / 1_000_000


@pytest.mark.parametrize(("number", "name"), CREATES)
def test_create(number: str, name: str, everything: Everything) -> None:
    created, body = everything.runs[number, name].result().created.json, creates(number)[name].body
    assert shapes.lacking(documented(number, "created"), created) == []
    if "task_id" in created:
        expected = {"object": "video", "status": "queued", "model": (body or {})["model"]}
        assert expected == {key: created[key] for key in expected}
        assert created["id"] == created["task_id"]


@pytest.mark.parametrize(("number", "name"), CREATES)
def test_polls(number: str, name: str, everything: Everything) -> None:
    *running, last = everything.runs[number, name].result().polls
    xai = POLLS[number] == "002"
    # 004 shows a finished answer only; 003 shows a running one of the same API.
    pending = documented(number, "pending") if xai else answers("003")["in-progress"]
    done = documented(number, "done" if xai else "success")
    assert last.status == 200
    assert {202 if xai else 200} >= {answer.status for answer in running}
    assert [line for answer in running for line in shapes.lacking(pending, answer.json)] == []
    assert shapes.lacking(done, last.json) == []
    words = {task_of(answer.json)["status"] for answer in running}
    assert words <= ({"pending"} if xai else set(rules("003")["running_statuses"]))
    steps = [
        int(str(task_of(answer.json)["progress"]).rstrip("%"))
        for answer in (*running, last)
        if "progress" in task_of(answer.json)
    ]
    assert sorted(steps) == steps


@pytest.mark.parametrize(("number", "name"), CREATES)
def test_result(number: str, name: str, everything: Everything) -> None:
    one, body = everything.runs[number, name].result(), creates(number)[name].body or {}
    last = one.polls[-1].json
    if POLLS[number] == "002":
        expected = {"status": "done", "model": body["model"]}
        assert expected == {key: last[key] for key in expected}
        assert last["video"]["respect_moderation"] is True
    else:
        expected = {"task_id": one.created.json["task_id"], "status": "SUCCESS", "progress": "100%"}
        assert expected == {key: last["data"][key] for key in expected}
        assert (last["code"], last["data"]["fail_reason"]) == ("success", "")


@pytest.mark.parametrize(("number", "name"), CREATES)
def test_clip(number: str, name: str, everything: Everything) -> None:
    one = everything.runs[number, name].result()
    width, height, seconds = media_facts(one.clip)
    body = creates(number)[name].body or {}
    asked = int(body.get("seconds") or body["duration"])
    if name == "extend":
        # The result is the input and then what was added (contracts, section 3).
        assert seconds > asked
        assert one.polls[-1].json["video"]["duration"] == pytest.approx(seconds, abs=1)
        return
    assert seconds == pytest.approx(asked, abs=0.2)
    across, down = map(int, body.get("aspect_ratio", "16:9").split(":"))
    assert width / height == pytest.approx(across / down, rel=0.01)
    assert min(width, height) == int(body.get("resolution", "720p").rstrip("p"))


def test_chat_stream(everything: Everything, address: Address, folder: Path) -> None:
    answer = everything.stream.result()
    assert answer.status == rules("000")["status"]
    told = frames.read_frames(answer.body)
    assert frames.frame_shapes(document("000").frames) == frames.frame_shapes(told)
    progress = frames.percentages(told)
    assert progress == sorted(set(progress))
    assert (progress[0], progress[-1]) == (1, 100)
    clip = download(address, frames.link(told), folder / "chat-result")
    width, height, seconds = media_facts(clip)
    assert seconds == pytest.approx(10, abs=0.2)
    assert (height > width, width) == (True, 480)


def test_models(address: Address, folder: Path) -> None:
    answer = shell(curl_command("003", "models", address), folder)
    assert answer.status == 200
    offered = {model["id"] for model in answer.json["data"]}
    promised = {*rules("001")["models"], *rules("003")["longest_seconds"], *rules("004")["models"]}
    assert promised <= offered


def test_download_and_range_with_the_owners_key(
    everything: Everything, address: Address, folder: Path
) -> None:
    one = everything.runs["004", "text"].result()
    here, task_id = folder / "004-files", one.created.json["task_id"]
    assert shell(curl_command("004", "download", address, task_id), here).status == 200
    assert shell(curl_command("004", "range", address, task_id), here).status == 206
    whole, part = (here / "output.mp4").read_bytes(), (here / "part.mp4").read_bytes()
    assert whole == one.clip.read_bytes()
    assert whole[:1024] == part


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (number, name)
        for number in DOCUMENTS
        for name, one in curls(number).items()
        if one.authorized
    ],
)
def test_wrong_key_is_refused(number: str, name: str, address: Address, folder: Path) -> None:
    stranger = Address(address.base_url, "sk-nobody", address.media_url)
    unknown = "task_0123456789abcdef0123456789abcdef"
    answer = shell(curl_command(number, name, stranger, unknown), folder / f"401-{number}-{name}")
    assert answer.status == 401


@pytest.mark.parametrize("number", ["002", "003", "004"])
def test_unknown_task(number: str, address: Address, folder: Path) -> None:
    unknown = "task_0123456789abcdef0123456789abcdef"
    assert shell(curl_command(number, "poll", address, unknown), folder).status == 404


def test_sample_with_comments_is_a_plain_refusal(address: Address, folder: Path) -> None:
    (folder / "body.json").write_text(document("001").raw, newline="")
    headers = f'-H "Content-Type: application/json" -H "Authorization: Bearer {address.key}"'
    path = creates("001")["text"].path
    command = f'curl {headers} --data-binary @body.json "{address.base_url}{path}"'
    answer = shell(command, folder)
    assert (400, {"code", "error"}) == (answer.status, set(answer.json))
