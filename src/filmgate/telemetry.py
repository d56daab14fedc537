"""Logs: one structured line per event, with everything secret struck out."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# Keys of ours and of upstreams, signatures of links, inline files: none belongs in a log.
_SECRETS = re.compile(
    r"(sk-|xai-|Bearer\s+)[\w\-.~+/=]{8,}|(signature=)[\w\-=%]+|(data:[\w/+.-]+;base64,)[\w+/=]+",
    re.IGNORECASE,
)
# Libraries that say too much; DBOS warns twenty times a second while the database is away, which
# our own loops say once a beat.
_NOISY = {
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
    "dbos": logging.ERROR,
    "granian": logging.WARNING,
}


def redact(text: str) -> str:
    """``text`` with keys, signatures and inline files struck out."""
    return _SECRETS.sub(lambda m: f"{m[1] or m[2] or m[3]}[redacted]", text)


def _redact_event(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def set_up_logs(level: str, form: str) -> None:
    """Send our events and every library's log lines through one redacting, structured pipe."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # Libraries format their arguments late, so redact what is really printed.
                _redact_event,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy, least in _NOISY.items():
        logging.getLogger(noisy).setLevel(max(root.level, least))
        logging.getLogger(noisy).propagate = True
