"""Which errors are one issue: a fingerprint of what stays the same between occurrences.

That is the type, the message's template, and the first frames of the sender's own code, or the
file where there is no trace. Line numbers, ids, addresses and numbers are left out, so that the
next release or the next user does not make a new issue. ``VERSION`` changes with the rule: issues
of different rules never mix.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

from errorstack_live import meaning as meanings
from errorstack_live.model import Fields, Meaning
from errorstack_live.trace import frames

VERSION = "2"

MAX_TEMPLATE_CHARS = 1_000
MAX_FRAMES = 3
MAX_REMEMBERED = 2_000
"""Texts whose normal form is kept, a few MB at most: storms say the same thing again and again."""
MAX_WORD_CHARS = 32
"""A longer word with a digit in it is an id as a whole."""

_VARYING = re.compile(
    r"""(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    |(?P<quoted>"[^"\n]{0,200}"|'[^'\n]{0,200}'|`[^`\n]{0,200}`)
    |(?P<query>\?[^\s"'<>]+)
    |(?P<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+)
    |(?P<word>\b[^\W\d]*+\d\w*+)""",
    re.VERBOSE,
)
_DIGITS = re.compile(r"\d+")
_HEX = re.compile(r"(?:0[xX][0-9a-fA-F]+|[0-9a-fA-F]{8,})\Z")


def of(meaning: Meaning, fields: Fields) -> str:
    """Return an error's fingerprint: VERSION and 16 hex digits."""
    called = _app_frames(meaning.trace)
    parts = [
        meaning.type,
        normal(meanings.template(fields) or meaning.title),
        *called,
        "" if called else _file(meanings.source(fields)),
    ]
    return _mark(*parts)


def named(group: str) -> str:
    """Return the fingerprint of the issue that rules name ``group``."""
    return _mark("group", group)


def split(mark: str, values: Iterable[str]) -> str:
    """Return the fingerprint of a part of an issue, by the values that tell its parts apart."""
    return _mark("split", mark, *values)


def issue_id(stack_id: str, fingerprint: str) -> str:
    """Return the id, 24 hex digits, that this fingerprint's issue has in every process."""
    return blake2b(f"{stack_id}:{fingerprint}".encode(), digest_size=12).hexdigest()


def normal(text: str) -> str:
    """Return text with everything that varies between occurrences as ``#``."""
    return _normal(text[:MAX_TEMPLATE_CHARS])


def _mark(*parts: str) -> str:
    digest = blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8)
    return f"{VERSION}{digest.hexdigest()}"


@lru_cache(maxsize=MAX_REMEMBERED)
def _normal(text: str) -> str:
    return " ".join(_VARYING.sub(_replaced, text).split())


def _replaced(found: re.Match[str]) -> str:
    text, kind = found[0], found.lastgroup
    if kind == "word":
        return _word(text)
    if kind == "quoted":  # 'user-42' is an id, 'undefined' is a part of the message
        return f"{text[0]}#{text[0]}" if _DIGITS.search(text) else text
    return "#"


def _word(word: str) -> str:
    return "#" if len(word) > MAX_WORD_CHARS or _HEX.match(word) else _DIGITS.sub("#", word)


def _app_frames(trace: str) -> list[str]:
    """Return the first frames of the sender's own code, of anyone's where there is none."""
    found = frames(trace) if trace else ()
    chosen = [frame for frame in found if frame.is_app] or found
    distinct = dict.fromkeys((frame.file, frame.function) for frame in chosen)  # recursion: once
    return [f"{_file(file)} {normal(function)}" for file, function in islice(distinct, MAX_FRAMES)]


def _file(path: str) -> str:
    """Return the end of a path or script address: hosts, releases and build hashes differ."""
    path = path.partition("?")[0].partition("#")[0].replace("\\", "/")
    return normal("/".join(path.rsplit("/", 2)[-2:]))
