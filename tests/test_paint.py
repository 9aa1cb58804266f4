"""Snippets in colours: the same to the letter, with comments, texts and filled values apart."""

import pytest

from errorstack_live.paint import Piece, paint
from errorstack_live.web.client import shelf

URL, KEY = "https://e.example", "0123abcd"
CASES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("sh", "curl 'a' # say", (("", "curl "), ("text", "'a'"), ("", " "), ("comment", "# say"))),
    ("sh", f"curl {URL}/submit", (("", "curl "), ("filled", URL), ("", "/submit"))),
    (
        "sh",
        f"curl '{URL}?_s={KEY}'",
        (
            *(("", "curl "), ("text", "'"), ("filled", URL), ("text", "?_s=")),
            *(("filled", KEY), ("text", "'")),
        ),
    ),
    ("js", "f(); // it's", (("", "f(); "), ("comment", "// it's"))),
    ("js", '"http://x"', (("text", '"http://x"'),)),
    ("html", "<!-- 'a' --><b>", (("comment", "<!-- 'a' -->"), ("", "<b>"))),
    ("python", r'x = "a\"b"', (("", "x = "), ("text", r'"a\"b"'))),
    ("sh", "it's $#", (("", "it's $#"),)),
)


@pytest.mark.parametrize(("language", "snippet", "pieces"), CASES)
def test_pieces(language: str, snippet: str, pieces: tuple[tuple[str, str], ...]) -> None:
    assert paint(snippet, language, (URL, KEY)) == [Piece(*each) for each in pieces]


@pytest.mark.parametrize("filled", shelf().filled(URL, KEY), ids=lambda each: each.name)
def test_every_snippet_stays_to_the_letter(filled: object) -> None:
    text, language = filled.text, filled.of.language  # type: ignore[attr-defined]
    pieces = paint(text, language, (URL, KEY))
    assert "".join(piece.text for piece in pieces) == text
    assert any(piece.kind == "filled" for piece in pieces)
