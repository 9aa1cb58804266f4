"""How many errors a second are accepted and durable, against a trivial answer in the same run."""

import asyncio
import statistics

from benchmarks.load import Tally, load, post
from benchmarks.product import Product, product, trivial
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import running

CONNECTIONS = (64, 256)
"""A few keep-alive senders, and as many as it takes to keep the server busy all the time: group
commit answers a sender after its batch, so a few senders wait more than they send."""
ROUND_S = 5.0
ROUNDS = 3

_FORM = (
    b"&Msg=TypeError%3A+cannot+read+properties+of+undefined&URL=https%3A%2F%2Fshop.example"
    b"%2Fassets%2Fapp.js&Line=4711&PageURL=https%3A%2F%2Fshop.example%2Fcart&name=TypeError"
    b"&release=2.4.1&user=1902&Platform=Linux+x86_64&UserAgent=Mozilla%2F5.0+(X11%3B+Linux)"
)


def main() -> dict[str, float]:
    """Alternate rounds of both, and check that every 200 is a stored document."""
    figures: dict[str, float] = {}
    for connections in CONNECTIONS:
        found = _compare(connections)
        figures |= {f"{connections} connections: {name}": each for name, each in found.items()}
    return figures


def _compare(connections: int) -> dict[str, float]:
    with product() as ours, trivial() as port:
        request = post("/submit", b"_s=" + ours.key.encode() + _FORM)
        plain, durable = [], []
        _round(port, request, connections, 1.0)
        accepted = _round(ours.port, request, connections, 1.0).ok_count
        for _ in range(ROUNDS):
            plain.append(_round(port, request, connections, ROUND_S))
            durable.append(_round(ours.port, request, connections, ROUND_S))
        accepted += sum(tally.ok_count for tally in durable)
        stored = asyncio.run(_stored(ours))
        assert stored == accepted, f"{accepted} accepted, {stored} stored"
        ratios = [
            mine.per_second / theirs.per_second for mine, theirs in zip(durable, plain, strict=True)
        ]
        return {
            "trivial answers/s": statistics.median(tally.per_second for tally in plain),
            "durable errors/s": statistics.median(tally.per_second for tally in durable),
            "ratio": statistics.median(ratios),
            "durable p50 ms": statistics.median(tally.quantile_ms(0.5) for tally in durable),
            "durable p99 ms": statistics.median(tally.quantile_ms(0.99) for tally in durable),
            "accepted": accepted,
            "stored": stored,
        }


def _round(port: int, request: bytes, connections: int, seconds: float) -> Tally:
    return asyncio.run(load(port, request, connections=connections, seconds=seconds))


async def _stored(ours: Product) -> int:
    uri = await running(ours.data_dir)
    assert uri
    store = await Store.open(uri, "errorstack")
    try:
        return int(await store.database.errors.count_documents({}))
    finally:
        await store.close()
