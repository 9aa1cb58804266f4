"""How values look on a page: what strangers sent as visible text, times, numbers, small charts."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from markupsafe import Markup, escape
from quart import Quart

from errorstack_live.model import JSON, Error, Issue, Level
from errorstack_live.trace import Frame, library

MAX_VALUE_CHARS = 2048
"""Longer values show this much, and the rest behind "more"."""
MAX_LIBRARIES = 3
"""Of folded frames so many are named."""
SPARK_WIDTH = 120
SPARK_HEIGHT = 20

# C0 and C1 but tab and line ends, soft hyphen, direction marks and overrides, invisible operators,
# byte order mark, lone surrogates, tags. Joiners stay: emoji and some scripts need them.
_ACTING: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINK: Final = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)
_PREFIX: Final = re.compile(r"^(?:Uncaught )?(?:\(in promise\) )?")
_GAP: Final = re.compile(r"\s*\r?\n\s*")


def visible(text: str) -> Markup:
    """Text for an element, with characters that would act unseen shown by their names.

    A right-to-left override, a NUL or a zero-width space changes what a reader believes to see.
    """
    pieces = []
    start = 0
    for found in _ACTING.finditer(text):
        pieces += [escape(text[start : found.start()]), _mark(found.group())]
        start = found.end()
    return Markup().join([*pieces, escape(text[start:])])


def coded(text: str) -> Markup:
    """Our own words, with what stands between backticks as code."""
    pieces = text.split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if at % 2 else escape(piece)
        for at, piece in enumerate(pieces)
    )


def plain(text: str) -> str:
    """The same for an attribute or a page's title: text alone."""
    return _ACTING.sub(lambda found: f"⟨{_name(found.group())}⟩", text)


def one_line(text: str) -> str:
    """Text with its line ends as a sign."""
    return _GAP.sub(" ⏎ ", text)


def saying(of: Error | Issue) -> str:
    """A title without the type that it often begins with, where both are shown."""
    said = _PREFIX.sub("", of.title)
    if not of.type or not said.startswith(of.type):
        return of.title
    return "" if said == of.type else said.removeprefix(f"{of.type}: ")


