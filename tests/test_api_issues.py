"""The API of issues, markers and rules: for members, and what a share link keeps to itself."""

import asyncio
from typing import Any

import pytest
from fixtures_dashboard import Dashboard, Page, Visitor

from errorstack_live.web import insight, linking


async def get(dashboard: Dashboard, visitor: Visitor, path: str) -> Any:
    answer = await visitor.get(dashboard.data + path)
    assert answer.status == 200, answer.text
    return answer.json


async def send(
    dashboard: Dashboard, visitor: Visitor, method: str, path: str, body: Any = None
) -> Page:
    return await visitor.send(method, dashboard.data + path, body)


async def kinds(dashboard: Dashboard, *messages: str, **fields: Any) -> list[str]:
    """Submit errors of these messages; the ids of their issues."""
    found = []
    for message in messages:
        error_id = await dashboard.submit({"Msg": message, **fields})
        stored = await dashboard.state.store.errors.get(dashboard.stack.id, error_id)
        found.append(stored.issue)
    await dashboard.state.writer._flush()
    return found


async def guest(dashboard: Dashboard, **limits: Any) -> tuple[Visitor, str]:
    """A visitor by a share link, and the base of its data."""
    wish = {"name": "", "query": "", "hidden": [], "with_logs": True, "expires_in_s": None}
    app = dashboard.app
    async with app.test_request_context("/"):
        share, url = await linking.create(dashboard.stack, linking.wish({**wish, **limits}))
    visitor = dashboard.visitor()
    await visitor.get("/share/" + url.rsplit("/", 1)[1])
    return visitor, f"/v/{share.id}/api"


# What members say of several


async def test_several_are_ignored_at_once_and_taken_back(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second, third = await kinds(dashboard, "one", "two", "three")
    ids = [first, second, "0" * 24]
    answer = await send(
        dashboard, visitor, "POST", "/issues/status",
        {"ids": ids, "status": "ignored", "for_s": 3600, "more": 50},
    )  # fmt: skip
    said = answer.json
    assert {each["id"] for each in said["issues"]} == {first, second}
    for each in said["issues"]:
        assert each["status"] == "ignored"
        assert each["until_at"] == said["done_at"] + 3_600_000
        assert each["until_count"] == each["count"] + 50
    listed = await get(dashboard, visitor, "/issues?status=open")
    assert [each["id"] for each in listed["issues"]] == [third]
    undone = await send(
        dashboard, visitor, "POST", "/issues/undo", {"ids": ids, "done_at": said["done_at"]}
    )
    assert {each["status"] for each in undone.json["issues"]} == {"open"}
    assert len((await get(dashboard, visitor, "/issues?status=open"))["issues"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [], "status": "open"},
        {"ids": ["x"], "status": "open"},
        {"ids": ["0" * 24] * 501, "status": "open"},
        {"ids": ["0" * 24], "status": "closed"},
        {"ids": ["0" * 24], "status": "resolved", "for_s": 60},
        {"ids": ["0" * 24], "status": "ignored", "for_s": 0},
        {"ids": ["0" * 24], "status": "ignored", "more": -1},
        {"ids": ["0" * 24], "status": "ignored", "for_s": 10**12},
        {"ids": [{"$ne": ""}], "status": "open"},
    ],
)
async def test_what_cannot_be_said(dashboard: Dashboard, body: Any) -> None:
    answer = await send(dashboard, await dashboard.signed_in(), "POST", "/issues/status", body)
    assert (answer.status, answer.json["error"]) == (400, "invalid")


