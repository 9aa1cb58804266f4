"""What an exception says: its type, its message and its whole traceback."""

from __future__ import annotations

import traceback

from errorstack_client.field import shorten, text

MAX_FRAMES = 100
"""The innermost ones; a recursion has thousands."""
MAX_CHARS = 16_000
"""The server looks for frames in the first 16 Ki characters of a trace: the last ones, which are
Python's innermost, have to be among them."""


class Trace:
    """A traceback as it is now, to be made text later.

    Taking it costs microseconds; making the text reads source files, which the sending thread does.
    It holds no frame and no local variable, so nothing of the program lives longer for it.
    """

    def __init__(self, error: BaseException) -> None:
        self._left_out = max(_depth(error) - MAX_FRAMES, 0)
        self._taken = traceback.TracebackException(
            type(error), error, error.__traceback__, limit=-MAX_FRAMES, lookup_lines=False
        )

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Where it was raised and passed through, to tell one error from another."""
        return tuple((frame.filename, frame.lineno or 0) for frame in self._taken.stack[-20:])

    def text(self) -> str:
        try:
            whole = "".join(self._taken.format()).rstrip()
        except Exception as failure:
            return f"(the traceback cannot be shown: {type(failure).__name__})"
        if self._left_out:
            whole = f"({self._left_out} outer calls are left out)\n{whole}"
        return shorten(whole, MAX_CHARS)


def _depth(error: BaseException) -> int:
    trace, depth = error.__traceback__, 0
    while trace:
        trace, depth = trace.tb_next, depth + 1
    return depth


def name(error: BaseException) -> str:
    """Return the name of an exception's type, as a traceback writes it."""
    kind = type(error)
    where = kind.__module__
    return (
        kind.__qualname__ if where in {"builtins", "__main__"} else f"{where}.{kind.__qualname__}"
    )


def message(error: BaseException) -> str:
    """Return an exception's message; its type's name where it has none."""
    return text(error) or name(error)
