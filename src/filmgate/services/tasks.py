"""Creating, finding and cancelling tasks: what a caller does, whatever API it speaks."""

from __future__ import annotations

import time

import msgspec

from filmgate.core import ledger
from filmgate.core.catalog import Catalog, fit
from filmgate.core.errors import InsufficientBalance, NotFound
from filmgate.core.ids import new_id, read_task_id
from filmgate.core.ports import Accounts, Objects, Tasks
from filmgate.core.pricing import quote
from filmgate.core.task import Failure, Status, Task
from filmgate.core.video import VideoRequest
from filmgate.services.access import Caller, check_model
from filmgate.services.inputs import Inputs


class TaskDesk:
    """The front desk for tasks of one catalogue."""

    def __init__(
        self,
        catalog: Catalog,
        tasks: Tasks,
        accounts: Accounts,
        inputs: Inputs,
        objects: Objects,
    ) -> None:
        self._catalog = catalog
        self._tasks = tasks
        self._accounts = accounts
        self._inputs = inputs
        self._objects = objects

    async def create(self, caller: Caller, dialect: str, request: VideoRequest) -> Task:
        """Accept a request: checked, priced, then task, hold and durable job in one transaction.

        Raises any ``Refused`` before money moves, and ``Unavailable``.
        """
        model = self._catalog[request.model]
        check_model(caller, model.name)
        fit(model, request)
        price = quote(model.prices, request)
        # A courtesy check, so that nothing is stored for who cannot pay; the guarded update
        # inside the transaction is what decides.
        if await self._accounts.balance(caller.customer_id) < price.hold:
            raise InsufficientBalance(
                "Insufficient balance for this request; top up the account and try again."
            )
        request = await self._inputs.take(request, caller)
        task = Task(
            id=new_id(),
            customer_id=caller.customer_id,
            key_id=caller.key_id,
            dialect=dialect,
            request=request,
            quote=price,
            created_at=time.time(),
        )
        await self._tasks.create(task, ledger.hold(task.customer_id, task.id, price.hold))
        return task

    async def get(self, caller: Caller, spelling: str) -> Task:
        """One of the caller's own tasks by any spelling of its id. Raises ``NotFound``."""
        task_id = read_task_id(spelling)
        task = await self._tasks.get(task_id) if task_id else None
        if task is None or task.customer_id != caller.customer_id:
            raise NotFound("task", "No such task: use the id that the create call returned.")
        return task

    async def expired(self, task: Task) -> bool:
        """Whether a finished task's clip is gone from the store."""
        return task.asset is not None and await self._objects.head(task.asset.key) is None

    async def cancel(self, caller: Caller, spelling: str) -> Task:
        """Stop a task where that is still possible; its hold goes back. Raises ``NotFound``.

        A task that nobody has started ends at once, one in the works within a second or so, and
        one that has ended stays as it is.
        """
        task = await self.get(caller, spelling)
        if task.final:
            return task
        # Whoever drives the task reads this note. One that nobody has started ends here and now,
        # unless it is being submitted at this very moment.
        await self._tasks.request_cancel(task.id)
        await cancel(self._tasks, task, only_from="queued")
        return msgspec.structs.replace(await self.get(caller, task.id), cancel_requested=True)


async def cancel(tasks: Tasks, task: Task, *, only_from: Status) -> bool:
    """End a task as its owner asked and give the whole hold back; says whether it did."""
    return await tasks.finish(
        task.id,
        "cancelled",
        ledger.settle(task.customer_id, task.id, task.quote.hold, 0),
        only_from=only_from,
        failure=Failure(code="failed_precondition", message="The task was cancelled."),
    )
