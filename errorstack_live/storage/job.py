"""Work that comes again and again beside the writing, and must never end it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from errorstack_live.errors import ErrorStackError

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """``run`` is called every ``every_s`` seconds; what it could not do waits for the next time."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]


async def keep_doing(job: Job) -> None:
    """Run a job until cancelled."""
    while True:
        await asyncio.sleep(job.every_s)
        try:
            await job.run()
        except ErrorStackError as error:
            _log.warning("job_waits", job=job.name, problem=error.message)
        except Exception:  # noqa: BLE001 - a failure of one job must end neither it nor the others
            _log.exception("job_failed", job=job.name)
