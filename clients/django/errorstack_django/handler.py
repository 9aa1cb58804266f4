"""The handler for a site's LOGGING."""

from __future__ import annotations

import logging

import errorstack_client

from errorstack_django.setting import client, is_on


class ErrorStackHandler(errorstack_client.ErrorStackHandler):
    """Sends records of ``level`` and above: {"class": "errorstack_django.ErrorStackHandler"}.

    The application puts one on the root logger by itself, unless ERRORSTACK_LOG_LEVEL is None.
    """

    def __init__(self, level: int | str = logging.ERROR) -> None:
        super().__init__(client(), level)  # type: ignore[arg-type]  # logging takes names as well

    def emit(self, record: logging.LogRecord) -> None:
        if is_on():
            super().emit(record)
