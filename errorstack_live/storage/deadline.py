"""The one place where a call to the driver is bounded and its failures get our names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pymongo
from bson.errors import BSONError
from pymongo.errors import PyMongoError

from errorstack_live.errors import Invalid, StorageAway

CALL_S = 2.0
"""How long one call may take, unless it says else."""
MARGIN_S = 0.25
"""The driver gives up first and says why; only a thread that hangs is left behind."""


@asynccontextmanager
async def deadline(seconds: float = CALL_S) -> AsyncIterator[None]:
    """Bound everything inside, as a block or as a decorator of a coroutine function.

    Raises StorageAway for whatever the database or the driver does not do in time or at all, and
    Invalid for a value from outside that cannot be sent (a lone surrogate, a huge integer).
    """
    try:
        with pymongo.timeout(seconds):
            async with asyncio.timeout(seconds + MARGIN_S):
                yield
    except (PyMongoError, TimeoutError) as error:
        raise StorageAway(f"The database does not answer: {brief(error)}") from error
    except (BSONError, OverflowError, UnicodeError, RecursionError) as error:
        raise Invalid(f"This value cannot be looked up: {brief(error)}") from error


def brief(error: BaseException) -> str:
    """The first line of what the driver says, which may hold a whole topology or a document."""
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
