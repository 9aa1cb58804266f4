"""What an exception says: its type, its message and its whole traceback."""

from __future__ import annotations

import traceback

from errorstack_client.field import shorten, text


class Trace:
    """A traceback as it is now, to be made text later.

    Taking it costs microseconds; making the text reads source files, which the sending thread does.
    It holds no frame and no local variable, so nothing of the program lives longer for it.
    """

    def __init__(self, error: BaseException) -> None:
        self._taken = traceback.TracebackException(
            type(error), error, error.__traceback__, lookup_lines=False
        )

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """Where it was raised and passed through, to tell one error from another."""
        return tuple((frame.filename, frame.lineno or 0) for frame in self._taken.stack[-20:])

    def text(self) -> str:
        try:
            return shorten("".join(self._taken.format()).rstrip())
        except Exception as failure:
            return f"(the traceback cannot be shown: {type(failure).__name__})"


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
