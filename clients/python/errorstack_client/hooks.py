"""Exceptions that nobody caught: in the main thread, in others, in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from types import TracebackType
from typing import Any, Callable

from errorstack_client.client import Client

Uninstall = Callable[[], None]


def install_hooks(client: Client) -> Uninstall:
    """Submit what ends the program or a thread, then do what was done before.

    In a running event loop, the loop is watched too. Returns what puts the old hooks back, unless
    someone has put others there since.
    """
    undo = [_install_system(client), _install_threads(client)]
    with contextlib.suppress(RuntimeError):  # no loop runs yet; the program calls watch_loop in it
        undo.append(watch_loop(client, asyncio.get_running_loop()))

    def uninstall() -> None:
        for step in undo:
            step()

    return uninstall


def watch_loop(client: Client, loop: asyncio.AbstractEventLoop | None = None) -> Uninstall:
    """Submit what a loop's tasks and callbacks raise unseen; the running loop's, unless named."""
    watched = loop or asyncio.get_running_loop()
    before = watched.get_exception_handler()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, (KeyboardInterrupt, SystemExit)):
            fields = _loop_fields(context)
            if error is None:
                client.submit(Msg=context.get("message", "asyncio error"), **fields)
            else:
                client.submit_exception(error, asyncio=context.get("message"), **fields)
        if before:
            before(loop, context)
        else:
            loop.default_exception_handler(context)

    watched.set_exception_handler(handle)

    def uninstall() -> None:
        if watched.get_exception_handler() is handle:
            watched.set_exception_handler(before)

    return uninstall


def _loop_fields(context: dict[str, Any]) -> dict[str, Any]:
    task = context.get("task") or context.get("future")
    name = getattr(task, "get_name", None)
    return {"task": name()} if callable(name) else {}


def _install_system(client: Client) -> Uninstall:
    before = sys.excepthook

    def handle(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            client.submit_exception(error, level="fatal")
        before(kind, error, trace)

    sys.excepthook = handle

    def uninstall() -> None:
        if sys.excepthook is handle:
            sys.excepthook = before

    return uninstall


def _install_threads(client: Client) -> Uninstall:
    before = threading.excepthook

    def handle(args: threading.ExceptHookArgs, /) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            thread = args.thread.name if args.thread else None
            client.submit_exception(args.exc_value, threadName=thread)
        before(args)

    threading.excepthook = handle

    def uninstall() -> None:
        if threading.excepthook is handle:
            threading.excepthook = before

    return uninstall