def link(text: str) -> str | None:
    """The address when a whole value is an http or https link without anything odd in it."""
    if len(text) > MAX_VALUE_CHARS or not _LINK.fullmatch(text) or _ACTING.search(text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme.lower() in {"http", "https"} and parts.hostname else None


def grouped(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Frames in the order shown: the program's own each alone, neighbouring others together."""
    groups: list[list[Frame]] = []
    for frame in frames:
        if groups and not frame.is_app and not groups[-1][0].is_app:
            groups[-1].append(frame)
        else:
            groups.append([frame])
    return groups


def libraries(frames: Sequence[Frame]) -> str:
    """`` in quart, asyncpg``: whose frames these are, as far as known."""
    names = list(dict.fromkeys(name for frame in frames if (name := library(frame))))
    more = ", …" if len(names) > MAX_LIBRARIES else ""
    return f" in {', '.join(names[:MAX_LIBRARIES])}{more}" if names else ""


def value_text(value: JSON) -> str:
    """A value as text: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2)


def rest_size(text: str) -> str:
    """How much of a long value is behind "more"."""
    return size(len(text.encode("utf-8", "replace")))


def size(count: int) -> str:
    """``512 bytes``, ``12 KB``, ``1.5 MB``, ``70.8 GB``."""
    if count < 1024:
        return f"{count} bytes"
    if count < 1024 * 1024:
        return f"{count / 1024:.0f} KB"
    if count < 1024**3:
        return f"{count / 1024**2:.1f} MB"
    return f"{count / 1024**3:.1f} GB"


def number(count: int) -> str:
    """``21,189``."""
    return f"{count:,}"


def clock(at: datetime) -> str:
    """``14:32:09`` in UTC; a script makes it local."""
    return at.astimezone(UTC).strftime("%H:%M:%S")


def fraction(at: datetime) -> str:
    """``.871``."""
    return f".{at.microsecond // 1000:03}"


def stamp(at: datetime) -> str:
    """``2025-11-23 14:32:09 UTC``."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def iso(at: datetime) -> str:
    """For a ``datetime`` attribute."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ago(at: datetime, now: datetime) -> str:
    """``just now``, ``40 s ago``, ``5 min ago``, ``3 h ago``, ``2 days ago``."""
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < 5:
        return "just now"
    for limit, unit_s, unit in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if seconds < limit:
            return f"{seconds // unit_s} {unit} ago"
    days = seconds // 86_400
    return f"{days} day{'s' if days > 1 else ''} ago"


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a spark, in its own units (SPARK_WIDTH by SPARK_HEIGHT)."""

    x: float
    y: float
    width: float
    height: float
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a trend: its place and height, from 0 to 100 of the whole, and its words."""

    x: float
    height: float
    words: str


def columns(counts: Sequence[int], since: datetime, step: timedelta) -> list[Column]:
    """Columns of counts, oldest first; empty ones are left out."""
    highest = max(1, *counts) if counts else 1
    return [
        Column(
            round(place / len(counts) * 100, 2),
            round(max(3.0, count / highest * 100), 1),
            f"{number(count)}, {stamp(since + place * step)}",
        )
        for place, count in enumerate(counts)
        if count
    ]


def rate(count: int, seconds: float) -> str:
    """``1.5 per s``, ``12 per min``, ``3 per h``, ``none``."""
    each = count / max(1.0, seconds)
    if not count:
        return "none"
    for factor, unit in ((1, "s"), (60, "min")):
        if each * factor >= 1:
            return f"{_short(each * factor)} per {unit}"
    return f"{_short(each * 3600)} per h"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 10 else f"{value:,.0f}"


def lasting(span: timedelta) -> str:
    """A length of time with its two largest units: ``4 m 12 s``."""
    seconds = max(0, int(span.total_seconds()))
    sizes = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    parts = []
    for size, unit in sizes:
        value, seconds = divmod(seconds, size)
        parts.append((value, unit))
    first = next((place for place, (value, _) in enumerate(parts) if value), len(parts))
    told = [f"{value} {unit}" for value, unit in parts[first : first + 2] if value]
    return " ".join(told) or "0 s"


def spark(minutes: Sequence[tuple[datetime, dict[str, int]]], until: datetime) -> list[Bar]:
    """Bars of the last hour, two minutes each, oldest first; empty ones are left out.

    A bar ``is_bad`` when it holds anything as bad as an error.
    """
    bars = SPARK_WIDTH // 4
    totals = [0] * bars
    bad = [False] * bars
    for at, levels in minutes:
        place = bars - 1 - int((until - at).total_seconds() // 120)
        if 0 <= place < bars:
            totals[place] += sum(levels.values())
            bad[place] |= any(levels.get(level) for level in (Level.FATAL, Level.ERROR))
    highest = max(1, *totals)
    return [
        _bar(place, max(1.5, total / highest * SPARK_HEIGHT), is_bad=bad[place])
        for place, total in enumerate(totals)
        if total
    ]


def _bar(place: int, height: float, *, is_bad: bool) -> Bar:
    return Bar(place * 4, round(SPARK_HEIGHT - height, 1), 3, round(height, 1), is_bad)


def register(app: Quart) -> None:
    """Give templates these filters."""
    shown = (
        visible, coded, plain, one_line, saying, link, value_text, rest_size, size, number, clock,
        fraction, stamp, iso, ago, spark, rate, lasting, grouped, libraries,
    )  # fmt: skip
    app.jinja_env.filters.update({each.__name__: each for each in shown})
    app.jinja_env.globals["MAX_VALUE_CHARS"] = MAX_VALUE_CHARS


def _mark(character: str) -> Markup:
    return Markup('<span class="ctl">{}</span>').format(_name(character))


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"
