"""Times as people type and programs read them: spans (``15m``), moments, ISO 8601."""

import re
from datetime import UTC, datetime, timedelta

from errorstack_live.errors import Invalid

_SPAN = re.compile(r"(\d{1,6})\s*(s|m|h|d|w)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: datetime) -> datetime:
    """A point in time: so long before ``now``, or ISO 8601 (UTC where it names no zone).

    Raises Invalid when it is neither.
    """
    span = parse_span(text)
    try:
        if span is not None:
            return now - span
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        said = f"{text[:40]!r} is neither like 15m, 2h or 7d nor an ISO 8601 time"
        raise Invalid(said) from None


def parse_span(text: str) -> timedelta | None:
    """The length of time that ``text`` names, or None."""
    found = _SPAN.fullmatch(text.strip().lower())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_ms(at_ms: int) -> datetime:
    """The wire's milliseconds since 1970."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970, as on the wire."""
    return round(at.timestamp() * 1000)
