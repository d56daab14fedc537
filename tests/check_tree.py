"""Rules of the house that a machine can check: file lengths, first lines, unwanted names.

Run as `python -m tests.check_tree`; prints what is wrong and exits with 1.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 400
VAGUE = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
# Paths of one machine, which nobody else has.
PRIVATE = ("/work" + "/main", "/work" + "/shared", "/root" + "/")
_TEXT = {".py", ".md", ".toml", ".css", ".js", ".html", ".json", ".txt", ".yml", ".yaml", ""}


def complaints(path: Path) -> Iterator[str]:
    """What is wrong with one file of the tree."""
    if path.stem in VAGUE:
        yield "is named after nothing: name it after its noun"
    if path.suffix not in _TEXT:
        return
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n") + 1
    if path.suffix in {".py", ".js", ".css"}:
        if lines > MOST_LINES:
            yield f"has {lines} lines, more than {MOST_LINES}: split it by noun"
        if path.suffix == ".py" and text.strip() and not ast.get_docstring(ast.parse(text)):
            yield "does not say in its first line what it is for"
    yield from (f"names a path of one machine: {word}" for word in PRIVATE if word in text)


def main() -> None:
    """Check every file that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = [
        f"{name} {complaint}"
        for name in sorted(set(listed))
        if (ROOT / name).is_file()
        for complaint in complaints(ROOT / name)
    ]
    if found:
        sys.exit("\n".join(found))
    print(f"{len(listed)} files follow the rules of the house")


if __name__ == "__main__":
    main()
