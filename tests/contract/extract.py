"""Makes ``data/*.json`` from the documents: ``python -m tests.contract.extract --write``.

With ``--check`` it says which files no longer equal their document, and exits with 1. Payloads and
values are taken, prose and programs are not. Names of examples are given here, in the documents'
order; a document that gains or loses one stops the extraction.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.contract.documents import DATA, Document, Sample, seeds, text
from tests.contract.scraped import Request, commands, json_blocks, read_curl, rows, search

_TYPES = {"string", "integer", "boolean", "array<string>", "object/string"}
_MODEL = r"grok-[a-z0-9.-]*[a-z0-9]"


def extract_000(page: str) -> Document:
    """The chat API: one request and the stream that answers it."""
    payloads = re.findall(r"^data: (.+)$", page, re.M)
    method, path = search(r"^(POST)\n(/v1/\S+)$", page).groups()
    return Document(
        curls=_curls(page, "chat"),
        frames=tuple(json.loads(line) if line.startswith("{") else line for line in payloads),
        rules={
            "endpoints": [f"{method} {path}"],
            "status": int(search(r"(\d{3})成功", page)[1]),
            "content_type": search(r"^(text/event-stream)$", page)[1],
            "model_seconds": _integers(r"^(\d+)秒(\d+) (\d+)秒", page),
            "image_megabytes": int(search(r"每张图片大小不允许超过(\d+)MB", page)[1]),
            "unusual_image": search(r"会报错\"([^\"]+)\"", page)[1],
        },
    )


def extract_001(page: str) -> Document:
    """xAI's create call: a schema, and a sample body that is JSON but for its comments."""
    _, body, responses, (sample,) = (
        json.loads(line) for line in page.splitlines() if line[:1] in ("{", "[")
    )
    schema = body["jsonSchema"]
    fields = schema["properties"]
    raw = sample["data"]
    without_comments = re.sub(r",\s*(//.*\s*)+", "", raw)
    path = search(r"^POST (/v1/\S+)$", page)[1]
    return Document(
        requests=(
            _request("text", path, json.loads(without_comments)),
            _request("image", path, json.loads(raw.replace("\n // ", "\n "))),
        ),
        raw=raw,
        rules={
            "endpoints": [f"POST {path}"],
            "status": responses[0]["code"],
            "types": {name: field["type"] for name, field in fields.items()},
            "required": schema["required"],
            "models": fields["model"]["description"].split("、"),
            "resolutions": re.findall(r'"([^"]+)"', fields["resolution"]["description"]),
            "aspect_ratios": re.findall(r'"([^"]+)"', fields["aspect_ratio"]["description"]),
            "seconds": json.loads(fields["duration"]["description"]),
        },
    )


def extract_002(page: str) -> Document:
    """xAI's extension call and its poll, with the codes of failed tasks."""
    table = rows(page)
    names = ("created", "done", "pending", "failed")
    return Document(
        curls=_curls(page, "extend", "poll"),
        answers=_samples(names, json_blocks(page)),
        rules={
            "endpoints": [
                f"{method} {path}"
                for method, path in re.findall(
                    r"(GET|POST) https://[^/]+((?:/\w+|/\{\w+\})+)", page
                )
            ],
            "request_fields": [
                _field(cells, default=cells[3] if len(cells) == 5 else "")
                for cells in table
                if cells[1] in _TYPES and cells[2] in "是否"
            ],
            "answer_fields": {
                cells[0]: cells[1]
                for cells in table
                if cells[1] in _TYPES and cells[2] not in "是否"
            },
            "seconds": _integers(r"范围:(\d+)-(\d+)", page),
            "input_seconds": _integers(r"输入视频长度:(\d+)-(\d+)", page),
            "input_codecs": search(r"MP4\((\S+) 编码\)", page)[1].split("/"),
            "statuses": search(r"任务状态:([a-z, ]+\w)", page)[1].split(", "),
            "link_hours": int(search(r"有效期 (\d+) 小时", page)[1]),
            "error_codes": [
                cells[0] for cells in table if re.fullmatch("[a-z]+_[a-z]+", cells[0], re.A)
            ],
        },
    )


