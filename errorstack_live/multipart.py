"""``multipart/form-data`` bytes → its parts (RFC 7578), also of a body without its end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOUNDARY_BYTES = 256
"""RFC 2046 allows 70; a longer one than this is no boundary."""
MAX_PARTS = 2000
"""Parts that are read; later ones are counted."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part, as bytes. ``filename`` is None where it is no file."""

    name: bytes
    filename: bytes | None
    content: bytes


def split(body: bytes, content_type: str) -> tuple[list[Part], int]:
    """Split a body at its boundary: the one declared, else the one its first line shows.

    Of a body without an end the last part holds what is there. Beside the first MAX_PARTS comes
    the number of parts after them. No parts: there is no boundary in the body.
    """
    for boundary in _boundaries(body, content_type):
        pieces = _pieces(b"\n" + body, b"--" + boundary)
        if pieces:
            return [_part(piece) for piece in pieces[:MAX_PARTS]], len(pieces[MAX_PARTS:])
    return [], 0


def _boundaries(body: bytes, content_type: str) -> Iterator[bytes]:
    declared = _BOUNDARY.search(content_type)
    if declared:
        yield (declared[1] or declared[2]).encode("latin-1", "replace")
    shown = _FIRST_LINE.match(body)
    if shown:
        yield shown[1]


def _pieces(body: bytes, dashed: bytes) -> list[bytes]:
    """What is between the lines that begin with ``dashed``, up to the one that ends it all."""
    pieces: list[bytes] = []
    start = None
    for line in re.finditer(rb"\r?\n%s(--)?[ \t]*+(?=\r?\n|\Z)" % re.escape(dashed), body):
        if start is not None:
            pieces.append(body[start : line.start()])
        start = line.end()
        if line[1]:
            return pieces
    if start is not None:
        pieces.append(_without_start_of(b"\r\n" + dashed, body[start:]))
    return pieces


def _part(piece: bytes) -> Part:
    _, _, piece = piece.partition(b"\n")
    head, content = _at_blank_line(piece)
    disposition = _DISPOSITION.search(head)
    parameters = {
        name.lower(): quoted or token
        for name, quoted, token in _PARAMETER.findall(disposition[1] if disposition else b"")
    }
    filename = parameters.get(b"filename", parameters.get(b"filename*"))
    return Part(
        _unescape(parameters.get(b"name", b"")),
        None if filename is None else _unescape(filename),
        content,
    )


def _at_blank_line(piece: bytes) -> tuple[bytes, bytes]:
    blank = _BLANK_LINE.search(piece)
    return (piece[: blank.start()], piece[blank.end() :]) if blank else (piece, b"")


def _without_start_of(delimiter: bytes, content: bytes) -> bytes:
    """Drop the part of the next delimiter that a truncated body ends with."""
    for size in range(min(len(delimiter), len(content)), 0, -1):
        if content.endswith(delimiter[:size]):
            return content[:-size]
    return content


def _unescape(value: bytes) -> bytes:
    """Undo what browsers escape in a quoted name, and the backslash of older senders."""
    for escaped, plain in _ESCAPES:
        value = value.replace(escaped, plain)
    return value


_ESCAPES = ((b"%22", b'"'), (b"%0D", b"\r"), (b"%0A", b"\n"), (b'\\"', b'"'))
_BOUNDARY = re.compile(
    rf';\s*boundary=(?:"([^"]{{1,{MAX_BOUNDARY_BYTES}}})"|([^\s;"]{{1,{MAX_BOUNDARY_BYTES}}}))',
    re.IGNORECASE,
)
_FIRST_LINE = re.compile(rb"--([^\r\n]{1,%d})\r?\n" % MAX_BOUNDARY_BYTES)
_BLANK_LINE = re.compile(rb"(?:^|\n)\r?\n")
_DISPOSITION = re.compile(rb"^content-disposition:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PARAMETER = re.compile(rb';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;\s]*+))')
