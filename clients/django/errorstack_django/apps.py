"""What begins with the site: hooks, the handler on the root logger, checks."""

from __future__ import annotations

import logging

from django.apps import AppConfig
from django.core import checks
from errorstack_client import install_hooks

from errorstack_django.check import check
from errorstack_django.handler import ErrorStackHandler
from errorstack_django.setting import chosen, client, is_on


class ErrorStackConfig(AppConfig):
    """The application: put "errorstack_django" into INSTALLED_APPS."""

    name = "errorstack_django"
    verbose_name = "ErrorStack"

    def ready(self) -> None:
        checks.register(check)
        if not is_on():
            return
        install_hooks(client())
        level = chosen("ERRORSTACK_LOG_LEVEL", logging.ERROR)
        root = logging.getLogger()
        if level is not None and not any(isinstance(h, ErrorStackHandler) for h in root.handlers):
            root.addHandler(ErrorStackHandler(level))
