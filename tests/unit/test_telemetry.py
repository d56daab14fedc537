"""Logs: what is secret is struck out, whoever logs it."""

import logging

import pytest
import structlog

from filmgate.telemetry import redact, set_up_logs

SECRETS = (
    "sk-aBcDeFgHiJkLmNoPqRsT",
    "xai-0123456789abcdef",
    "Bearer aBcDeFgHiJkLmNoP",
    "https://h/v1/videos/x/content?expires=1&signature=aBcDeFgHiJ",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_struck_out(secret: str) -> None:
    assert secret[-8:] not in redact(f"failed with {secret} at last")
    assert redact(f"failed with {secret} at last").endswith("[redacted] at last")


def test_ordinary_words_stay() -> None:
    text = "task.completed task=01a1f7fbb4167edd charged=200000"
    assert redact(text) == text


@pytest.mark.parametrize("form", ["text", "json"])
def test_whoever_logs(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        set_up_logs("info", form)
        structlog.get_logger().info("event", key=SECRETS[0])
        logging.getLogger("library").warning("told %s", SECRETS[1])
        try:
            raise ValueError(SECRETS[4])
        except ValueError:
            structlog.get_logger().exception("trouble")
            logging.getLogger("library").exception("trouble")
    finally:
        root.handlers, root.level = before
        structlog.reset_defaults()
    printed = capsys.readouterr().err
    assert printed.count("[redacted]") >= 4
    assert not any(secret[-8:] in printed for secret in SECRETS)
