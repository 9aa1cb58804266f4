"""Values from outside."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorstack_live.errors import Invalid
from errorstack_live.web import parameter
from errorstack_live.web.auth import local_path

AN_ID = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    "text", ["0", "11", "-1", "+1", "1.5", "1e3", "²", "٣", " 1", "x", "9" * 99]
)
def test_what_is_no_number_from_1_to_10(text: str) -> None:
    with pytest.raises(Invalid, match="n is"):
        parameter.integer({"n": text}, "n", low=1, high=10)


def test_numbers() -> None:
    assert parameter.integer({"n": "10"}, "n", low=1, high=10) == 10
    assert parameter.integer({}, "n", low=1, high=10, default=3) == 3
    assert parameter.integer({"n": ""}, "n", low=1, high=10, default=3) == 3
    with pytest.raises(Invalid):
        parameter.integer({}, "n", low=1, high=10)


def test_moments() -> None:
    assert parameter.moment({"at": "1500"}, "at") == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert parameter.moment({}, "at") is None
    last = parameter.moment({"at": str(parameter.MAX_MILLIS)}, "at")
    assert last is not None
    assert last.year == 9999
    with pytest.raises(Invalid):
        parameter.moment({"at": str(parameter.MAX_MILLIS + 1)}, "at")


@pytest.mark.parametrize("text", ["1", "1,", ",", "x," + AN_ID, "1," + AN_ID.upper(), "1,2,3"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(Invalid, match="before"):
        parameter.before({"before": text})


def test_a_place() -> None:
    assert parameter.before({"before": f"0,{AN_ID}"}) == (datetime(1970, 1, 1, tzinfo=UTC), AN_ID)
    assert parameter.before({}) is None


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b", "a b@c", "a@b@c", "a@b\n", "<a@b>", "a@" + "b" * 300]
)
def test_what_is_no_address(text: str) -> None:
    if text.strip() == "a@b":
        assert parameter.email(text) == "a@b"
    else:
        with pytest.raises(Invalid):
            parameter.email(text)


@pytest.mark.parametrize(
    ("given", "name"), [("a", "a"), ("  a \n b ", "a b"), ("x" * 80, "x" * 80), ("Größe", "Größe")]
)
def test_names(given: str, name: str) -> None:
    assert parameter.name_of(given) == name


@pytest.mark.parametrize("given", ["", " ", "x" * 81, "a\x00b", "\u202e", 5, None])
def test_what_is_no_name(given: object) -> None:
    with pytest.raises(Invalid):
        parameter.name_of(given)


def test_field_names() -> None:
    assert parameter.field_names(["a", " b ", "", "a", "c.d"]) == ("a", "b", "c.d")
    for wrong in (["x" * 257], [str(number) for number in range(101)]):
        with pytest.raises(Invalid):
            parameter.field_names(wrong)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/", "/"),
        ("/s/a?q=1&x=%2F", "/s/a?q=1&x=%2F"),
        ("", "/"),
        ("s/a", "/"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("\\\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/\n/evil.test", "/"),
        ("/\t/evil.test", "/"),
        (" //evil.test", "/"),
    ],
)
def test_only_paths_of_this_site_are_gone_to(text: str, path: str) -> None:
    assert local_path(text) == path


@given(st.text())
def test_whatever_is_given_the_path_is_local(text: str) -> None:
    path = local_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
