"""Rules and merges: which issue an error is of, beside its fingerprint."""

from datetime import UTC, datetime
from typing import Any

import pytest

from errorstack_live import fingerprint, grouping
from errorstack_live.errors import Invalid, QueryError
from errorstack_live.model import BY_FINGERPRINT, Error, Grouping, Merge, Request, Rule
from errorstack_live.occurrence import derive
from errorstack_live.share import redact

STACK = "6732a1b0c4d5e6f708192a00"
REQUEST = Request("192.0.2.1", "", "", "beacon")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def made(fields: dict[str, Any], by: Grouping = BY_FINGERPRINT) -> Error:
    return derive(fields, by, id="0" * 24, stack=STACK, at=AT, request=REQUEST)


TIMEOUT = {"Msg": "timeout after 30 s", "service": "search", "user": {"plan": "pro"}}
REFUSED = {"Msg": "connection refused", "service": "search"}
OTHER = {"Msg": "disk full", "service": "mail"}


def test_without_rules_the_fingerprint_decides() -> None:
    error = made(TIMEOUT)
    assert error.issue == fingerprint.issue_id(STACK, error.fingerprint)
    assert error.group == ""
    assert made(TIMEOUT, Grouping()) == error


def test_a_rule_makes_one_named_issue_of_all_it_matches() -> None:
    by = Grouping((Rule("service:search", "Search is down"),))
    first, second, third = made(TIMEOUT, by), made(REFUSED, by), made(OTHER, by)
    assert first.issue == second.issue != third.issue
    assert first.group == second.group == "Search is down"
    assert first.title != second.title  # each error still says what it said
    assert third == made(OTHER)


def test_the_first_rule_that_matches_holds() -> None:
    by = Grouping((Rule("timeout", "Slow"), Rule("service:search", "Search")))
    assert [made(TIMEOUT, by).group, made(REFUSED, by).group] == ["Slow", "Search"]


def test_rules_of_one_name_are_one_issue() -> None:
    by = Grouping((Rule("timeout", "Broken"), Rule("disk", "Broken")))
    assert made(TIMEOUT, by).issue == made(OTHER, by).issue


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("service",), "service search"),
        (("user.plan",), "user.plan pro"),
        (("level", "service"), "level error, service search"),
        (("nobody",), "nobody (none)"),
        (("user",), 'user {"plan": "pro"}'),
    ],
)
def test_a_rule_splits_by_fields(names: tuple[str, ...], told: str) -> None:
    error = made(TIMEOUT, Grouping((Rule("timeout", split=names),)))
    assert error.group == f"{error.title} · {told}"
    assert error.issue == fingerprint.issue_id(STACK, error.fingerprint)
    assert error.issue != made(TIMEOUT).issue


def test_what_differs_in_a_split_field_is_another_issue() -> None:
    by = Grouping((Rule("timeout", split=("service",)),))
    mail = made({**TIMEOUT, "service": "mail"}, by)
    assert mail.issue != made(TIMEOUT, by).issue
    assert made({**TIMEOUT, "service": "mail", "n": 2}, by).issue == mail.issue
    # The same value of another error is not the same issue.
    everything = Grouping((Rule("service:search", split=("service",)),))
    assert made(REFUSED, everything).issue != made(TIMEOUT, everything).issue


def test_a_rule_is_asked_with_the_issue_that_an_error_would_have() -> None:
    by = Grouping((Rule(f"issue:{made(TIMEOUT).issue}", split=("service",)),))
    assert made(TIMEOUT, by).group
    assert not made(REFUSED, by).group


def test_a_merge_sends_a_fingerprint_elsewhere_and_keeps_it() -> None:
    mark, into = made(TIMEOUT).fingerprint, made(REFUSED).issue
    error = made(TIMEOUT, Grouping((), (Merge(mark, into),)))
    assert (error.fingerprint, error.issue) == (mark, into)


def test_a_merge_holds_for_what_a_rule_made() -> None:
    rule = Rule("timeout", "Slow")
    mark = fingerprint.named("Slow")
    into = made(OTHER).issue
    assert made(TIMEOUT, Grouping((rule,), (Merge(mark, into),))).issue == into


def test_long_titles_and_values_make_no_long_names() -> None:
    fields = {"Msg": "timeout " + "x" * 900, "a": "y" * 900, "b": "z\n" * 900}
    error = made(fields, Grouping((Rule("timeout", split=("a", "b")),)))
    assert len(error.group) <= grouping.MAX_TITLE_CHARS
    assert "\n" not in error.group


def test_hidden_fields_are_not_told_by_an_issues_name() -> None:
    error = made(TIMEOUT, Grouping((Rule("timeout", split=("service",)),)))
    assert "search" in error.group
    assert "search" not in redact(error, {"service"}).group


@pytest.mark.parametrize(
    "rule",
    [
        Rule("", "All"),
        Rule("timeout"),
        Rule("timeout", "A", ("b",)),
        Rule("timeout", "x" * (grouping.MAX_GROUP_CHARS + 1)),
        Rule("timeout", "two\nlines"),
        Rule("timeout", split=("a", "b", "c", "d")),
        Rule("timeout", split=("x" * (grouping.MAX_NAME_CHARS + 1),)),
    ],
)
def test_a_rule_that_says_nothing_or_too_much_is_refused(rule: Rule) -> None:
    with pytest.raises(Invalid):
        grouping.check(rule)


def test_a_rule_of_no_query_is_refused() -> None:
    with pytest.raises(QueryError):
        grouping.check(Rule('service:"', "A"))


def test_rules_are_bounded() -> None:
    rules = tuple(Rule(f"word{n}", "A") for n in range(grouping.MAX_RULES))
    assert grouping.check_all(rules) == rules
    with pytest.raises(Invalid):
        grouping.check_all((*rules, Rule("more", "A")))
