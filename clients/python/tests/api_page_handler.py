"""The handler of the service's API page: a program of 2010, kept as it was for Python 3."""

import logging.handlers
from typing import Any

NAMES = (
    *("name", "msg", "levelname", "module", "pathname", "funcName", "lineno", "args"),
    *("exc_text", "threadName", "thread", "process", "asctime"),
)


class ErrorStackHandler(logging.handlers.HTTPHandler):
    def __init__(self, host: str, stack_key: str, method: str = "POST") -> None:
        url = f"/submit?_s={stack_key}&_r=json"
        logging.handlers.HTTPHandler.__init__(self, host, url, method)
        self.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def mapLogRecord(self, record: logging.LogRecord) -> dict[str, Any]:  # noqa: N802
        self.format(record)
        return {name: getattr(record, name) for name in NAMES}
