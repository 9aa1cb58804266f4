"""Counting fields and their values: bounded whatever strangers send."""

from typing import Any

from making import error

from errorstack_live.facet import (
    MAX_FIELDS_EACH,
    MAX_NAMES,
    MAX_VALUES,
    SHOWN_VALUES,
    Counted,
    Facet,
)


def counted(*sent: dict[str, Any]) -> dict[str, Facet]:
    found = Counted()
    found.add(error(n, fields=fields) for n, fields in enumerate(sent))
    assert found.rows == len(sent)
    return {each.name: each for each in found.facets()}


def test_values_are_counted_most_frequent_first() -> None:
    found = counted({"a": "x"}, {"a": "y"}, {"a": "y"}, {"b": True})
    assert found["a"] == Facet("a", 3, 2, (("y", 2), ("x", 1)))
    assert found["b"].values == (("true", 1),)


def test_nested_fields_are_named_by_their_path() -> None:
    found = counted({"user": {"plan": {"name": "pro"}, "none": {}}, "n": 1.5, "list": [1]})
    assert {"user.plan.name", "n"} <= set(found)
    assert not {"user", "user.none", "list"} & set(found)


def test_what_strangers_send_is_bounded() -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(32):
        inner["d"] = inner = {}
    inner["end"] = 1
    many = {f"f{n}": n for n in range(MAX_FIELDS_EACH * 3)}
    found = counted(deep, many, {"n" * 300: "x", "": "x", "long": "x" * 200})
    assert len([name for name in found if name.startswith("f")]) == MAX_FIELDS_EACH
    assert not [name for name in found if "end" in name or "n" * 300 in name]
    assert not {"", "long"} & set(found)


def test_names_and_values_end_somewhere() -> None:
    found = counted(*({f"name{n}": n, "id": n} for n in range(MAX_VALUES + 50)))
    assert len(found) == MAX_NAMES
    assert found["id"].distinct == MAX_VALUES
    assert len(found["id"].values) == SHOWN_VALUES
