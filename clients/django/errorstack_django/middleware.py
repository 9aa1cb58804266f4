"""Which request an error is of: for views that raise, and for whatever is logged meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import MiddlewareNotUsed, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponseBase

from errorstack_django.setting import chosen, client, is_on

_ANSWERS = (PermissionDenied, SuspiciousOperation)
"""Exceptions that are a site's way to answer, no errors of it."""


class ErrorStackMiddleware:
    """Submits what views raise, with the request, the view and the user; and lets it pass.

    Errors that are logged during a request have its method, address and user agent too. Put it
    first. It takes itself out where nothing is sent.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        if not is_on():
            raise MiddlewareNotUsed("no ERRORSTACK_STACK_KEY, or DEBUG")
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._is_async:
            return self._answer(request)
        with client().watch(**_fields(request)):
            response: HttpResponseBase = self._get_response(request)
            return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        with client().watch(**_fields(request)):
            response: HttpResponseBase = await self._get_response(request)
            return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Send what a view raised; Django's own answer follows. Never raises."""
        with contextlib.suppress(Exception):
            if isinstance(exception, Http404):
                if chosen("ERRORSTACK_CATCH_404", default=False):
                    client().submit_exception(exception, level="warning", **_where(request))
            elif not isinstance(exception, _ANSWERS):
                client().submit_exception(exception, **_where(request))


def _fields(request: HttpRequest) -> dict[str, Any]:
    """What is known before the view runs. Never raises: a hostile Host header would."""
    try:
        address = request.build_absolute_uri()
    except Exception:
        address = request.get_full_path()
    return {
        "method": request.method,
        "PageURL": address,
        "UserAgent": request.META.get("HTTP_USER_AGENT"),
    }


def _where(request: HttpRequest) -> dict[str, Any]:
    """Which view, and for whom: asked for only when something went wrong."""
    fields: dict[str, Any] = _fields(request)
    match = request.resolver_match
    if match is not None:
        fields["view"] = match.view_name or match._func_path
    with contextlib.suppress(Exception):  # the database may be what went wrong
        user = request.user  # type: ignore[attr-defined]  # where its middleware is installed
        if user.is_authenticated:
            fields["user"] = {"id": user.pk, "name": user.get_username()}
    return fields
