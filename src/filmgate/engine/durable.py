"""One durable workflow per task, on DBOS: enqueued in the create's own transaction, resumed after
a crash until the task has ended.

The task row is the state machine and ``drive`` is plain code over guarded moves, so the workflow
has no steps of its own and nothing here decides anything about a task (decision 0001).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from filmgate.services.beat import every

Drive = Callable[[str], Awaitable[None]]

_NAME = "filmgate"
_QUEUE = "tasks"
_WORKFLOW = "drive"
# A constant: DBOS's default is a hash of the source, which would strand running tasks on a deploy.
_VERSION = "1"
_SWEEP_SECONDS = 600.0
_SWEEP_BATCH = 5000
_KEPT_SECONDS = 3600.0


class Engine:
    """Enqueues durable jobs (``enqueue``) and, where ``start`` was called, runs them.

    ``executor_id`` names this node: a node that comes back under the same name resumes its tasks.
    """

    def __init__(self, url: sa.URL, executor_id: str) -> None:
        self._config: DBOSConfig = {
            "name": _NAME,
            "system_database_url": url.render_as_string(hide_password=False),
            "application_version": _VERSION,
            "executor_id": executor_id,
            "log_level": "WARNING",
            "use_listen_notify": False,
        }
        self._client = DBOSClient(
            system_database_url=self._config["system_database_url"],
            application_name=_NAME,
            lazy=True,
        )

    def enqueue(self, connection: sa.Connection, task_id: str) -> None:
        """Put the task's job into the transaction of ``connection``."""
        options: EnqueueOptions = {
            "queue_name": _QUEUE,
            "workflow_name": _WORKFLOW,
            "workflow_id": task_id,
            "app_version": _VERSION,
        }
        self._client.enqueue_in_transaction(connection, options, task_id)

    async def start(self, drive: Drive) -> None:
        """Run jobs on the running event loop, first those that a crash cut short."""
        DBOS(config=self._config)

        @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
        async def run(task_id: str) -> None:
            await drive(task_id)

        DBOS.launch()
        await DBOS.register_queue_async(_QUEUE, polling_interval_sec=0.1)
        self._sweeper = asyncio.create_task(every(_SWEEP_SECONDS, self.sweep))

    async def sweep(self) -> None:
        """Forget jobs that ended some time ago; each would keep 1.6 kB for ever."""
        before = datetime.now(UTC) - timedelta(seconds=_KEPT_SECONDS)
        ended = await DBOS.list_workflows_async(
            status="SUCCESS",
            completed_before=before.isoformat(),
            limit=_SWEEP_BATCH,
            load_input=False,
            load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([job.workflow_id for job in ended])

    async def stop(self) -> None:
        """Take no more jobs and let go of the running ones; they resume at the next start."""
        self._sweeper.cancel()
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        self._client.destroy()
