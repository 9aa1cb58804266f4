"""What a share link's viewers may see of an error: everything but its hidden fields.

A hidden name hides the field of that name, everything below it, and the dotted names that begin
with it. What lists show (title, place, level) is read anew from what is left, because it may
quote a hidden field.
"""

from collections.abc import Collection
from dataclasses import replace

from errorstack_live import jsontext, meaning
from errorstack_live.model import JSON, Error, Fields, LogMessage, Request

WITHHELD = "…"
"""Stands for text in which hidden fields cannot be found."""


def hides(hidden: Collection[str], path: str) -> bool:
    """Say whether the field at this dotted path is hidden, itself or with what it is part of."""
    parts = path.split(".")
    return any(".".join(parts[:end]) in hidden for end in range(1, len(parts) + 1))


def redact(error: Error, hidden: Collection[str]) -> Error:
    """Return the error without its hidden fields: the same object when none are hidden."""
    if not hidden:
        return error
    fields = _without(error.fields, hidden)
    said = meaning.read(fields)
    return replace(
        error,
        title=said.title,
        type=said.type,
        level=said.level,
        where=said.where,
        search=meaning.search_text(said.title, fields),
        fields=fields,
        reserved=None if error.reserved is None else _without(error.reserved, hidden),
        before=tuple(redact_log(message, hidden) for message in error.before),
        scrubbed=tuple(name for name in error.scrubbed if not hides(hidden, name)),
        request=_request(error.request, hidden),
        part=None if "_id" in hidden else error.part,
        new=tuple(word for word in error.new if not _tells_of(hidden, word)),
        group="",  # it may quote a hidden field, as titles may
    )


def _tells_of(hidden: Collection[str], word: str) -> bool:
    """Whether a word of ``new`` tells of a hidden field, whose name may have equal signs in it."""
    kind, _, rest = word.partition(":")
    if kind == "field":
        return hides(hidden, rest)
    ends = (at for at, sign in enumerate(rest) if sign == "=")
    return kind == "value" and any(hides(hidden, rest[:end]) for end in ends)


def redact_log(message: LogMessage, hidden: Collection[str]) -> LogMessage:
    """Return the log message without its hidden fields, also where its text is JSON."""
    if not hidden:
        return message
    if message.fields is not None:
        return replace(message, fields=_without(message.fields, hidden))
    return replace(message, text=_text_without(message.text or "", hidden))


def _text_without(text: str, hidden: Collection[str]) -> str:
    """Long fields are kept with an error as the start of their JSON: a part of them is no JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = jsontext.parse(text)
    except ValueError:
        return WITHHELD if "{" in text else text
    left = _inner(value, hidden, "")
    return text if left == value else jsontext.write(left)


def _without(fields: Fields, hidden: Collection[str], path: str = "") -> dict[str, JSON]:
    return {
        name: _inner(value, hidden, f"{path}{name}.")
        for name, value in fields.items()
        if not hides(hidden, path + name)
    }


def _inner(value: JSON, hidden: Collection[str], path: str) -> JSON:
    if isinstance(value, dict):
        return _without(value, hidden, path)
    if isinstance(value, list):
        return [_inner(item, hidden, path) for item in value]
    return value


def _request(request: Request, hidden: Collection[str]) -> Request:
    """Blank what ``request`` or, for example, ``request.ip`` hides."""
    names = ("ip", "user_agent", "referer")
    return replace(request, **{name: "" for name in names if hides(hidden, f"request.{name}")})
