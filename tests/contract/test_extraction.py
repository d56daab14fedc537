"""The data files equal the documents, and hold all that the documents show."""

from __future__ import annotations

import pytest

from tests.contract import documents
from tests.contract.documents import DOCUMENTS, Address, document
from tests.contract.extract import extracted
from tests.contract.scraped import commands

ADDRESS = Address("http://gateway", "sk-test", "http://media")
COUNTS = {  # (commands, bodies on their own, answers, frames)
    "000": (1, 0, 0, 15),
    "001": (0, 2, 0, 0),
    "002": (2, 0, 4, 0),
    "003": (7, 1, 4, 0),
    "004": (5, 1, 2, 0),
}


@pytest.mark.parametrize("number", DOCUMENTS)
def test_data_equals_the_document(number: str) -> None:
    folder = documents.required_seeds()
    assert extracted(number, folder) == (documents.DATA / f"{number}.json").read_bytes()


@pytest.mark.parametrize("number", DOCUMENTS)
def test_every_example_is_there(number: str) -> None:
    data = document(number)
    counts = (len(data.curls), len(data.requests), len(data.answers), len(data.frames))
    assert COUNTS[number] == counts


@pytest.mark.parametrize("number", DOCUMENTS)
def test_no_command_is_missed(number: str) -> None:
    page = documents.text(number, documents.required_seeds())
    assert page.count("\ncurl ") == len(commands(page)) == len(document(number).curls)


def test_no_credential_is_kept() -> None:
    kept = b"".join(path.read_bytes() for path in documents.DATA.glob("*.json"))
    assert b"Bearer" not in kept


@pytest.mark.parametrize(
    ("number", "name"), [(number, name) for number in DOCUMENTS for name in documents.curls(number)]
)
def test_commands_have_no_placeholder_left(number: str, name: str) -> None:
    command = documents.curl_command(number, name, ADDRESS, "task_0123456789abcdef")
    left = [
        mark for mark in ("https://", "YOUR_API_KEY", "<token>", "{request_id}") if mark in command
    ]
    assert left == []
    assert ("Bearer sk-test" in command) == documents.curls(number)[name].authorized


@pytest.mark.parametrize("number", ["003", "004"])
def test_programs_differ_from_the_document_in_address_and_key_only(number: str) -> None:
    original = documents.text(number, documents.required_seeds()).splitlines()
    program = documents.program(number, ADDRESS).splitlines()
    changed = [line for line in program if line not in original]
    expected = {
        "003": ["const BASE_URL = 'http://gateway'"],
        "004": ['const baseURL = "http://gateway/v1";', 'const apiKey = "sk-test";'],
    }
    assert expected[number] == changed


def test_absent_documents_fail_in_ci_and_skip_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILMGATE_SEEDS", "no/such/folder")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception):
        documents.required_seeds()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        documents.required_seeds()
