"""Lines for people in a terminal. Whoever sent an error is anonymous and may be hostile: what
they wrote never reaches the terminal as a control sequence or a change of direction.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from errorstack_live.model import Issue
from errorstack_live.record import Record, encode

STYLES = {
    "fatal": "bold white on red",
    "error": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "debug": "dim",
    "log": "blue",
}
_JOINERS = frozenset("\u200c\u200d")
"""They shape scripts and emoji, and move nothing."""
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))


class Failed(click.ClickException):
    """Why something could not be done; what a server said of it is shown like a sender's words."""

    def format_message(self) -> str:
        """Its lines, safe in a terminal."""
        return "\n".join(map(visible, self.message.split("\n")))


def visible(text: str) -> str:
    """``text`` on one line with every control, format and direction character as a visible mark."""
    return text if text.isascii() and text.isprintable() else "".join(map(_mark, text))


def line(record: Record) -> Text:
    """One error or log message as one line: when, how bad, what, where."""
    level = record.get("level", "log")
    text = Text(clock(record["at"]) + " ", style="dim")
    text.append(f"{visible(level):<7}", style=STYLES.get(level, ""))
    text.append(" " + visible(_words(record)), style="" if level != "log" else "dim")
    if record.get("where"):
        text.append("  " + visible(record["where"]), style="dim italic")
    return text


def issue_line(issue: Issue) -> Text:
    """One issue as one line: its id, how often, when last, what became of it, what it is."""
    users = f"{issue.users}{'+' if issue.has_more_users else ''} users " if issue.users else ""
    text = Text(f"{issue.id} ", style="dim")
    text.append(f"{issue.count:>8,} ")
    text.append(f"{issue.last_seen_at.astimezone():%m-%d %H:%M} ", style="dim")
    state = "regressed" if issue.status == "open" and issue.regressed_at else issue.status.value
    text.append(f"{state:<9} ", style="yellow" if state == "regressed" else "dim")
    text.append(users + visible(issue.title), style=STYLES.get(issue.level, ""))
    if issue.where:
        text.append("  " + visible(issue.where), style="dim italic")
    return text


def console(*, stderr: bool = False) -> Console:
    """A terminal that neither reads markup in what it prints nor guesses what to colour."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def out(record: Record, screen: Console, *, as_json: bool) -> None:
    """Print one record, at once."""
    if as_json:
        echo(record)
    else:
        screen.print(line(record))


def echo(record: Mapping[str, Any]) -> None:
    """Print one line of JSON, at once."""
    click.echo(encode(record))


def clock(at: str) -> str:
    """The local time of day of an ISO 8601 time."""
    return f"{datetime.fromisoformat(at).astimezone():%H:%M:%S.%f}"[:-3]


def _words(record: Record) -> str:
    if "title" in record:
        return str(record["title"])
    return str(record["text"]) if "text" in record else _pairs(record.get("fields") or {})


def _pairs(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())


@lru_cache(maxsize=1024)
def _mark(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    is_unseen = unicodedata.category(character) in _UNSEEN and character not in _JOINERS
    return f"<U+{code:04X}>" if is_unseen else character
