"""How many issues a stack may have, so that a key's holder cannot make them without end.

Past the bound an error of a new kind goes to one issue that says so; known kinds go on as before.
Issues whose errors are all gone make room again.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from errorstack_live import fingerprint
from errorstack_live.model import Error, Status
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, object_id

MAX_ISSUES = 10_000
"""Of one stack. Several processes that make many at once may pass it by RECOUNT_AFTER each."""
RECOUNT_AFTER = 500
"""So many new issues after a stack's were counted, they are counted again ..."""
RECOUNT_S = 10.0
"""... and this long after."""
MAX_STACKS = 10_000
SPARED = timedelta(days=1)
GONE_S = 10.0
OVERFLOW = fingerprint.named("overflow of issues")
TITLE = "More kinds of errors than a stack has issues for: the rest is counted here"


@dataclass(slots=True)
class _Counted:
    """``added`` are new since ``count`` was read, or known to other processes only."""

    count: int
    read_at: float
    added: int = 0


async def forget_gone(database: Database, now: datetime) -> int:
    """Delete issues a day after retention has taken their last errors; returns how many.

    What is ignored stays so for as long as was said, and what others were merged into is kept.
    Processes that know a deleted issue read it anew before they count for it (``known``).
    """
    async with deadline(GONE_S, in_turn=False):
        stacks = await database.stacks.find({}, {"retention_days": 1, "merges": 1}).to_list(None)
    forgotten = 0
    for stack in stacks:
        targets = [object_id(each["into"]) for each in stack.get("merges", ())]
        which = {
            "stack": stack["_id"],
            "last_seen_at": {"$lt": now - timedelta(days=stack["retention_days"]) - SPARED},
            "status": {"$ne": Status.IGNORED.value},
            "into": None,
            "_id": {"$nin": targets},
        }
        async with deadline(GONE_S, in_turn=False):
            forgotten += (await database.issues.delete_many(which)).deleted_count
    return forgotten


class IssueBound:
    """Finds out which errors would make an issue too many."""

    def __init__(self, database: Database, known: Collection[str], most: int = MAX_ISSUES) -> None:
        self._issues = database.issues
        self._known = known
        self._most = most
        self._stacks: dict[str, _Counted] = {}

    async def keep(self, errors: Sequence[Error]) -> dict[str, Error]:
        """Return, by id, those of these errors that go to the stack's overflow, changed so.

        Asks the database only when there are issues that this process does not know.
        """
        unknown: dict[str, set[str]] = {}
        for error in errors:
            if error.issue not in self._known:
                unknown.setdefault(error.stack, set()).add(error.issue)
        over: set[str] = set()
        for stack_id, issues in unknown.items():
            over |= await self._too_many(stack_id, issues)
        return {error.id: _moved(error) for error in errors if error.issue in over}

    async def _too_many(self, stack_id: str, issues: set[str]) -> set[str]:
        counted = await self._counted(stack_id)
        room = self._most - counted.count - counted.added
        if len(issues) <= room:
            counted.added += len(issues)
            return set()
        which = {"_id": {"$in": [object_id(each) for each in issues]}}
        found = await self._issues.find(which, {"_id": 1}).to_list(None)
        stored = {str(each["_id"]) for each in found}
        new = sorted(issues - stored - {fingerprint.issue_id(stack_id, OVERFLOW)})
        counted.added += min(max(room, 0), len(new))
        return set(new[max(room, 0) :])

    async def _counted(self, stack_id: str) -> _Counted:
        counted = self._stacks.get(stack_id)
        now = time.monotonic()
        is_fresh = counted is not None and now - counted.read_at < RECOUNT_S
        if counted is not None and is_fresh and counted.added < RECOUNT_AFTER:
            return counted
        which = {"stack": object_id(stack_id)}
        count = await self._issues.count_documents(which, limit=self._most)
        if len(self._stacks) >= MAX_STACKS:
            self._stacks.clear()
        counted = self._stacks[stack_id] = _Counted(count, now)
        return counted


def _moved(error: Error) -> Error:
    return replace(
        error,
        fingerprint=OVERFLOW,
        issue=fingerprint.issue_id(error.stack, OVERFLOW),
        group=TITLE,
    )
