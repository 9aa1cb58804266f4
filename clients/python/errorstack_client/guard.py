"""Knows when a thread is already inside the client.

A value's ``__str__``, a scrub hook or a finalizer may log an error of its own; sending that too
would go round for ever, or wait for a lock that its own thread holds.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import Iterator

_local = threading.local()


def is_inside() -> bool:
    return getattr(_local, "is_inside", False)


@contextmanager
def inside() -> Iterator[None]:
    """Mark this thread as being inside until the block ends."""
    _local.is_inside = True
    try:
        yield
    finally:
        _local.is_inside = False
