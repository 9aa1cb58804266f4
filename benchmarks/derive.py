"""What it costs to derive an error of its fields, which every submission pays, in microseconds."""

import random
import statistics
import time
from datetime import UTC, datetime

from errorstack_live.demo import Traffic
from errorstack_live.grouping import MAX_RULES
from errorstack_live.model import BY_FINGERPRINT, Grouping, Merge, Request, Rule
from errorstack_live.occurrence import derive

ERRORS = 2_000
ROUNDS = 9
NO_MATCH = tuple(Rule(f'service:checkout release:"9.{n}" gone away', f"G{n}") for n in range(20))
GROUPINGS = {
    "no rules": BY_FINGERPRINT,
    "1 rule that matches": Grouping((Rule("level:error", "All of them"),)),
    "1 rule that splits": Grouping((Rule("level:error", split=("release", "browser")),)),
    f"{MAX_RULES} rules, none of which matches": Grouping(NO_MATCH),
    "200 merges": Grouping((), tuple(Merge(f"1{n:016x}", "0" * 24) for n in range(200))),
}


def main() -> dict[str, float]:
    """CPU time for one error of the demo's traffic: the least of ROUNDS."""
    traffic = Traffic(random.Random(4711))
    errors = [dict(traffic.error()) for _ in range(ERRORS)]
    figures = {name: _time(errors, grouping) for name, grouping in GROUPINGS.items()}
    return {f"{name}: µs": figure for name, figure in figures.items()}


def _time(errors: list[dict[str, str]], grouping: Grouping) -> float:
    request = Request("192.0.2.1", "bench", "", "beacon")
    at = datetime.now(UTC)
    taken = []
    for _ in range(ROUNDS):
        began_at = time.process_time()
        for fields in errors:
            derive(fields, grouping, id="0" * 24, stack="1" * 24, at=at, request=request)
        taken.append(time.process_time() - began_at)
    assert statistics.median(taken) > 0
    return min(taken) / ERRORS * 1e6


if __name__ == "__main__":
    for name, figure in main().items():
        print(f"{name:45} {figure:8.1f}")
