"""The site's settings, and the one client made of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from errorstack_client import Client

KEY, ENDPOINT = "ERRORSTACK_STACK_KEY", "ERRORSTACK_ENDPOINT"


def chosen(name: str, default: Any = None) -> Any:
    """One of the site's settings."""
    return getattr(settings, name, default)


def is_on() -> bool:
    """Whether anything is sent: there is a key, and the site is not being worked on."""
    return bool(chosen(KEY)) and (not settings.DEBUG or bool(chosen("ERRORSTACK_IN_DEBUG")))


@cache
def client() -> Client:
    """The client that everything here sends by; made when it is first asked for."""
    return Client(
        chosen(KEY, ""),
        chosen(ENDPOINT, ""),
        release=chosen("ERRORSTACK_RELEASE", ""),
        environment=chosen("ERRORSTACK_ENVIRONMENT", ""),
        fields=chosen("ERRORSTACK_FIELDS", {}),
        scrub=_scrub(chosen("ERRORSTACK_SCRUB")),
    )


def _scrub(named: str | Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A function, or the one at the end of a dotted path."""
    return import_string(named) if isinstance(named, str) else named
