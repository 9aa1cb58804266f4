"""Server processes, as they say of themselves: so a command finds one that runs."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

from pymongo import IndexModel

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, utc

ALIVE = timedelta(seconds=15)
"""A process beats every few seconds; one that was silent for this long is gone."""
INDEXES = (IndexModel("at", expireAfterSeconds=86_400),)


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server process: where it answers and which doors it has."""

    id: str
    url: str
    role: str
    at: datetime


class Processes:
    """The collection ``processes``."""

    def __init__(self, database: Database) -> None:
        self._processes = database.processes

    @deadline()
    async def beat(self, process_id: str, url: str, role: str, now: datetime) -> None:
        """Say that a process lives."""
        beat = {"$set": {"url": url, "role": role, "at": utc(now)}}
        await self._processes.update_one({"_id": {"$eq": process_id}}, beat, upsert=True)

    @deadline()
    async def alive(self, now: datetime) -> list[ServerProcess]:
        """The processes that live, the one heard of last first."""
        which = {"at": {"$gt": now - ALIVE}}
        found = await self._processes.find(which).sort("at", -1).to_list(None)
        return [ServerProcess(each["_id"], each["url"], each["role"], each["at"]) for each in found]

    @deadline()
    async def leave(self, process_id: str) -> None:
        """Say that a process ends."""
        await self._processes.delete_one({"_id": {"$eq": process_id}})


def is_gone(host: str, pid: int) -> bool:
    """Whether a process of this machine has ended; of another machine's nobody can tell."""
    if host != socket.gethostname() or pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
