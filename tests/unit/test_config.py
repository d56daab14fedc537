"""Settings: sane defaults, clear refusals, secrets made once and kept private."""

from pathlib import Path

import pytest

from filmgate.config import BadSetting, describe_settings, load_settings


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FILMGATE_HOME", str(tmp_path))


def test_everything_has_a_default_in_the_home(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.database() == f"sqlite:///{tmp_path}/filmgate.db"
    assert settings.objects() == (tmp_path / "objects").as_uri()
    assert settings.public() == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://127.0.0.1:8080"),
        ("::1", "http://[::1]:8080"),
        ("10.0.0.5", "http://10.0.0.5:8080"),
    ],
)
def test_links_start_with_an_address_that_opens(
    monkeypatch: pytest.MonkeyPatch, host: str, public: str
) -> None:
    monkeypatch.setenv("FILMGATE_HOST", host)
    assert load_settings().public() == public
    monkeypatch.setenv("FILMGATE_PUBLIC_URL", "https://media.example.com/")
    assert load_settings().public() == "https://media.example.com"


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = load_settings().secret()
    assert len(first) == 32
    assert load_settings().secret() == first
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert load_settings().node() == load_settings().node()


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILMGATE_PORT", "eighty")
    with pytest.raises(BadSetting, match="FILMGATE_PORT"):
        load_settings()


def test_every_setting_is_described() -> None:
    assert all(meaning for _, _, meaning in describe_settings())
