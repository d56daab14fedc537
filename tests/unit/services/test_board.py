"""The notice board: progress goes out together, a cancellation wakes whoever waits to poll."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from filmgate.services.board import Board


class Rows:
    """The two questions that a board asks of the task rows."""

    def __init__(self) -> None:
        self.cancelled: set[str] = set()
        self.noted: list[dict[str, int]] = []
        self.away = False

    async def cancel_requests(self) -> set[str]:
        return set(self.cancelled)

    async def note_progress(self, progress: Mapping[str, int]) -> None:
        if self.away:
            raise OSError("away")
        self.noted.append(dict(progress))


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def board(rows: Rows) -> Board:
    tasks: Any = rows
    return Board(tasks)


async def test_progress_of_all_tasks_is_written_at_once(board: Board, rows: Rows) -> None:
    for task, percent in [("a", 10), ("b", 5), ("a", 30), ("a", 20)]:
        board.report(task, percent)
    await board.tick()
    await board.tick()
    assert rows.noted == [{"a": 30, "b": 5}]


async def test_what_could_not_be_written_is_kept(board: Board, rows: Rows) -> None:
    board.report("a", 10)
    rows.away = True
    with pytest.raises(OSError, match="away"):
        await board.tick()
    rows.away = False
    board.report("b", 5)
    await board.tick()
    assert rows.noted == [{"a": 10, "b": 5}]


async def test_a_cancellation_ends_a_long_pause(board: Board, rows: Rows) -> None:
    began = time.monotonic()
    waiting = asyncio.create_task(board.pause("a", 600))
    await asyncio.sleep(0)
    rows.cancelled = {"a", "b"}
    await board.tick()
    await waiting
    await board.pause("a", 600)  # and none is begun any more
    assert board.is_cancelled("a")
    assert time.monotonic() - began < 60


async def test_a_pause_ends_by_itself(board: Board) -> None:
    await board.pause("a", 0.01)
    assert not board.is_cancelled("a")
