"""The standard logging module's records as errors."""

from __future__ import annotations

import logging
from typing import Any

from errorstack_client.client import Client
from errorstack_client.sender import logger

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SENT = ("name", "levelname", "module", "pathname", "funcName", "lineno", "threadName", "process")
_LITERALS = (str, int, float, bool, type(None))

MAX_TEMPLATE_CHARS = 4_000
MAX_ARGS_CHARS = 2_000
"""Past these the server does not put arguments into a template, so it is done here."""


class ErrorStackHandler(logging.Handler):
    """Submits records of ``level`` and above, with traceback, ``extra`` and call site.

    The message is sent as template and arguments where the server can join them, so that "order
    %s failed" is one issue for all orders. The sending is the client's: ``emit`` does not wait.
    """

    def __init__(self, client: Client, level: int = logging.ERROR) -> None:
        super().__init__(level)
        self._client = client

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == logger.name:  # what the client says of its own troubles
            return
        try:
            error = record.exc_info[1] if record.exc_info else None
            self._client.submit_record(self._fields(record), error, "exc_text")
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Do nothing: logging.shutdown calls this, and the client sees to its own end."""

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {**_message(record)}
        fields.update({name: getattr(record, name, None) for name in _SENT})
        if record.exc_text and not record.exc_info:
            fields["exc_text"] = record.exc_text
        if record.stack_info and not record.exc_info:
            fields["stack"] = record.stack_info
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        return {**extra, **fields}


def _message(record: logging.LogRecord) -> dict[str, str]:
    try:
        whole = record.getMessage()
    except Exception as failure:
        return {"msg": str(record.msg), "format_error": f"{type(failure).__name__}: {failure}"}
    template, args = record.msg, _literal(record.args)
    if isinstance(template, str) and args and len(template) <= MAX_TEMPLATE_CHARS:
        try:
            if template % args == whole and len(repr(args)) <= MAX_ARGS_CHARS:
                return {"msg": template, "args": repr(args)}
        except Exception:
            return {"msg": whole}
    return {"msg": whole}


def _literal(args: Any) -> Any:
    """Return arguments as values that can be read back from their ``repr``."""
    if isinstance(args, dict):
        return {str(name): _plain(value) for name, value in args.items()}
    return tuple(_plain(value) for value in args or ())


def _plain(value: Any) -> Any:
    return value if type(value) in _LITERALS else str(value)
