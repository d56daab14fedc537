"""Process settings, read from ``FILMGATE_*`` in the environment; business facts live in the
database.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from filmgate.core.ids import new_id
from filmgate.store.database import driver_url

_PREFIX = "FILMGATE_"
_SECRET_BYTES = 32
_TOKEN_CHARACTERS = 24


class BadSetting(Exception):
    """A setting that cannot be used; the message names it and says what would do."""


class Settings(BaseSettings):
    """Everything a process needs to know before it can ask the database."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True)

    home: Path = Field(
        default=Path("~/.filmgate"), description="folder for the database, files and secrets"
    )
    database_url: str = Field(
        default="", description="sqlite:///file or postgresql://…; default: a file in the home"
    )
    objects_url: str = Field(
        default="",
        description="file:///dir, s3://…, gs://… or az://…; default: a folder in the home",
    )
    public_url: str = Field(
        default="", description="base of the links that callers get; default: http://HOST:PORT"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8080, ge=1, le=65535, description="port to listen on")
    secret_key: str = Field(
        default="",
        description="at least 32 characters, the same on every node; default: made in the home",
    )
    admin_token: str = Field(
        default="",
        description="at least 24 characters; opens the admin API under /admin/v1; default: closed",
    )
    allow_private_upstreams: bool = Field(
        default=False,
        description="let operators' channels (never customers' URLs) lead to private addresses",
    )
    render_workers: int = Field(
        default=os.cpu_count() or 1, ge=1, description="sandbox clips rendered at once"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="least severe log line to print"
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="text to read, json to collect"
    )

    @field_validator("home")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str) -> str:
        if value:
            driver_url(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < _SECRET_BYTES:
            raise ValueError(f"must have at least {_SECRET_BYTES} characters")
        return value

    @field_validator("admin_token")
    @classmethod
    def _hard_to_guess(cls, value: str) -> str:
        if value and (len(value) < _TOKEN_CHARACTERS or not value.isascii() or " " in value):
            raise ValueError(f"must have at least {_TOKEN_CHARACTERS} ASCII characters, no spaces")
        return value

    def database(self) -> str:
        """The database's URL, the home's own file by default."""
        return self.database_url or f"sqlite:///{self.home / 'filmgate.db'}"

    def objects(self) -> str:
        """The object store's URL, the home's own folder by default."""
        return self.objects_url or (self.home / "objects").as_uri()

    def public(self) -> str:
        """The base URL of links; a wildcard address is not one that a client can open."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def secret(self) -> bytes:
        """The secret behind key digests and link signatures; made on first use."""
        if self.secret_key:
            return self.secret_key.encode()
        return bytes.fromhex(_keep(self.home / "secret.key", secrets.token_hex(_SECRET_BYTES)))

    def node(self) -> str:
        """This node's lasting name: whoever comes back with this home resumes its tasks."""
        return _keep(self.home / "node", new_id())


def load_settings() -> Settings:
    """Settings from the environment. Raises ``BadSetting`` with one line per process to read."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = _PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise BadSetting(f"{name} is not usable: {reason}") from None


def describe_settings() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting."""
    return [
        (
            _PREFIX + name.upper(),
            "" if name == "render_workers" else str(field.default),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def _keep(path: Path, fresh: str) -> str:
    """The text of a private file, written with ``fresh`` if it is not there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Whole or not at all, and never over one that another process made meanwhile.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
            file.write(fresh)
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)
    kept = path.read_text().strip()
    if not re.fullmatch(r"[0-9a-f]{32,}", kept):
        raise BadSetting(
            f"{path} is damaged: restore it from a backup, or remove it to start anew."
        )
    return kept