async def test_issues_are_sorted(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second = await kinds(dashboard, "one", "two")
    await kinds(dashboard, "one", "one", "two")

    async def order(sort: str) -> list[str]:
        found = await get(dashboard, visitor, f"/issues?sort={sort}")
        return [each["id"] for each in found["issues"]]

    assert await order("count") == [first, second]
    assert await order("last_seen") == [second, first]
    assert await order("first_seen") == [second, first]
    assert (await visitor.get(f"{dashboard.data}/issues?sort=$where")).status == 400


async def test_issues_are_merged_and_come_apart(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second = await kinds(dashboard, "one", "two")
    answer = await send(
        dashboard, visitor, "POST", "/issues/merge", {"ids": [second], "into": first}
    )
    assert [(each["id"], each.get("into")) for each in answer.json["issues"]] == [
        (first, None),
        (second, first),
    ]
    await moved(dashboard)
    found = (await get(dashboard, visitor, "/issues"))["issues"]
    assert [(each["id"], each["count"]) for each in found] == [(first, 2)]
    errors = await get(dashboard, visitor, f"/errors?query=issue:{first}")
    assert len(errors["errors"]) == 2
    dashboard.state.keys.replace(await dashboard.state.store.stacks.all())
    assert (await kinds(dashboard, "two")) == [first]
    assert (
        await send(dashboard, visitor, "POST", "/issues/merge", {"ids": [first], "into": second})
    ).status == 404
    answer = await send(dashboard, visitor, "POST", f"/issues/{second}/unmerge")
    assert [each["id"] for each in answer.json["issues"]] == [second, first]
    await moved(dashboard)
    found = (await get(dashboard, visitor, "/issues"))["issues"]
    assert {each["id"]: each["count"] for each in found} == {first: 1, second: 2}


async def moved(dashboard: Dashboard) -> None:
    database = dashboard.state.store.database
    async with asyncio.timeout(20):
        while await database.moves.count_documents({"pass": 0}):
            await asyncio.sleep(0.02)


# What there is to know


async def test_before_and_after_a_marker(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    (issue,) = await kinds(dashboard, "boom")
    said = await get(dashboard, visitor, f"/issues/{issue}/fix")
    assert (said["marker"], said["before"], said["after"]) == (None, None, None)
    await kinds(dashboard, "boom", "boom")
    await asyncio.sleep(0.002)  # a marker of the same millisecond would count them as after
    await send(dashboard, visitor, "POST", "/markers", {"text": "deployed 2.4.1"})
    await asyncio.sleep(0.002)
    await kinds(dashboard, "boom", "other")
    said = await get(dashboard, visitor, f"/issues/{issue}/fix")
    assert said["marker"]["text"] == "deployed 2.4.1"
    assert (said["before"]["count"], said["after"]["count"]) == (3, 1)
    assert 0 < said["before"]["seconds"] < 60
    assert 0 < said["after"]["seconds"] < 60
    assert said["last_seen_at"] > said["marker"]["at"]


async def test_what_its_errors_have_in_common(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for number in range(6):
        fields = {"release": "2.4.1" if number else "2.4.0", "request_id": f"r{number}"}
        (issue,) = await kinds(dashboard, "boom", **fields)
    said = await get(dashboard, visitor, f"/issues/{issue}/breakdown")
    assert said["errors"] == 6
    assert said["fields"][0] == {
        "name": "release", "values": [["2.4.1", 5], ["2.4.0", 1]], "others": 0, "missing": 0
    }  # fmt: skip
    assert "request_id" not in {each["name"] for each in said["fields"]}
    said = await get(dashboard, visitor, f"/issues/{issue}/breakdown?names=request_id,nothing")
    assert [(each["name"], each["others"], each["missing"]) for each in said["fields"]] == [
        ("request_id", 1, 0),
        ("nothing", 0, 6),
    ]


async def test_what_is_like_it(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    ids = await kinds(
        dashboard,
        "TypeError: cannot read price of undefined",
        "TypeError: cannot read total of undefined",
        "TypeError: x is not a function",
        "the disk is full",
    )
    said = await get(dashboard, visitor, f"/issues/{ids[0]}/similar")
    assert [each["id"] for each in said["issues"]] == ids[1:3]


async def test_trends_of_the_last_hour(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second = await kinds(dashboard, "one", "two")
    await kinds(dashboard, "one")
    said = await get(dashboard, visitor, f"/trends?issues={first},{second},{'0' * 24}")
    assert {one: sum(steps) for one, steps in said["trends"].items()} == {first: 2, second: 1}
    assert {len(steps) for steps in said["trends"].values()} == {30}
    assert said["step_s"] == 120
    for bad in ("", "?issues=", "?issues=x", f"?issues={','.join(['0' * 24] * 301)}"):
        assert (await visitor.get(f"{dashboard.data}/trends{bad}")).status == 400


# Markers


async def test_markers_are_set_listed_and_removed(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    answer = await send(dashboard, visitor, "POST", "/markers", {"text": "deployed\n 2.4.1 "})
    assert answer.status == 201
    assert (answer.json["text"], answer.json["origin"]) == ("deployed 2.4.1", "member")
    assert answer.json["by"] == dashboard.member.email
    found = await get(dashboard, visitor, "/markers")
    assert found["markers"] == [answer.json]
    path = f"/markers/{answer.json['id']}"
    assert (await send(dashboard, visitor, "DELETE", path)).status == 204
    assert (await send(dashboard, visitor, "DELETE", path)).status == 404
    assert (await get(dashboard, visitor, "/markers"))["markers"] == []


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": " \n"}, {"text": "x" * 201}, {"text": 1}]
)
async def test_a_marker_needs_a_text(dashboard: Dashboard, body: Any) -> None:
    visitor = await dashboard.signed_in()
    assert (await send(dashboard, visitor, "POST", "/markers", body)).status == 400


# Rules


async def test_rules_are_tried_and_kept(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first, second = await kinds(dashboard, "timeout of a", "timeout of b", service="search")
    rule = {"query": "service:search timeout", "group": "Search is slow", "split": []}
    tried = (await send(dashboard, visitor, "POST", "/rules/preview", rule)).json
    assert (tried["errors"], tried["complete"]) == (2, True)
    assert {(each["issue"]["id"], each["errors"]) for each in tried["now"]} == {
        (first, 1),
        (second, 1),
    }
    assert tried["then"] == [{"name": "Search is slow", "errors": 2}]
    assert (await get(dashboard, visitor, "/rules"))["rules"] == []
    kept = await send(dashboard, visitor, "PUT", "/rules", {"rules": [rule]})
    assert kept.json == await get(dashboard, visitor, "/rules") == {"rules": [rule]}
    dashboard.state.keys.replace(await dashboard.state.store.stacks.all())
    assert len({*await kinds(dashboard, "timeout of a", "timeout of c", service="search")}) == 1
    found = await get(dashboard, visitor, "/issues?text=slow")
    assert [(each["title"], each["count"]) for each in found["issues"]] == [("Search is slow", 2)]


async def test_a_split_is_tried(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await kinds(dashboard, "boom", release="1")
    await kinds(dashboard, "boom", "boom", release="2")
    rule = {"query": "boom", "split": ["release"]}
    tried = (await send(dashboard, visitor, "POST", "/rules/preview", rule)).json
    assert tried["then"] == [
        {"name": "boom · release 2", "errors": 2},
        {"name": "boom · release 1", "errors": 1},
    ]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"query": "", "group": "A"}, "invalid"),
        ({"query": "a", "group": "", "split": []}, "invalid"),
        ({"query": "a", "group": "A", "split": ["b"]}, "invalid"),
        ({"query": 'a:"', "group": "A"}, "bad-query"),
        ({"query": "a", "split": ["1", "2", "3", "4"]}, "invalid"),
    ],
)
async def test_rules_that_are_none(dashboard: Dashboard, rule: Any, error: str) -> None:
    visitor = await dashboard.signed_in()
    for method, path, body in (
        ("POST", "/rules/preview", rule),
        ("PUT", "/rules", {"rules": [rule]}),
    ):
        answer = await send(dashboard, visitor, method, path, body)
        assert (answer.status, answer.json["error"]) == (400, error)


# Share links


async def test_a_link_to_the_whole_stack_shows_markers_but_not_who_set_them(
    dashboard: Dashboard,
) -> None:
    member = await dashboard.signed_in()
    await send(dashboard, member, "POST", "/markers", {"text": "deployed"})
    visitor, base = await guest(dashboard)
    answer = await visitor.get(f"{base}/markers")
    assert [each["text"] for each in answer.json["markers"]] == ["deployed"]
    assert dashboard.member.email not in answer.text


@pytest.mark.parametrize("limit", [{"query": "service:web"}, {"hidden": ["plan"]}])
async def test_a_limited_link_tells_nothing_of_the_rest(
    dashboard: Dashboard, limit: dict[str, Any]
) -> None:
    member = await dashboard.signed_in()
    (shown,) = await kinds(dashboard, "seen by you", service="web", plan="s3", user="ada")
    (kept,) = await kinds(dashboard, "seen by none", service="mail", user="kim")
    await send(dashboard, member, "POST", "/markers", {"text": "hotfix for a customer"})
    visitor, base = await guest(dashboard, **limit)
    is_query = "query" in limit

    async def read(path: str) -> Any:
        return (await visitor.get(base + path)).json

    assert (await read("/markers"))["markers"] == []
    said = await read(f"/issues/{shown}/fix")
    assert (said["marker"], said["before"]) == (None, None)
    told = str(await read(f"/issues/{shown}/breakdown?names=plan,service"))
    assert ("s3" in told) is is_query, "a hidden field has no values"
    assert "users" not in (await read(f"/issues/{shown}")), "nor has it told how many users"
    for path in ("", "/fix", "/similar", "/breakdown"):
        status = (await visitor.get(f"{base}/issues/{kept}{path}")).status
        assert status == (404 if is_query else 200)
    trends = (await read(f"/trends?issues={shown},{kept}"))["trends"]
    assert set(trends) == ({shown} if is_query else {shown, kept})
    similar = (await read(f"/issues/{shown}/similar"))["issues"]
    assert [each["id"] for each in similar] == ([] if is_query else [kept])
    for sort in ("count", "last_seen", "first_seen"):
        assert len((await read(f"/issues?sort={sort}"))["issues"]) == (1 if is_query else 2)


async def test_guests_change_nothing(dashboard: Dashboard) -> None:
    (issue,) = await kinds(dashboard, "boom")
    visitor, base = await guest(dashboard)
    for method, path in (
        ("PATCH", f"/issues/{issue}"),
        ("POST", "/issues/status"),
        ("POST", "/issues/undo"),
        ("POST", "/issues/merge"),
        ("POST", f"/issues/{issue}/unmerge"),
        ("POST", "/markers"),
        ("DELETE", "/markers/" + "0" * 24),
        ("GET", "/rules"),
        ("PUT", "/rules"),
        ("POST", "/rules/preview"),
    ):
        assert (await visitor.send(method, base + path, {})).status in {403, 404, 405}
        assert (await visitor.send(method, dashboard.data + path, {})).status == 401


def test_a_trend_is_an_hour() -> None:
    assert insight.TREND / insight.TREND_STEP == 30
