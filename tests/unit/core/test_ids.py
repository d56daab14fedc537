"""Ids: ordered by time, one identity in several spellings."""

import uuid

import pytest

from filmgate.core.ids import as_task, as_uuid, as_video, new_id, read_task_id


def test_ids_are_uuid7_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(50)]
    assert all(uuid.UUID(each).version == 7 for each in ids)
    assert all(uuid.UUID(each).variant == uuid.RFC_4122 for each in ids)
    assert [each[:12] for each in ids] == sorted(each[:12] for each in ids)


@pytest.mark.parametrize("spell", [str, as_task, as_video, as_uuid, str.upper])
def test_every_spelling_reads_back(spell: object) -> None:
    task_id = new_id()
    assert read_task_id(spell(task_id)) == task_id  # type: ignore[operator]  # all are callable


@pytest.mark.parametrize(
    "text", ["", "task_", "task_xyz", "x" * 32, "task_" + "0" * 31, "../" + "0" * 32, "0" * 33]
)
def test_anything_else_is_no_id(text: str) -> None:
    assert read_task_id(text) is None
