"""Money in and the balance left."""

from __future__ import annotations

from filmgate.core import ledger
from filmgate.core.ids import new_id
from filmgate.core.ports import Accounts


class Billing:
    """Top-ups and balances; holds and settlements belong to the task they pay for."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def top_up(self, customer_id: str, amount: int, reference: str = "") -> bool:
        """Credit ``amount`` micro-dollars once per ``reference``; ``False`` if it was there."""
        unique = f"top_up:{reference or new_id()}"
        return await self._accounts.post(ledger.top_up(customer_id, amount, unique))

    async def balance(self, customer_id: str) -> int:
        """Micro-dollars that the customer may still spend."""
        return await self._accounts.balance(customer_id)
