"""Cursors come back as the positions they were made of, and only from where they were made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorstack_live.live.cursor import Cursors

CURSORS = Cursors("a secret")
TOKEN = (
    "8267A1B0C4000000012B042C0100296E5A1004E6C1D3F7A94C4E0FB7B1C0D2E3F4A5B6"
    "46645F696400646732A1B0C4D5E6F708192A3B0004"
)


@pytest.mark.parametrize("position", [TOKEN, "0", "ABC", "ab12", "plain text", "é€😀", "1-2.3"])
def test_a_cursor_is_its_position(position: str) -> None:
    assert CURSORS.read(CURSORS.sign(position)) == position


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_position_comes_back(position: str) -> None:
    assert Cursors("a secret").read(CURSORS.sign(position)) == position


def test_a_cursor_is_shorter_than_the_token_and_fits_an_address() -> None:
    cursor = CURSORS.sign(TOKEN)
    assert len(cursor) < len(TOKEN)
    assert all(letter.isalnum() or letter in "-_." for letter in cursor)


@given(st.text())
def test_nothing_else_is_a_cursor(text: str) -> None:
    assert CURSORS.read(text) is None


def test_a_changed_or_foreign_cursor_is_none() -> None:
    cursor = CURSORS.sign(TOKEN)
    for place in range(len(cursor) - 1):  # the last digit has bits that mean nothing
        letter = "A" if cursor[place] != "A" else "B"
        assert CURSORS.read(cursor[:place] + letter + cursor[place + 1 :]) is None
    assert Cursors("another").read(cursor) is None
    assert CURSORS.read(TOKEN) is None
    assert CURSORS.read(None) is None


def test_no_position_makes_no_cursor() -> None:
    assert CURSORS.sign("") == ""
    assert CURSORS.read("") is None
