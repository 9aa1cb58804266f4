"""A snippet in colours: its comments, its texts, and what was filled in, told apart.

No grammar: what is between quotes is text, what begins like a comment is one. It is for reading
alone; put together again the pieces are the snippet to the letter.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_HASH = r"(?<!\S)#[^\n]*"
_SLASHES = r"(?<!:)//[^\n]*"
_MARKUP = r"<!--.*?-->|<%--.*?--%>"
_COMMENTS = {
    "sh": _HASH,
    "python": _HASH,
    "powershell": _HASH,
    "php": rf"{_HASH}|{_SLASHES}|/\*.*?\*/",
    "html": _MARKUP,
    "aspx": rf"{_MARKUP}|{_SLASHES}",
}
_OTHERS = rf"{_SLASHES}|/\*.*?\*/"
"""The comments of every language that is not named."""
_TEXTS = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a snippet: ``kind`` is ``filled``, ``comment``, ``text``, or empty for the rest."""

    kind: str
    text: str


def paint(snippet: str, language: str, filled: Sequence[str]) -> list[Piece]:
    """The pieces of a snippet, in order; ``filled`` are the values that were put into it."""
    values = [re.escape(each) for each in filled if each]
    found: list[Piece] = []
    at = 0
    for match in _grammar(language).finditer(snippet):
        found += _marked("", snippet[at : match.start()], values)
        found += _marked(match.lastgroup or "", match.group(), values)
        at = match.end()
    return [*found, *_marked("", snippet[at:], values)]


def _marked(kind: str, text: str, values: Sequence[str]) -> Iterator[Piece]:
    """A piece with what was filled in as pieces of their own."""
    pieces = re.split(f"({'|'.join(values)})", text) if values else [text]
    for place, piece in enumerate(pieces):
        if piece:
            yield Piece("filled" if place % 2 else kind, piece)


@lru_cache(maxsize=64)
def _grammar(language: str) -> re.Pattern[str]:
    comments = _COMMENTS.get(language, _OTHERS)
    return re.compile(f"(?P<comment>{comments})|(?P<text>{_TEXTS})", re.DOTALL)
