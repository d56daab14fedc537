"""Creating, finding and cancelling tasks: what a caller does, whatever API it speaks."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from filmgate.core import ledger
from filmgate.core.catalog import Catalog, fit
from filmgate.core.errors import BodyTooLarge, InsufficientBalance, NotFound
from filmgate.core.ids import new_id, read_task_id
from filmgate.core.ports import Accounts, Objects, Tasks
from filmgate.core.pricing import quote
from filmgate.core.task import Failure, Status, Task
from filmgate.core.video import VideoRequest
from filmgate.services.access import Caller, check_model
from filmgate.services.inputs import Inputs

# Task rows are read at every poll: what a caller adds to a request must not make that dear.
_MOST_KEPT = 256 << 10


class TaskDesk:
    """The front desk for tasks of one catalogue.

    ``check_route`` raises ``Unavailable`` when nobody could make a request.
    """

    def __init__(
        self,
        catalog: Catalog,
        tasks: Tasks,
        accounts: Accounts,
        inputs: Inputs,
        objects: Objects,
        check_route: Callable[[VideoRequest], None],
    ) -> None:
        self._check_route = check_route
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
        self._check_route(request)
        price = quote(model.prices, request)
        # A courtesy check, so that nothing is stored for who cannot pay; the guarded update
        # inside the transaction is what decides.
        if await self._accounts.balance(caller.customer_id) < price.hold:
            raise InsufficientBalance(
                "Insufficient balance for this request; top up the account and try again."
            )
        request = await self._inputs.take(request, caller)
        if len(msgspec.json.encode(request)) > _MOST_KEPT:
            raise BodyTooLarge(
                f"The request without its images and clips is larger than {_MOST_KEPT >> 10} kB; "
                "leave out what the video does not need."
            )
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
        if task is None or task.deleted or task.customer_id != caller.customer_id:
            raise NotFound("task", "No such task: use the id that the create call returned.")
        return task

    async def expired(self, task: Task) -> bool:
        """Whether a finished task's clip is gone from the store."""
        key = task.asset.key if task.asset else ""
        return bool(key) and await self._objects.head(key) is None

    async def delete(self, caller: Caller, spelling: str) -> None:
        """Remove an ended task with its files; cancel a live one. Raises ``NotFound``."""
        task = await self.get(caller, spelling)
        if not task.final:
            await self.cancel(caller, spelling)
            return
        await self._tasks.hide(task.id)
        if task.asset:
            for key in filter(None, (task.asset.key, task.asset.poster_key)):
                await self._objects.delete(key)

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
