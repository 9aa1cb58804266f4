"""What an error's fields say (PROTOCOL 9): title, type, level, place and stack trace.

Nothing here is required of a sender: whatever is missing is empty, and the title never is.
Names are case-sensitive, the first one found wins. None, "None" and blank text mean absent, and
of a name given twice the first usable value counts.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from errorstack_live import trace as traces
from errorstack_live.model import JSON, Fields, Level, Meaning
from errorstack_live.trace import Trace

MESSAGE_NAMES = ("Msg", "msg", "Message", "message", "error", "_msg", "reason")
TYPE_NAMES = ("name", "Type", "type", "levelname")
LEVEL_NAMES = ("level", "levelname", "severity")
FILE_NAMES = ("ScriptURL", "File", "pathname", "filename")
PAGE_NAMES = ("PageURL", "URL")
LINE_NAMES = ("Line", "lineno")
TRACE_NAMES = ("stack", "StackTrace", "backtrace", "exc_text", "trace", "traceback")

USER_NAMES = (
    *("user", "User", "user_id", "userId", "UserID", "uid", "username", "userName", "UserName"),
    *("email", "user_email", "userEmail"),
)
_INNER_USER_NAMES = ("id", "user_id", "uid", "email", "username", "name")

UNGROUPED_NAMES = frozenset({"thread", "process", "asctime", "createdDate", "_id", "postingIP"})
"""Different in every occurrence: never a title, never part of a fingerprint."""

NO_MESSAGE = "(no message)"
MAX_TITLE_CHARS = 300
MAX_WHERE_CHARS = 300
MAX_TYPE_CHARS = 100
MAX_SEARCH_CHARS = 16_384
MAX_TEMPLATE_CHARS = 4_000
MAX_ARGS_CHARS = 2_000
MAX_PLACEHOLDERS = 50

_WORDS = {
    Level.FATAL: "fatal critical crit emergency emerg alert panic",
    Level.ERROR: "error err exception severe failure",
    Level.WARNING: "warning warn",
    Level.INFO: "info information informational notice log",
    Level.DEBUG: "debug trace verbose fine finer finest silly",
}
LEVEL_WORDS = {word: level for level, words in _WORDS.items() for word in words.split()}
"""Every word for a level that is understood, lower-case."""

_PYTHON_LEVELS = ((50, Level.FATAL), (40, Level.ERROR), (30, Level.WARNING), (20, Level.INFO))
_SYSLOG_LEVELS = (
    *(Level.FATAL, Level.FATAL, Level.FATAL, Level.ERROR),
    *(Level.WARNING, Level.INFO, Level.INFO, Level.DEBUG),
)

_SCRIPT = re.compile(r"\.(?:[cm]?jsx?|[cm]?tsx?|vue|svelte|wasm)$", re.IGNORECASE)
# As in Uncaught (in promise) TypeError, or java.lang.NullPointerException
_TYPED = re.compile(
    r"(?:Uncaught )?(?:\(in promise\) )?((?:[A-Za-z_]\w{0,40}\.){0,8}[A-Z]\w{0,60}"
    r"(?:Error|Exception|Warning|Fault|Interrupt|Exit)|Error)(?::|$)"
)
# A width or precision of more than three digits, or taken from the arguments, could ask for
# gigabytes of padding.
_PLACEHOLDER = re.compile(
    r"%(?:\(\w{1,64}\))?[#0\- +]{0,5}\d{0,3}(?:\.\d{1,3})?[hlL]?[diouxXeEfFgGcrsa%]"
)
# The last two are how Python's parser says "too deep".
_FORMAT_FAILURES = (
    *(ValueError, TypeError, KeyError, OverflowError, SyntaxError),
    *(RecursionError, MemoryError),
)


def read(fields: Fields) -> Meaning:
    """Say what the fields mean. Never raises, whatever JSON the values are."""
    fields = _with_inner(fields)
    message = _formatted(fields)
    trace = _trace_text(fields)
    thrown = _thrown(trace) if trace else ""
    kind = _type(fields, message, thrown)
    return Meaning(
        title=_title(fields, message, kind, thrown),
        type=kind,
        level=level_of(first(fields, LEVEL_NAMES)),
        where=_where(fields, trace),
        message=message,
        trace=trace,
    )


def trace_of(fields: Fields) -> tuple[str, Trace] | None:
    """Return the field that has the stack trace, and its frames, which may be none."""
    given = _with_inner(fields)
    name = next((name for name in TRACE_NAMES if _trace_text(given, (name,))), None)
    if name is None:
        return None
    return (name if name in fields else f"error.{name}"), traces.of(given[name])


def user(fields: Fields) -> str:
    """Return what tells the user of an error from others, or "": no sender has to say it."""
    for name in USER_NAMES:
        value = fields.get(name)
        if value is not None:
            inner = isinstance(value, dict)
            if found := first(value, _INNER_USER_NAMES) if inner else _text(value):  # type: ignore[arg-type]
                return found
    return ""


def template(fields: Fields) -> str:
    """Return the message as the program wrote it, before its arguments were put in, or ""."""
    return first(_with_inner(fields), MESSAGE_NAMES)


def source(fields: Fields) -> str:
    """Return the file or script an error comes from, or "": a page is not one."""
    name = first(fields, FILE_NAMES)
    if name:
        return name
    url = first(fields, ("URL",))
    return url if _SCRIPT.search(url.partition("?")[0].partition("#")[0]) else ""


def level_of(word: str) -> Level:
    """Return the level that a sender's word or number (Python's, or syslog's below 8) means."""
    if not word.isdecimal() or len(word) > 4:
        return LEVEL_WORDS.get(word.lower(), Level.ERROR)
    number = int(word)
    if number < len(_SYSLOG_LEVELS):
        return _SYSLOG_LEVELS[number]
    return next((level for least, level in _PYTHON_LEVELS if number >= least), Level.DEBUG)


