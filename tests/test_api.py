"""The data behind the pages: for members below a stack."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from fixtures_dashboard import Dashboard, Visitor

from errorstack_live.errors import StorageAway
from errorstack_live.model import Error, Status
from errorstack_live.storage.session import Sessions
from errorstack_live.web.state import now


async def stored(dashboard: Dashboard, error_id: str) -> Error:
    return await dashboard.state.store.errors.get(dashboard.stack.id, error_id)


async def ask(dashboard: Dashboard, path: str, visitor: Visitor | None = None) -> Any:
    visitor = visitor or await dashboard.signed_in()
    answer = await visitor.get(dashboard.data + path)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json


async def test_errors_are_newest_first_as_they_were_sent(dashboard: Dashboard) -> None:
    first = await dashboard.submit({"Msg": "one", "user": {"id": 7}, "tags": ["a", None, True]})
    second = await dashboard.submit({"Msg": "two"})
    page = await ask(dashboard, "/errors")
    assert [each["id"] for each in page["errors"]] == [second, first]
    assert page["errors"][1]["fields"] == {
        "Msg": "one",
        "user": {"id": 7},
        "tags": ["a", None, True],
    }
    at = (await stored(dashboard, second)).at
    assert page["errors"][0]["at"] == round(at.timestamp() * 1000)
    assert (page["reached_at"], page["complete"]) == (None, True)


async def test_pages_of_errors_go_on_where_the_last_ended(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    ids = [await dashboard.submit({"Msg": "n", "n": place}) for place in range(7)]
    found: list[str] = []
    before = ""
    while True:
        page = await ask(dashboard, f"/errors?limit=3{before}", visitor)
        found += [each["id"] for each in page["errors"]]
        if page["complete"]:
            break
        last = page["errors"][-1]
        before = f"&before={last['at']},{last['id']}"
    assert found == ids[::-1]


async def test_errors_are_asked_for_by_query_time_and_issue(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    web = await dashboard.submit({"Msg": "a", "service": "web"})
    mail = await dashboard.submit({"Msg": "b", "service": "mail"})
    error = await stored(dashboard, web)
    soon = round((now() + timedelta(minutes=1)).timestamp() * 1000)
    for asked, ids in (
        ("query=service:web", [web]),
        ("query=-service:web", [mail]),
        (f"issue={error.issue}", [web]),
        (f"since={soon}", []),
        (f"until={soon}", [mail, web]),
        ("until=1", []),
    ):
        page = await ask(dashboard, f"/errors?{asked}", visitor)
        assert [each["id"] for each in page["errors"]] == ids, asked


async def test_a_stack_trace_comes_with_the_error_frame_by_frame(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    stack = "KeyError\n    at add (https://shop.example/cart.js:12:5)\n    at node:internal/x:9:1"
    with_it = await dashboard.submit({"Msg": "broken", "error": {"stack": stack}})
    without = await dashboard.submit({"Msg": "broken"})
    assert (await ask(dashboard, f"/errors/{without}", visitor))["trace"] is None
    assert (await ask(dashboard, f"/errors/{with_it}", visitor))["trace"] == {
        "field": "error.stack",
        "frames": [
            {
                "file": "https://shop.example/cart.js",
                "function": "add",
                "line": 12,
                "column": 5,
                "app": True,
            },
            {"file": "node:internal/x", "line": 9, "column": 1, "library": "node"},
        ],
    }


async def test_a_list_carries_4_kb_and_the_error_itself_all(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await dashboard.submit({"_msg": "before it"}, "/log")
    error_id = await dashboard.submit({"Msg": "big", "blob": "z" * 9000, "_odd": "x"})
    row = (await ask(dashboard, "/errors", visitor))["errors"][0]
    assert row["more"] is True
    assert "before" not in row
    whole = await ask(dashboard, f"/errors/{error_id}", visitor)
    assert whole["fields"]["blob"] == "z" * 9000
    assert [each["text"] for each in whole["before"]] == ["before it"]
    assert whole["request"]["user_agent"] == "Probe/1.0"
    assert whole["reserved"] == {"_odd": "x"}
    assert (await ask(dashboard, "/errors?whole=1", visitor))["errors"][0]["fields"] == whole[
        "fields"
    ]


async def test_issues(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    error = await stored(dashboard, await dashboard.submit({"Msg": "boom", "Type": "KeyError"}))
    await dashboard.submit({"Msg": "fizz"})
    found = (await ask(dashboard, "/issues", visitor))["issues"]
    assert len(found) == 2
    assert (await ask(dashboard, "/issues?text=BOOM", visitor))["issues"][0]["id"] == error.issue
    assert (await ask(dashboard, "/issues?text=%00(", visitor))["issues"] == []
    one = await ask(dashboard, f"/issues/{error.issue}", visitor)
    assert (one["type"], one["count"], one["status"]) == ("KeyError", 1, "open")
    answer = await visitor.send(
        "PATCH", f"{dashboard.data}/issues/{error.issue}", {"status": "resolved"}
    )
    assert answer.json == {**one, "status": "resolved", "status_at": answer.json["status_at"]}
    assert len((await ask(dashboard, "/issues?status=open", visitor))["issues"]) == 1
    kept = await dashboard.state.store.issues.get(dashboard.stack.id, error.issue)
    assert kept.status is Status.RESOLVED


async def test_minutes_count_what_matches(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for level in ("error", "error", "warning"):
        await dashboard.submit({"Msg": level, "level": level})
    counted = await ask(dashboard, "/minutes?query=level:error", visitor)
    assert sum(levels["error"] for _, levels in counted["minutes"]) == 2
    assert not any("warning" in levels for _, levels in counted["minutes"])
    assert counted["complete"] is True
    assert all(at % 60_000 == 0 for at, _ in counted["minutes"])


@pytest.mark.parametrize("query", ["", "level:error", "n:*", "-level:warning"])
async def test_steps_of_any_length_count_the_same(dashboard: Dashboard, query: str) -> None:
    visitor = await dashboard.signed_in()
    for n in range(5):
        await dashboard.submit({"Msg": "failed", "level": "error", "n": n})
    for step_s in (1, 10, 60, 300, 7200):
        path = f"/minutes?query={query}&step_s={step_s}"
        async with asyncio.timeout(10):  # counters are written a moment later
            while True:
                counted = await ask(dashboard, path, visitor)
                if sum(levels["error"] for _, levels in counted["minutes"]) == 5:
                    break
        assert counted["step_s"] == step_s
        assert counted["complete"] is True
        assert all(at % (step_s * 1000) == 0 for at, _ in counted["minutes"])


async def test_fields_tell_what_was_sent(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for n in range(3):
        sent = {"Msg": "failed", "plan": "pro" if n else "free", "user": {"id": n}, "$where": "x"}
        await dashboard.submit(sent | {"list": [1], "long": "x" * 500})
    answer = await ask(dashboard, "/fields?query=Msg:failed", visitor)
    assert (answer["rows"], answer["complete"]) == (3, True)
    found = {each["name"]: each for each in answer["fields"]}
    assert found["plan"] == {
        "name": "plan",
        "rows": 3,
        "distinct": 2,
        "values": [["pro", 2], ["free", 1]],
    }
    assert found["user.id"]["distinct"] == 3
    assert found["level"]["values"] == [["error", 3]]
    assert found["$where"]["values"] == [["x", 3]]
    assert not {"list", "long"} & set(found)
    assert (await ask(dashboard, "/fields?query=plan:none", visitor))["rows"] == 0


async def test_log_messages(dashboard: Dashboard) -> None:
    await dashboard.submit({"_msg": "one"}, "/log")
    await dashboard.submit({"_msg": '{"a": 1}', "_t": "json"}, "/log")
    await dashboard.submit({"step": "deploy"}, "/log")
    logs = (await ask(dashboard, "/logs"))["logs"]
    assert [each.get("text") for each in logs] == ["one", '{"a": 1}', None]
    assert logs[1]["json"] is True
    assert logs[2]["fields"] == {"step": "deploy"}


async def test_a_test_error_is_stored(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    said = (await visitor.send("POST", f"{dashboard.data}/test", {})).json
    assert said["success"] is True
    error = await stored(dashboard, said["id"])
    assert error.title == "This is a test error"


async def test_a_share_link_keeps_how_its_view_looks(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    wish = {"initial": "?mode=grouped&q=secret&columns=user&x=%0d%0a"}
    made = (await visitor.send("POST", f"{dashboard.data}/shares", wish)).json
    assert made["initial"] == "mode=grouped&columns=user&x=%0D%0A"
    opened = await dashboard.visitor().get(made["url"].removeprefix("http://localhost"))
    assert opened.location == f"/v/{made['id']}?{made['initial']}"
    for wrong in ("a" * 1001, "&".join(["a=b"] * 21)):
        wish = {"initial": wrong}
        assert (await visitor.send("POST", f"{dashboard.data}/shares", wish)).status == 400


async def test_a_preview_shows_what_a_link_would(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await dashboard.submit({"_msg": "a log"}, "/log")
    for n in range(7):
        await dashboard.submit({"Msg": f"red {n}", "team": "red", "user": "ada"})
    await dashboard.submit({"Msg": "blue", "team": "blue", "user": "ada"})
    wish = {"query": "team:red", "hidden": ["user"], "with_logs": False}
    path = f"{dashboard.data}/shares/preview"
    answer = await visitor.send("POST", path, wish)
    shown = answer.json
    assert [each["title"] for each in shown["errors"]] == [f"red {n}" for n in (6, 5, 4, 3, 2)]
    assert "ada" not in answer.text
    assert (shown["logs"], shown["complete"]) == ([], False)
    with_logs = (await visitor.send("POST", path, {**wish, "with_logs": True})).json
    assert [each["text"] for each in with_logs["logs"]] == ["a log"]
    assert (await visitor.send("POST", path, {"query": "a:("})).status == 400
    assert (await dashboard.visitor().send("POST", path, wish)).status == 401
    assert (await ask(dashboard, "/shares", visitor))["shares"] == []


async def test_share_links_are_made_listed_and_revoked(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    wish = {
        "name": "for Bob",
        "query": "level:error",
        "hidden": ["customer"],
        "with_logs": False,
        "expires_in_s": 60,
    }
    made = await visitor.send("POST", f"{dashboard.data}/shares", wish)
    assert made.status == 201
    link = made.json
    assert link["url"].startswith("http://localhost/share/")
    assert link["expires_at"] - link["created_at"] == 60_000
    listed = (await ask(dashboard, "/shares", visitor))["shares"]
    assert listed == [{name: value for name, value in link.items() if name != "url"}]
    path = f"{dashboard.data}/shares/{link['id']}"
    assert (await visitor.send("DELETE", path)).status == 204
    assert (await ask(dashboard, "/shares", visitor))["shares"][0]["revoked_at"]
    assert (await visitor.send("DELETE", f"{dashboard.data}/shares/{'0' * 24}")).status == 404


UNUSABLE = (
    ("/errors?query=((", "bad-query"),
    ("/errors?query=" + "x" * 5000, "bad-query"),
    ("/errors?limit=0", "invalid"),
    ("/errors?limit=1001", "invalid"),
    ("/errors?limit=ten", "invalid"),
    ("/errors?since=yesterday", "invalid"),
    ("/errors?until=99999999999999999", "invalid"),
    ("/errors?before=1", "invalid"),
    ("/errors?before=1,zz", "invalid"),
    ("/errors?issue=zz", "invalid"),
    ("/issues?status=odd", "invalid"),
    ("/minutes?since=5&until=1", "invalid"),
    ("/minutes?since=0", "invalid"),
    ("/minutes?step_s=0", "invalid"),
    ("/minutes?step_s=1&since=1&until=12001002", "invalid"),
    ("/fields?query=level:", "bad-query"),
)
"""Paths, and the reason they are answered with."""


async def test_what_cannot_be_used_is_said(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for path, reason in UNUSABLE:
        answer = await visitor.get(dashboard.data + path)
        assert (answer.status, answer.json["error"]) == (400, reason), path
        assert answer.json["message"]
        assert ("at" in answer.json) == (reason == "bad-query")


WRONG_BODIES: tuple[tuple[str, str, object], ...] = (
    ("PATCH", "/issues/{issue}", {}),
    ("PATCH", "/issues/{issue}", {"status": "gone"}),
    ("PATCH", "/issues/{issue}", {"status": ["open"]}),
    ("PATCH", "/issues/{issue}", ["open"]),
    ("POST", "/shares", {"hidden": "customer"}),
    ("POST", "/shares", {"hidden": [7]}),
    ("POST", "/shares", {"hidden": ["x" * 300]}),
    ("POST", "/shares", {"query": {"$ne": None}}),
    ("POST", "/shares", {"query": "(("}),
    ("POST", "/shares", {"name": "x" * 81}),
    ("POST", "/shares", {"name": 7}),
    ("POST", "/shares", {"with_logs": "yes"}),
    ("POST", "/shares", {"expires_in_s": 0}),
    ("POST", "/shares", {"expires_in_s": "7d"}),
    ("POST", "/shares", {"expires_in_s": 10**12}),
    ("POST", "/shares", 7),
)


async def test_bodies_are_checked(dashboard: Dashboard) -> None:
    error = await stored(dashboard, await dashboard.submit({"Msg": "boom"}))
    visitor = await dashboard.signed_in()
    for method, path, body in WRONG_BODIES:
        answer = await visitor.send(method, dashboard.data + path.format(issue=error.issue), body)
        assert answer.status == 400, (path, body)
        assert answer.json["message"]
    assert await dashboard.state.store.shares.all(dashboard.stack.id) == []
    kept = await dashboard.state.store.issues.get(dashboard.stack.id, error.issue)
    assert kept.status is Status.OPEN


async def test_odd_bodies_and_ids_are_never_a_500(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for data in (b"", b"{", b"\xff\xfe{", b"[" * 100_000, b'{"a":' * 5000, b"x" * 300_000):
        answer = await visitor.client.post(
            f"{dashboard.data}/shares",
            data=data,
            headers={**visitor.headers, "Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 413}
    for odd in ("zz", "0" * 24, "%00", "..%2f..", "\U0001f600", "a" * 500, "$ne"):
        for path in ("errors", "issues"):
            assert (await visitor.get(f"{dashboard.data}/{path}/{odd}")).status == 404
    for slug in ("none", "%00", "$ne", "a" * 3000):
        assert (await visitor.get(f"/api/v1/stacks/{slug}/errors")).status == 404


async def test_nothing_is_told_to_strangers(dashboard: Dashboard) -> None:
    error = await stored(dashboard, await dashboard.submit({"Msg": "boom"}))
    other = await dashboard.state.store.stacks.create("Other", now=now(), retention_days=1)
    stranger, member = dashboard.visitor(), await dashboard.signed_in()
    for below in (
        "errors",
        f"errors/{error.id}",
        "issues",
        f"issues/{error.issue}",
        "logs",
        "shares",
    ):
        answer = await stranger.get(f"{dashboard.data}/{below}")
        assert (answer.status, answer.json["error"]) == (401, "sign-in"), below
    for below in (f"errors/{error.id}", f"issues/{error.issue}"):
        assert (await member.get(f"/api/v1/stacks/{other.slug}/{below}")).status == 404


async def test_while_the_database_is_away_it_is_said(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StorageAway("The database does not answer")

    visitor = await dashboard.signed_in()
    monkeypatch.setattr(Sessions, "by_token", away)
    for path, kind in (
        (dashboard.page, "text/html"),
        (f"{dashboard.data}/errors", "application/json"),
    ):
        answer = await visitor.get(path)
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Content-Type"].startswith(kind)


async def test_an_error_is_deleted_and_counted_no_more(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    first = await dashboard.submit({"Msg": "boom"})
    second = await dashboard.submit({"Msg": "boom", "password_of_ada": "hunter2"})
    issue = (await stored(dashboard, first)).issue

    async def counts() -> tuple[int, int]:
        one = await ask(dashboard, f"/issues/{issue}", visitor)
        minutes = (await ask(dashboard, "/minutes", visitor))["minutes"]
        return one["count"], sum(levels.get("error", 0) for _, levels in minutes)

    async def counted(wanted: tuple[int, int]) -> None:
        async with asyncio.timeout(10):  # counters are written every second
            while await counts() != wanted:
                await asyncio.sleep(0.05)

    await counted((2, 2))
    path = f"{dashboard.data}/errors/{second}"
    assert (await visitor.send("DELETE", path)).status == 204
    assert (await visitor.get(path)).status == 404
    assert (await visitor.send("DELETE", path)).status == 404
    await counted((1, 1))
    assert [each["id"] for each in (await ask(dashboard, "/errors", visitor))["errors"]] == [first]
    other = await dashboard.state.store.stacks.create("Other", now=now(), retention_days=1)
    elsewhere = f"/api/v1/stacks/{other.slug}/errors/{first}"
    assert (await visitor.send("DELETE", elsewhere)).status == 404
    assert (await stored(dashboard, first)).id == first
