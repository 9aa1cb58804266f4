"""The one place where a call to the driver is bounded and its failures get our names."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from weakref import WeakKeyDictionary

import pymongo
from bson.errors import BSONError
from pymongo.errors import PyMongoError

from errorstack_live.errors import Invalid, StorageAway

CALL_S = 2.0
"""How long one call may take, unless it says else."""
MARGIN_S = 0.25
"""The driver gives up first and says why; only a thread that hangs is left behind."""
CALLS_AT_ONCE = 8
"""Of pages, sockets and commands. The driver has THREADS; the rest are the writer's and the
feed's, which must not wait because a thousand viewers return at once."""

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@asynccontextmanager
async def deadline(seconds: float = CALL_S, *, in_turn: bool = True) -> AsyncIterator[None]:
    """Bound everything inside, as a block or as a decorator of a coroutine function.

    It waits for its turn, unless it is the writer's own. Raises StorageAway for whatever the
    database or the driver does not do in time or at all, and Invalid for a value from outside
    that cannot be sent (a lone surrogate, a huge integer).
    """
    try:
        with pymongo.timeout(seconds):
            async with asyncio.timeout(seconds + MARGIN_S), _turn() if in_turn else nullcontext():
                yield
    except (PyMongoError, TimeoutError) as error:
        raise StorageAway(f"The database does not answer: {brief(error)}") from error
    except (BSONError, OverflowError, UnicodeError, RecursionError) as error:
        raise Invalid(f"This value cannot be looked up: {brief(error)}") from error


def _turn() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    if loop not in _turns:
        _turns[loop] = asyncio.Semaphore(CALLS_AT_ONCE)
    return _turns[loop]


def brief(error: BaseException) -> str:
    """The first line of what the driver says, which may hold a whole topology or a document."""
    said = str(error).partition(", full error:")[0].splitlines()
    return said[0][:200] if said else type(error).__name__
