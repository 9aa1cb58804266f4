"""What ``manage.py check`` says of a site that would send nothing, or less than it could."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - that is how Django calls it

from errorstack_django.setting import ENDPOINT, KEY, chosen

MIDDLEWARE = "errorstack_django.middleware.ErrorStackMiddleware"


def check(**_: Any) -> list[CheckMessage]:
    """Warn of settings that are missing."""
    found: list[CheckMessage] = [
        Warning(f"{name} is not set: no error is sent.", id=f"errorstack.W00{number}")
        for number, name in enumerate((KEY, ENDPOINT), 1)
        if not chosen(name)
    ]
    if MIDDLEWARE not in settings.MIDDLEWARE:
        hint = f"Put '{MIDDLEWARE}' first into MIDDLEWARE."
        text = "Errors do not tell which request they are of."
        found.append(Warning(text, hint=hint, id="errorstack.W003"))
    return found
