"""How long lists and filters take in a stack of a million errors."""

import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from errorstack_live.demo import Traffic
from errorstack_live.model import Error, Request
from errorstack_live.occurrence import derive
from errorstack_live.query import parse
from errorstack_live.settings import load
from errorstack_live.storage.document import encode, new_id, raw_collection
from errorstack_live.storage.error import to_document
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod

ERRORS = 1_000_000
BATCH = 2_000
SPACING = timedelta(milliseconds=600)
"""A million errors then are a week."""
ROUNDS = 7
RARE_EVERY = 250_000
QUERIES = {
    "newest 100": "",
    "level:fatal": "level:fatal",
    "a common value": 'release:"2.4.1"',
    "a value 4 errors have": "marker:needle",
    "a field 4 errors have": "marker:*",
    "a common word": "timeout",
    "a word nobody wrote": "xylophone",
}
Chart = tuple[str, timedelta, int]
"""Query, time, and seconds in a step."""
CHARTS: dict[str, Chart] = {
    "15 minutes in steps of 10 s": ("", timedelta(minutes=15), 10),
    "a day in steps of 15 min, a common value": ('release:"2.4.1"', timedelta(days=1), 900),
    "a day in steps of 15 min, a common word": ("timeout", timedelta(days=1), 900),
}


async def main(count: int = ERRORS) -> dict[str, float]:
    """Fill a stack, then time each query; milliseconds, the median of ROUNDS."""
    with tempfile.TemporaryDirectory() as folder:
        mongod = Mongod(load(data_dir=Path(folder)))
        store = await Store.open(await mongod.start(), "bench")
        try:
            now = datetime.now(UTC).replace(microsecond=0)
            stack = await store.stacks.create("Bench", now=now, retention_days=30)
            began_at = time.perf_counter()
            await _fill(store, stack.id, now, count)
            filled_s = time.perf_counter() - began_at
            times = {name: await _time(store, stack.id, text) for name, text in QUERIES.items()}
            for name, chart in CHARTS.items():
                times[f"counts of {name}"] = await _chart(store, stack.id, now, chart)
            return {"errors": count, "filled in s": filled_s, **times}
        finally:
            await store.close()
            await mongod.stop()


async def _fill(store: Store, stack: str, now: datetime, count: int) -> None:
    traffic = Traffic(random.Random(4711))
    errors = raw_collection(store.database, "errors")
    for start in range(0, count, BATCH):
        batch = [
            encode(to_document(_error(traffic, stack, now, count - n), now + timedelta(days=30)))
            for n in range(start, min(start + BATCH, count))
        ]
        await errors.insert_many(batch, ordered=False)


def _error(traffic: Traffic, stack: str, now: datetime, age: int) -> Error:
    fields = dict(traffic.error())
    if age % RARE_EVERY == RARE_EVERY // 2:
        fields["marker"] = "needle"
    request = Request("192.0.2.1", "bench", "", "beacon")
    return derive(fields, id=new_id(), stack=stack, at=now - age * SPACING, request=request)


async def _time(store: Store, stack: str, text: str) -> float:
    taken = []
    for _ in range(ROUNDS):
        began_at = time.perf_counter()
        await store.errors.find(stack, parse(text), limit=100)
        taken.append((time.perf_counter() - began_at) * 1000)
    return statistics.median(taken)


async def _chart(store: Store, stack: str, now: datetime, chart: Chart) -> float:
    text, length, step_s = chart
    taken = []
    for _ in range(ROUNDS):
        began_at = time.perf_counter()
        found = await store.errors.tally(
            stack,
            parse(text),
            since=now - length,
            until=now,
            step=timedelta(seconds=step_s),
        )
        taken.append((time.perf_counter() - began_at) * 1000)
    if not found.is_complete:
        print(f"  not complete in time: {text!r} over {length}")
    return statistics.median(taken)
