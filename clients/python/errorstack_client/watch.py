"""Fields that hold for a while, and exceptions on their way out of a block."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Mapping

if TYPE_CHECKING:
    from errorstack_client.client import Client

_ENDS = (StopIteration, StopAsyncIteration)
_fields: ContextVar[Mapping[str, Any]] = ContextVar("errorstack_fields")


def watched() -> Mapping[str, Any]:
    """Return the fields of all blocks that this code runs in, the innermost's last."""
    return _fields.get({})


class Watch:
    """A ``with`` block whose exceptions are submitted and then go on as they were.

    The end of an iterator is no exception here. May be used again, also inside itself.
    """

    def __init__(self, client: Client, fields: Mapping[str, Any]) -> None:
        self._client = client
        self._new = fields
        self._tokens: list[Token[Mapping[str, Any]]] = []

    def __enter__(self) -> None:
        self._tokens.append(_fields.set({**watched(), **self._new}))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, _ENDS):
            self._client.submit_exception(error)
        with contextlib.suppress(ValueError):  # a generator may end in another context
            _fields.reset(self._tokens.pop())
