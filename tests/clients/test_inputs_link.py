"""Customers' files as an upstream fetches them: by a signed link that needs no key."""

import hashlib

import pytest

from filmgate.media.objects import Objects
from filmgate.services.links import Links
from tests.gateway import Gateway

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
HTML = b"<script>alert(1)</script>"


async def link_to(gateway: Gateway, data: bytes) -> str:
    """A link as the running gateway makes it for an upstream."""
    key = f"inputs/{hashlib.sha256(data).hexdigest()}"
    objects = Objects.open(str(gateway.home / "objects"))
    await objects.put_bytes(key, data, content_type="application/octet-stream")
    secret = bytes.fromhex((gateway.home / "secret.key").read_text())
    return Links(secret, gateway.base_url).make_input(key)


async def test_the_link_opens_without_a_key(gateway: Gateway) -> None:
    link = await link_to(gateway, PNG)
    status, data, headers = gateway.raw("GET", link, key="")
    assert (200, PNG) == (status, data)
    assert "image/png" == headers["content-type"]
    assert "nosniff" == headers["x-content-type-options"]
    assert headers["cache-control"].startswith("private")
    status, data, headers = gateway.raw("HEAD", link, key="")
    assert (200, b"", str(len(PNG))) == (status, data, headers["content-length"])


async def test_parts_of_it(gateway: Gateway) -> None:
    link = await link_to(gateway, PNG)
    etag = gateway.raw("GET", link, key="")[2]["etag"]
    status, data, headers = gateway.raw("GET", link, key="", headers={"Range": "bytes=8-17"})
    assert (206, PNG[8:18]) == (status, data)
    assert f"bytes 8-17/{len(PNG)}" == headers["content-range"]
    assert 304 == gateway.raw("GET", link, key="", headers={"If-None-Match": etag})[0]


async def test_no_file_is_more_than_its_bytes_show(gateway: Gateway) -> None:
    headers = gateway.raw("GET", await link_to(gateway, HTML), key="")[2]
    assert "application/octet-stream" == headers["content-type"]


async def test_results_and_parts_go_the_same_way(gateway: Gateway) -> None:
    key = f"videos/{gateway.create(seconds=1).removeprefix('task_')}.mp4"
    gateway.finish(key[7:-4])
    secret = bytes.fromhex((gateway.home / "secret.key").read_text())
    link = Links(secret, gateway.base_url).make_input(key)
    status, data, headers = gateway.raw("GET", link, key="")
    assert (200, b"ftyp", "video/mp4") == (status, data[4:8], headers["content-type"])


@pytest.mark.parametrize("change", ["signature=", "expires=9", "/v1/inputs/0"])
async def test_a_changed_link_is_refused(gateway: Gateway, change: str) -> None:
    link = await link_to(gateway, PNG)
    name = change.rpartition("=")[0] + "=" if "=" in change else "/v1/inputs/"
    broken = link.replace(name, change if change != "signature=" else "signature=x", 1)
    assert broken != link
    assert 401 == gateway.raw("GET", broken, key="")[0]
    assert 401 == gateway.raw("GET", link.partition("?")[0])[0]


async def test_a_file_that_is_gone(gateway: Gateway) -> None:
    secret = bytes.fromhex((gateway.home / "secret.key").read_text())
    link = Links(secret, gateway.base_url).make_input(f"inputs/{'0' * 64}")
    assert 404 == gateway.raw("GET", link, key="")[0]
