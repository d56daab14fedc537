"""The dialects that filmgate speaks, by the name stored on tasks and channels."""

from __future__ import annotations

from filmgate.dialects.base import Dialect
from filmgate.dialects.chat import Chat
from filmgate.dialects.newapi import NewApi
from filmgate.dialects.openai import OpenAi
from filmgate.dialects.xai import Xai

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in (Chat(), Xai(), NewApi(), OpenAi())
}