def search_text(title: str, fields: Fields) -> str:
    """Return what bare words look in: the title and every text value, casefolded, one a line.

    At most ``MAX_SEARCH_CHARS`` characters; what is past them is not found by bare words.
    """
    parts, room = [title], MAX_SEARCH_CHARS - len(title)
    for text in texts(fields):
        if room <= 0:
            break
        parts.append(text[:room])
        room -= len(text) + 1
    return "\n".join(parts).casefold()[:MAX_SEARCH_CHARS]


def texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value, in order, at any depth; names are not values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


def first(fields: Fields, names: Iterable[str]) -> str:
    """Return the text of the first of these fields that has one, or ""."""
    for name in names:
        if name in fields and (text := _text(fields[name])):
            return text
    return ""


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return "" if value == "None" else value.strip()
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return ""
    if isinstance(value, list):
        return _list_text(value)
    return str(value)


def _list_text(values: list[JSON]) -> str:
    # A name given twice, or a backtrace sent as a JSON list of its lines.
    found = [text for item in values if not isinstance(item, list) and (text := _text(item))]
    return "\n".join(found) if len(found) > 2 else next(iter(found), "")


def _with_inner(fields: Fields) -> Fields:
    """Let ``{"error": {"message": …, "stack": …}}`` mean what the inner fields say."""
    inner = fields.get("error")
    return {**inner, **fields} if isinstance(inner, dict) else fields


def _is_logging(fields: Fields) -> bool:
    return "levelname" in fields and "name" in fields


def _formatted(fields: Fields) -> str:
    """Return the message, with Python's ``msg % args`` done where ``args`` is a safe literal."""
    message, args = first(fields, MESSAGE_NAMES), first(fields, ("args",))
    if not args or args == "()" or "%" not in message or not _is_harmless(message, args):
        return message
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in a sender's literal are not ours
            return str(message % ast.literal_eval(args))
    except _FORMAT_FAILURES:
        return message


def _is_harmless(message: str, args: str) -> bool:
    return (
        len(message) <= MAX_TEMPLATE_CHARS
        and len(args) <= MAX_ARGS_CHARS
        and message.count("%") <= MAX_PLACEHOLDERS
        and "%" not in _PLACEHOLDER.sub("", message)
    )


def _type(fields: Fields, message: str, thrown: str) -> str:
    # A Python record's `name` is its logger's; its exception is named by its traceback.
    named = "" if _is_logging(fields) else first(fields, TYPE_NAMES)
    kind = named or _raised(message) or _raised(thrown) or first(fields, TYPE_NAMES)
    return _one_line(kind, MAX_TYPE_CHARS)


def _raised(text: str) -> str:
    found = _TYPED.match(text)
    return found[1] if found else ""


def _trace_text(fields: Fields, names: Iterable[str] = TRACE_NAMES) -> str:
    """Return the raw trace; a list of frames is written as one."""
    values = ((name, fields[name]) for name in names if name in fields)
    found = (traces.text(value) or first(fields, (name,)) for name, value in values)
    return next((text for text in found if text), "")


def _thrown(trace: str) -> str:
    """Return the line in which a trace names what was thrown: its first, or Python's last."""
    lines = (trace[:500].partition("\n")[0], trace[-2_000:].rpartition("\n")[2])
    return next((line for line in lines if _raised(line)), "")


def _title(fields: Fields, message: str, kind: str, thrown: str) -> str:
    text = _one_line(message or thrown, MAX_TITLE_CHARS)
    if not text:
        return kind or next(_other_texts(fields), "") or NO_MESSAGE
    if not _belongs(kind, text) or _is_logging(fields):
        return text
    return _one_line(f"{kind}: {text}", MAX_TITLE_CHARS)


def _belongs(kind: str, text: str) -> bool:
    """Say whether a title is better with the type before it: it is one, and not there yet."""
    is_told = kind.casefold() in text[: len(kind) + 32].casefold()
    return not is_told and kind.lower() not in LEVEL_WORDS


def _other_texts(fields: Fields) -> Iterator[str]:
    for name, value in fields.items():
        if name not in UNGROUPED_NAMES and (text := _one_line(_text(value), MAX_TITLE_CHARS)):
            yield text


def _where(fields: Fields, trace: str) -> str:
    line = first(fields, LINE_NAMES)
    place = source(fields)
    if not place and trace:
        place, line = _thrown_at(trace, line)
    if not place:
        place = first(fields, PAGE_NAMES)
    if place:
        return _one_line(f"{place}:{line}" if line else place, MAX_WHERE_CHARS)
    return _one_line(first(fields, ("name",)), MAX_WHERE_CHARS) if _is_logging(fields) else ""


def _thrown_at(trace: str, line: str) -> tuple[str, str]:
    """Return the file and line of a trace's first frame of the sender's own code."""
    found = [frame for frame in traces.frames(trace) if frame.file]
    top = next((frame for frame in found if frame.is_app), found[0] if found else None)
    return (top.file, str(top.line or "")) if top else ("", line)


def _one_line(text: str, chars: int) -> str:
    line = " ".join(text[: chars * 4].split())
    return line if len(line) <= chars else line[: chars - 1] + "…"
