"""Who is calling: API keys are made once, shown once, and stored only as keyed digests.

Keys are 256-bit random, so a fast keyed digest (HMAC-SHA256 under the home's secret) is enough to
protect them at rest; a slow hash would only be a way to keep us busy.
"""

from __future__ import annotations

import hmac
import secrets
import time

import msgspec

from filmgate.core.catalog import Catalog, Model
from filmgate.core.errors import Forbidden, Unauthenticated
from filmgate.core.ids import new_id
from filmgate.core.ports import Accounts, Key

# The usual look of a key: clients and secret scanners know the prefix.
_PREFIX = "sk-"
_HINT_CHARACTERS = 8


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated caller. ``models`` of ``()`` means every model of the catalogue."""

    customer_id: str
    key_id: str
    models: tuple[str, ...] = ()

    def may_use(self, model: str) -> bool:
        """Whether this key may use that model."""
        return not self.models or model in self.models


class Access:
    """Makes keys and recognises them."""

    def __init__(self, accounts: Accounts, pepper: bytes) -> None:
        self._accounts = accounts
        self._pepper = pepper

    async def create_key(self, customer_id: str, models: tuple[str, ...] = ()) -> str:
        """A new key for the customer; the only time that it can be read."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        await self._accounts.add_key(
            Key(
                id=new_id(),
                customer_id=customer_id,
                digest=self._digest(secret),
                hint=secret[:_HINT_CHARACTERS],
                models=models,
                created_at=time.time(),
            )
        )
        return secret

    async def authenticate(self, secret: str) -> Caller:
        """The caller behind a key. Raises ``Unauthenticated`` with what to do about it."""
        if not secret:
            raise Unauthenticated("No API key: send the header Authorization: Bearer YOUR_API_KEY.")
        key = await self._accounts.key_by_digest(self._digest(secret))
        if key is None or key.disabled:
            raise Unauthenticated("Invalid API key: check the Authorization: Bearer header.")
        return Caller(customer_id=key.customer_id, key_id=key.id, models=key.models)

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._pepper, secret.encode(), "sha256")


def allowed_models(catalog: Catalog, caller: Caller) -> list[Model]:
    """The models that the caller's key may use, in catalogue order."""
    return [model for model in catalog if caller.may_use(model.name)]


def check_model(caller: Caller, model: str) -> None:
    """Raises ``Forbidden`` when the key may not use the model."""
    if not caller.may_use(model):
        raise Forbidden(f"This API key may not use the model {model}; see GET /v1/models.")
