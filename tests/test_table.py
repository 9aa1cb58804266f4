"""Tables for spreadsheets: read back what was written, and compute nothing of it."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import error as made

from errorstack_live.table import (
    FIRST_COLUMNS,
    MAX_COLUMNS,
    OTHER_COLUMN,
    Table,
    all_columns,
)

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def cell(value: Any) -> str:
    return read(Table(("x",)).rows([made(fields={"x": value})]))[0][0] if value != "" else ""


def test_chosen_columns_are_found_as_the_query_language_names_them() -> None:
    error = made(fields={"user": {"id": 7}, "a.b": "dotted", "title": "own", "n": 1.5, "t": ["x"]})
    table = Table(("at", "title", "fields.title", "user.id", "user", "a.b", "n", "t", "none"))
    assert read(table.head()) == [list(table.columns)]
    assert read(table.rows([error]))[0][1:] == [
        error.title, "own", "7", '{"id": 7}', "dotted", "1.5", '["x"]', ""
    ]  # fmt: skip


def test_a_table_of_all_fields_loses_none() -> None:
    table = all_columns([made(fields={"a": "1", "id": "mine"}), made(fields={"b": "2"})])
    assert table.columns == (*FIRST_COLUMNS, "a", "fields.id", "b")
    head, row = read(table.head() + table.rows([made(fields={"b": "3", "later": [1]})]))
    assert head[-1] == OTHER_COLUMN
    assert dict(zip(head, row, strict=True)) | {"at": "", "id": "", "issue": "", "title": ""} == {
        **dict.fromkeys(head, ""),
        "level": "error",
        "b": "3",
        OTHER_COLUMN: '{"later": [1]}',
    }


def test_columns_are_bounded() -> None:
    many = made(fields={f"field {number}": "x" for number in range(MAX_COLUMNS * 2)})
    table = all_columns([many])
    assert len(table.columns) == MAX_COLUMNS + len(FIRST_COLUMNS)
    assert f'"field {MAX_COLUMNS}": "x"' in read(table.rows([many]))[0][-1]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1",
        "\u00a0=1", "\ufeff=1", "\uff1d1+1", "+49 170 1", "-", "--1", "\tx",
    ],
)  # fmt: skip
def test_formulas_become_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert read(Table((text,)).head()) == [[f"'{text}"]]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("-5", "-5"), (-5, "-5"), (-1.5e-7, "-1.5e-07"), ("a=b", "a=b"), (True, "true"),
        (None, ""), ('say "x", y\nz', 'say "x", y\nz'), ("a\0b", "a\u2400b"), ("\ud800", "?"),
        ({"=1": 2}, '{"=1": 2}'),
    ],
)  # fmt: skip
def test_other_values_are_as_they_were(value: Any, shown: str) -> None:
    assert cell(value) == shown


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=5), max_size=9))
def test_any_error_is_one_row_of_the_same_width(sent: list[dict[str, str]]) -> None:
    errors = [made(fields=fields) for fields in sent]
    table = all_columns(errors)
    found = read(table.head() + table.rows(errors))
    assert len(found) == len(errors) + 1
    assert {len(row) for row in found} == {len(table.columns) + 1}
    for row in found:
        for value in row:
            assert value.lstrip()[:1] not in {"=", "@", "+"}
