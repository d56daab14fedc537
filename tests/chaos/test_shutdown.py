"""SIGTERM in the middle of everything: a quick, quiet exit, and every task goes on afterwards."""

import time
from pathlib import Path

from tests.chaos.books import check_books
from tests.gateway import Gateway


def test_a_stop_keeps_every_task(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path).start()
    try:
        accepted = [gateway.create(seconds=2) for _ in range(6)]
        time.sleep(0.7)  # some queued, some being rendered
        gateway.stop()
        assert gateway.process is not None
        assert gateway.process.returncode == 0
        assert "Traceback" not in gateway.log()
        gateway.start()
        assert [gateway.finish(task_id)["status"] for task_id in accepted] == ["SUCCESS"] * 6
        gateway.stop()
        rows = check_books(gateway, f"sqlite:///{tmp_path / 'filmgate.db'}")
        assert len(rows) == 6
        assert not list((tmp_path / "sandbox").iterdir())
    finally:
        gateway.kill()