def extract_003(page: str) -> Document:
    """A newapi relay: the fullest description of that dialect."""
    table = rows(page)
    blocks = json_blocks(page)
    request, *answers = (block for block in blocks if isinstance(block, dict))
    lists = [block for block in blocks if isinstance(block, list)]
    seconds, several_seconds, *ratios, resolutions = lists
    limits = [cells for cells in table if re.fullmatch(_MODEL, cells[0])]
    errors = table[[cells[0] for cells in table].index("401") :]
    return Document(
        curls=_curls(
            page,
            "models",
            "text",
            "one-image",
            "several-images",
            "image-model",
            "poll",
            "download",
        ),
        requests=(_request("input-reference", "/v1/video/generations", request),),
        answers=_samples(("created", "in-progress", "success", "failure"), answers),
        rules={
            "endpoints": [cells[1] for cells in table if re.match("(GET|POST) /", cells[1])],
            "fields": [
                _field(cells, default=_suggested(cells[3])) for cells in table if cells[1] in _TYPES
            ],
            "longest_seconds": {
                model: {
                    kind: int(search(r"(\d+)", cell)[1])
                    for kind, cell in zip(("text", "image", "images"), cells, strict=True)
                    if cell != "不支持"
                }
                for model, _, *cells, _ in limits
            },
            "seconds": seconds,
            "several_images_seconds": several_seconds,
            "aspect_ratios": dict(
                zip(re.findall(rf"^({_MODEL})\n\[", page, re.M), ratios, strict=True)
            ),
            "resolutions": resolutions,
            "max_references": int(search(r"最多支持 (\d+) 张参考图", page)[1]),
            "running_statuses": search(r"data.status 为 ([A-Z_、]+)", page)[1].split("、"),
            "final_statuses": re.findall(r'^data\.status == "([A-Z]+)"', page, re.M),
            "poll_seconds": int(search(r"每 (\d+) 秒一次", page)[1]),
            "polls": int(search(r"(\d+) 次", page)[1]),
            "link_hours": int(search(r"有效期约 (\d+) 小时", page)[1]),
            "errors": [_error(cells[0]) for cells in errors],
        },
    )


def extract_004(page: str) -> Document:
    """Another newapi relay. Its tables lost the marks between their cells."""
    created, request, success = json_blocks(page)
    parameters = search(r"^参数类型必填示例说明\n((?:.+\n)+)", page.replace("\n\n", "\n"))[1]
    return Document(
        curls=_curls(page, "text", "one-image", "poll", "download", "range"),
        requests=(_request("several-images", "/v1/video/generations", request),),
        answers=_samples(("created", "success"), [created, success]),
        rules={
            "endpoints": re.findall(r"^(?:GET|POST) /\S+$", page, re.M),
            "models": re.findall(rf"^({_MODEL})(?=[一-龥])", page, re.M),
            "types": dict(re.findall(r"^([a-z]+?)(integer/string|string|array)", parameters, re.M)),
            "image_model_aspect_ratios": re.findall(
                r"\d+:\d+", search(r"^grok-video-1\.5 (通常.+)$", page)[1]
            ),
            "statuses": re.findall(r"^([A-Z_]+)(?=[一-龥])", page, re.M),
            "poll_seconds": _integers(r"每 (\d+) 到 (\d+) 秒", page),
            "error_statuses": [int(code) for code in re.findall(r"^(4\d\d|5\d\d)", page, re.M)],
        },
    )


EXTRACTORS: dict[str, Callable[[str], Document]] = {
    "000": extract_000,
    "001": extract_001,
    "002": extract_002,
    "003": extract_003,
    "004": extract_004,
}


def extracted(number: str, folder: Path) -> bytes:
    """The data file of document ``number``, made anew from the document in ``folder``."""
    made = msgspec.json.encode(EXTRACTORS[number](text(number, folder)))
    return msgspec.json.format(made, indent=2) + b"\n"


def main(arguments: list[str]) -> int:
    """Write or check the data files; 0 when they equal the documents."""
    folder = seeds()
    if arguments not in (["--write"], ["--check"]) or folder is None:
        print("usage: python -m tests.contract.extract --write|--check, beside ../shared/seeds")
        return 2
    made = {DATA / f"{number}.json": extracted(number, folder) for number in EXTRACTORS}
    if arguments == ["--write"]:
        for path, content in made.items():
            path.write_bytes(content)
        return 0
    stale = [path.name for path, content in made.items() if path.read_bytes() != content]
    print("stale:", ", ".join(stale) or "none")
    return 1 if stale else 0


def _request(name: str, path: str, body: dict[str, Any]) -> Request:
    """A body shown on its own, as the request it is meant for."""
    headers = {"Content-Type": "application/json"}
    return Request(name=name, method="POST", path=path, authorized=True, headers=headers, body=body)


def _curls(page: str, *names: str) -> tuple[Request, ...]:
    return tuple(read_curl(*pair) for pair in zip(names, commands(page), strict=True))


def _samples(names: tuple[str, ...], blocks: list[Any]) -> tuple[Sample, ...]:
    return tuple(Sample(*pair) for pair in zip(names, blocks, strict=True))


def _integers(pattern: str, page: str) -> list[int]:
    return [int(group) for group in search(pattern, page).groups()]


def _field(cells: list[str], default: str) -> dict[str, Any]:
    """A row of a table of request fields: name, type, required and, where said, the default."""
    field = {"name": cells[0], "type": cells[1], "required": cells[2] == "是"}
    return field | ({"default": default} if default else {})


def _suggested(description: str) -> str:
    match = re.search(r"默认建议 (\S+)", description)
    return match[1] if match else ""


def _error(cell: str) -> dict[str, Any]:
    """An error row's first cell: its HTTP status, where it has one, and its text."""
    match = re.match(r"(\d{3})? ?(.*)", cell)
    status, words = match.groups() if match else (None, cell)
    return {"status": int(status) if status else None, "text": words}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
