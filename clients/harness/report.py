"""The table at the end of a run: what each client sent, what was stored, seen, and what it cost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from rich.console import Console
from rich.table import Table

from harness.toolchain import MISSING
from harness.trouble import TROUBLES

WIDTH = 150


@dataclass(slots=True)
class Proof:
    """What the tests of one client on one platform found."""

    client: str
    platform: str
    sent: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    live_ms: list[float] = field(default_factory=list)
    added_ms: dict[str, float] = field(default_factory=dict)


class Report(Protocol):
    """Records what a test found; all that is told of one client and platform is one row."""

    def __call__(
        self,
        client: str,
        platform: str,
        *,
        sent: str = "",
        stored: str = "",
        live_ms: float | None = None,
        added_ms: dict[str, float] | None = None,
    ) -> None:
        """``platform``: its name and version. ``sent`` and ``stored``: in a few words.
        ``live_ms``: arrival to socket. ``added_ms``: a call's cost by the name of the trouble."""


_PROOFS = pytest.StashKey[dict[tuple[str, str], Proof]]()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    proofs = pytestconfig.stash.setdefault(_PROOFS, {})

    def record(
        client: str,
        platform: str,
        *,
        sent: str = "",
        stored: str = "",
        live_ms: float | None = None,
        added_ms: dict[str, float] | None = None,
    ) -> None:
        proof = proofs.setdefault((client, platform), Proof(client, platform))
        proof.sent += [sent] if sent else []
        proof.stored += [stored] if stored else []
        proof.live_ms += [] if live_ms is None else [live_ms]
        proof.added_ms |= added_ms or {}

    return record


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    proofs = config.stash.get(_PROOFS, {})
    if proofs:
        terminalreporter.section("clients: added ms per call while the server is …")
        for line in table(sorted(proofs.values(), key=lambda each: each.client)):
            terminalreporter.write_line(line)
    if missing := set(_missing(terminalreporter)):
        terminalreporter.section("NOT PROVEN HERE", red=True, bold=True)
        for line in sorted(missing):
            terminalreporter.write_line(line, red=True, bold=True)


def table(proofs: list[Proof]) -> list[str]:
    """The proofs as lines of text."""
    drawn = Table(box=None, padding=(0, 1, 0, 0))
    for title in ("client", "platform", "sent", "stored", "live"):
        drawn.add_column(title, overflow="fold")
    for title in TROUBLES:
        drawn.add_column(title, justify="right", no_wrap=True)
    for proof in proofs:
        lag = f"{min(proof.live_ms):.0f} ms" if proof.live_ms else "-"
        costs = [_ms(proof.added_ms.get(name)) for name in TROUBLES]
        texts = ["; ".join(dict.fromkeys(told)) for told in (proof.sent, proof.stored)]
        drawn.add_row(proof.client, proof.platform, *texts, lag, *costs)
    console = Console(width=WIDTH, color_system=None, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]


def _ms(cost: float | None) -> str:
    return "-" if cost is None else f"{cost:.2f}"


def _missing(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for skipped in reporter.stats.get("skipped", []):
        if isinstance(skipped.longrepr, tuple) and MISSING in skipped.longrepr[2]:
            yield skipped.longrepr[2].removeprefix("Skipped: ")
