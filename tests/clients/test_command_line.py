"""The command line: starting, refusing to start, keys, and the small client."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway import Gateway, free_port


def filmgate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with nothing but these settings."""
    return subprocess.run(
        [sys.executable, "-m", "filmgate", *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [[], ["serve"], ["key"], ["key", "create"], ["video"]])
def test_help_explains_itself(command: list[str]) -> None:
    shown = filmgate(*command, "--help")
    assert shown.returncode == 0
    assert "Usage:" in shown.stdout


def test_settings_are_listed() -> None:
    shown = filmgate("settings", COLUMNS="200")
    assert shown.returncode == 0
    for name in ("HOME", "DATABASE_URL", "PUBLIC_URL", "OBJECTS_URL"):
        assert f"FILMGATE_{name}" in shown.stdout


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("PORT", "eighty", "FILMGATE_PORT"),
        ("PORT", "70000", "FILMGATE_PORT"),
        ("DATABASE_URL", "mysql://x/y", "FILMGATE_DATABASE_URL"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/none", "FILMGATE_DATABASE_URL"),
        ("OBJECTS_URL", "ftp://somewhere", "ftp"),
        ("PUBLIC_URL", "example.com", "FILMGATE_PUBLIC_URL"),
        ("SECRET_KEY", "short", "FILMGATE_SECRET_KEY"),
        ("HOME", "/proc/nowhere", "not writable"),
    ],
)
def test_a_bad_setting_is_one_clear_line(
    tmp_path: Path, setting: str, value: str, says: str
) -> None:
    settings = {"FILMGATE_HOME": str(tmp_path), "FILMGATE_PORT": str(free_port())}
    done = filmgate("serve", **{**settings, f"FILMGATE_{setting}": value})
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert says in done.stderr


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = filmgate("serve", "--home", str(tmp_path), "--port", port)
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_home_in_use_is_one_clear_line(gateway: Gateway) -> None:
    done = filmgate("serve", "--home", str(gateway.home), "--port", str(free_port()))
    assert done.returncode == 1
    assert "already uses the home folder" in done.stderr


def paste_the_examples(welcome: str) -> None:
    """Every request that the welcome shows is run as a newcomer would run it."""
    key = re.findall(r"FILMGATE_KEY=(sk-\S+)", welcome)[0]
    # A create, then its poll: the poll's placeholder is the id that the create answered.
    commands = re.findall(r"^curl (?:.*\\\n)*.*(?:\n .*)*", welcome, re.MULTILINE)
    assert len(commands) == 7
    answer = ""
    for command in commands:
        made = re.findall(r'"(?:request_id|task_id|id)":"([^"]+)"', answer)
        filled = re.sub(r"REQUEST_ID|TASK_ID|VIDEO_ID", made[0] if made else "", command)
        answer = subprocess.run(
            ["bash", "-c", filled.replace("curl ", "curl -sS ", 1)],
            env={"PATH": "/usr/bin:/bin", "FILMGATE_KEY": key},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        assert answer
        assert '"error"' not in answer.replace('"error":null', "")
    assert answer.rstrip().endswith("data: [DONE]")


def test_the_first_start_prints_a_key_and_a_second_start_keeps_everything(tmp_path: Path) -> None:
    port = free_port()
    printed = []
    for _ in range(2):
        server = subprocess.Popen(
            [sys.executable, "-m", "filmgate", "serve", "--home", str(tmp_path)],
            env={"PATH": "/usr/bin:/bin", "FILMGATE_PORT": str(port), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "Stop with Ctrl-C" in line:
                break
        printed.append("".join(lines))
        if len(printed) == 1:
            paste_the_examples(printed[0])
        server.terminate()
        assert server.wait(30) == 0
        server.stdout.close()
    assert f"http://127.0.0.1:{port}" in printed[0]
    for path in ("videos/generations", "video/generations", "videos", "chat/completions"):
        assert f"/v1/{path} " in printed[0]
    assert re.search(r"FILMGATE_KEY=sk-[\w-]{40,}", printed[0])
    assert "FILMGATE_KEY=sk-" not in printed[1]
    # The secret is nowhere at rest.
    secret = re.findall(r"sk-[\w-]{40,}", printed[0])[0].encode()
    assert not any(secret in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_a_key_as_json(gateway: Gateway) -> None:
    done = gateway.command("key", "create", "--customer", "c", "--balance", "1.50", "--json")
    assert json.loads(done.stdout)["key"].startswith("sk-")
    for wrong in ("-1", "1.0000001", "much", "nan", "inf"):
        refused = gateway.command("key", "create", "--customer", "c", "--balance", wrong)
        assert refused.returncode == 2
        assert "amount" in refused.stderr
    refused = gateway.command("key", "create", "--customer", "c", "--model", "none")
    assert refused.returncode == 1
    assert 'unsupported model "none"' in refused.stderr


def test_the_client_makes_extends_and_reports(gateway: Gateway, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    reach = ["--base-url", gateway.base_url, "--key", gateway.key]
    done = gateway.command("video", "a silk ribbon", "--seconds", "2", "-o", str(first), *reach)
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stderr
    options = ["--seconds", "2", "--extend", str(first), "-o", str(second)]
    done = gateway.command("video", "on and on", *options, *reach)
    assert done.returncode == 0, done.stderr
    assert second.stat().st_size > first.stat().st_size
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--seconds", "99"], "duration"),
        (["--image", "nowhere.png"], "neither a file nor a URL"),
        (["--key", "sk-wrong"], "Invalid API key"),
        (["--base-url", "http://127.0.0.1:1"], "Cannot reach"),
    ],
)
def test_the_client_says_what_is_wrong(gateway: Gateway, options: list[str], says: str) -> None:
    reach = ["--base-url", gateway.base_url, "--key", gateway.key]
    done = gateway.command("video", "p", *reach, *options)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
