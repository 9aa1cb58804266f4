"""Errors as the rows of a table for spreadsheets: CSV by RFC 4180, in UTF-8. Pure.

Who sent an error is anonymous: what a spreadsheet would take for a formula is made text.
"""

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from errorstack_live.model import JSON, Error, Fields
from errorstack_live.query.node import MEANINGS, SENDER_PREFIX, path
from errorstack_live.when import iso

FIRST_COLUMNS = ("at", "level", "type", "title", "where", "issue", "id")
"""What each table of all fields begins with."""
OTHER_COLUMN = "other fields"
"""The last one of a table of all fields: those that have no column, as JSON."""
MAX_COLUMNS = 200
_OWN = MEANINGS | {"at"}
_ACTING = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with in one of the spreadsheets; also in full width."""
_PLAIN_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DEFUSED = "'"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by their names in the query language; ``has_others`` adds OTHER_COLUMN."""

    columns: tuple[str, ...]
    has_others: bool = False

    def head(self) -> bytes:
        """The line of names."""
        others = (OTHER_COLUMN,) if self.has_others else ()
        return _lines([[*self.columns, *others]])

    def rows(self, errors: Iterable[Error]) -> bytes:
        """A line for each error."""
        return _lines(self._row(each) for each in errors)

    def _row(self, error: Error) -> list[str]:
        row = [_text(_value(error, name)) for name in self.columns]
        if self.has_others:
            told = {name.removeprefix(SENDER_PREFIX) for name in self.columns if name not in _OWN}
            others = {name: value for name, value in error.fields.items() if name not in told}
            row.append(_text(others) if others else "")
        return row


def all_columns(sample: Iterable[Error]) -> Table:
    """A table of every field that these errors have, in the order in which they are met.

    The fields of later errors that have no column, and those past MAX_COLUMNS, are in the last.
    """
    names: dict[str, None] = {}
    for error in sample:
        for name in error.fields:
            if name and len(names) < MAX_COLUMNS:
                names[SENDER_PREFIX + name if _needs_prefix(name) else name] = None
    return Table((*FIRST_COLUMNS, *names), has_others=True)


def _needs_prefix(name: str) -> bool:
    return name in _OWN or name.startswith(SENDER_PREFIX)


def _value(error: Error, name: str) -> JSON:
    if name == "at":
        return iso(error.at)
    if name in MEANINGS:
        return str(getattr(error, name))
    return _reached(error.fields, name.removeprefix(SENDER_PREFIX))


def _reached(fields: Fields, name: str) -> JSON:
    """The field of this name, else what its path leads to, by name alone."""
    if name in fields:
        return fields[name]
    value: JSON = dict(fields)
    for step in path(name) or ():
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value if path(name) else None


def _text(value: JSON) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    out = _Text()
    csv.writer(out, lineterminator="\r\n").writerows(map(_defused, row) for row in rows)
    return "".join(out).encode("utf-8", "replace")


class _Text(list[str]):
    """What the writer writes to."""

    write = list.append


def _defused(text: str) -> str:
    """The text, with a sign before it where a spreadsheet would otherwise compute it."""
    text = text.replace("\0", "\u2400")
    begins = text.lstrip(" \t\r\n\v\f\u00a0\ufeff")
    if begins.startswith(_ACTING) and not _PLAIN_NUMBER.fullmatch(text):
        return _DEFUSED + text
    return _DEFUSED + text if text[:1] in {"\t", "\r", "\n"} else text
