"""A channel: one upstream as a row. What has no behaviour of its own is data."""

from __future__ import annotations

from typing import Literal

import msgspec

from filmgate.core.catalog import Model
from filmgate.core.pricing import Prices

# The one channel kind that is no dialect: clips are drawn on this machine.
SANDBOX = "sandbox"

Delivery = Literal["store", "link"]
Inputs = Literal["auto", "inline", "link"]


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach one upstream, what it can make and costs, and how much it may be asked.

    ``dialect`` is a name of ``dialects.registry`` or ``SANDBOX``; ``base_url`` carries no ``/v1``.
    ``models`` maps our public names or families to the upstream's names; an empty map sends our
    family names as they are. A lower ``priority`` is tried first; within one, channels are drawn by
    ``weight``. ``per_second``/``per_minute`` bound submissions, ``polls_per_second`` status polls.
    ``deadline`` and ``submit_deadline`` are seconds. ``prices`` is what the upstream charges us, by
    family, where its answers do not say. ``call_seconds`` is the longest clip of one call,
    ``references_call_seconds`` from several references; ``poll_seconds`` is a fixed time between
    polls instead of the learned one.
    ``resubmit_safe``: it honours ``Idempotency-Key``, so a submission may be sent again.
    ``charge_moderated``: a result withheld by its content check is paid for all the same.
    ``trouble`` says why the channel was taken out of routing, until an operator looks.
    """

    id: str
    name: str
    dialect: str
    base_url: str = ""
    credentials: tuple[str, ...] = ()
    models: dict[str, str] = {}
    priority: int = 0
    weight: int = 1
    max_in_flight: int | None = None
    per_second: float | None = None
    per_minute: int | None = None
    polls_per_second: float = 200.0
    deadline: float = 3600.0
    submit_deadline: float = 60.0
    prices: dict[str, Prices] = {}
    delivery: Delivery = "store"
    inputs: Inputs = "auto"
    call_seconds: int = 15
    references_call_seconds: int = 10
    poll_seconds: float | None = None
    headers: dict[str, str] = {}
    proxy: str = ""
    resubmit_safe: bool = False
    charge_moderated: bool = True
    enabled: bool = True
    trouble: str = ""
    created_at: float = 0.0

    def __repr__(self) -> str:
        # Credentials and headers are secrets; a row may end up in a log.
        return f"Channel({self.name!r}, {self.dialect!r}, {self.base_url!r})"

    def theirs(self, model: Model) -> str | None:
        """The upstream's name for a model of ours; ``None`` when this channel does not make it."""
        if not self.models:
            return model.family
        return self.models.get(model.name) or self.models.get(model.family)

    @property
    def serving(self) -> bool:
        """Whether routing may use it at all."""
        return self.enabled and not self.trouble
