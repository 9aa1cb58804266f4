"""Run the benchmarks, all or those named, and write what they found to ``docs/benchmarks.md``."""

import asyncio
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from benchmarks import derive, door, history, page, viewers

Figures = dict[str, float]

BENCHMARKS: dict[str, tuple[str, Callable[[], Figures]]] = {
    "door": (
        "Accepted and durable errors a second, against a raw ASGI app that only gives the same"
        " answer, on the same server in the same run (64 senders wait for their batch, 256 keep"
        " the server busy)",
        door.main,
    ),
    "derive": (
        "To derive meaning, issue and search text of one error, in the process's CPU time",
        derive.main,
    ),
    "viewers": ("From a sender's request to a viewer's socket", viewers.main),
    "page": ("The live page in headless Chromium while errors storm in", page.main),
    "history": (
        "Lists and filters in a stack of a million errors, milliseconds",
        lambda: asyncio.run(history.main()),
    ),
}
RESULTS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
LIBRARIES = ("hypercorn", "quart", "motor", "pymongo")


def main(names: list[str]) -> None:
    """Run ``names``, or all; only a run of all rewrites the table."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"No such benchmark: {', '.join(unknown)}. There are {', '.join(BENCHMARKS)}.")
    sections = [_section(name) for name in names or BENCHMARKS]
    if not names:
        RESULTS.write_text("\n".join([_head(), *sections]), encoding="utf-8")


def _section(name: str) -> str:
    title, run = BENCHMARKS[name]
    figures = run()
    width = max(map(len, figures))
    print(f"\n{title}")
    for what, figure in figures.items():
        print(f"  {what:{width}}  {_number(figure)}")
    rows = [f"| {what} | {_number(figure)} |" for what, figure in figures.items()]
    return "\n".join([f"## {title}\n", "| what | figure |", "| --- | ---: |", *rows, ""])


def _number(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 1000 or figure == int(figure) else f"{figure:,.2f}"


def _head() -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        "# Benchmarks\n\n"
        "Made by `make bench`, which rewrites this page. The load, the server, the database and\n"
        "the browser share the machine: compare figures of one run, not of two machines.\n\n"
        f"Run on {datetime.now(UTC):%Y-%m-%d}: {psutil.cpu_count()} cores,"
        f" {psutil.virtual_memory().total >> 30} GiB, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}, {libraries}, mongod 6.0.5 (embedded).\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
