"""Share links: a token for one view, read-only, without what was hidden, and its end."""

import re
from datetime import timedelta
from typing import Any

import pytest
from fixtures_dashboard import Dashboard, Page, Visitor

from errorstack_live.access import Share
from errorstack_live.storage.document import object_id
from errorstack_live.web import linking
from errorstack_live.web.linking import digest
from errorstack_live.web.state import now


def token_of(dashboard: Dashboard) -> str:
    return f"a-token-that-only-its-holder-has-{dashboard.stack.id}"


async def share(dashboard: Dashboard, **given: Any) -> Share:
    wanted = {
        "name": "for Bob",
        "query": "",
        "hidden": (),
        "with_logs": True,
        "expires_at": None,
        **given,
    }
    return await dashboard.state.store.shares.create(
        dashboard.stack.id, token_sha256=digest(token_of(dashboard)), now=now(), **wanted
    )


async def opened(dashboard: Dashboard, scheme: str = "http") -> tuple[Visitor, str]:
    visitor = dashboard.visitor(scheme)
    visitor.headers = {}
    answer = await visitor.get(f"/share/{token_of(dashboard)}")
    assert answer.status == 302, answer.text
    return visitor, answer.location


async def test_the_token_is_exchanged_for_a_cookie_of_one_view(dashboard: Dashboard) -> None:
    made = await share(dashboard)
    visitor = dashboard.visitor()
    answer = await visitor.get(f"/share/{token_of(dashboard)}")
    assert (answer.status, answer.location) == (302, f"/v/{made.id}")
    cookie = answer.headers["Set-Cookie"]
    assert all(
        word in cookie for word in ("HttpOnly", "SameSite=Lax", f"Path=/v/{made.id}", "Max-Age=")
    )
    assert token_of(dashboard) not in cookie
    page = await visitor.get(answer.location)
    assert page.status == 200
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert 'name="robots" content="noindex' in page.text


async def test_over_https_the_cookie_is_secure(dashboard: Dashboard) -> None:
    await share(dashboard)
    visitor, path = await opened(dashboard, "https")
    assert (await visitor.get(path)).status == 200


async def test_without_the_cookie_there_is_nothing(dashboard: Dashboard) -> None:
    made = await share(dashboard)
    visitor = dashboard.visitor()
    for path in ("", "/api/errors", "/api/logs", "/api/issues", "/api/minutes"):
        answer = await visitor.get(f"/v/{made.id}{path}")
        assert answer.status == 401
        assert "Open the share link again" in answer.text
    assert (await visitor.get("/share/guess")).status == 404
    member = await dashboard.signed_in()
    assert (await member.get(f"/v/{made.id}")).status == 401


async def test_a_cookie_is_good_for_its_own_link_alone(dashboard: Dashboard) -> None:
    first = await share(dashboard)
    visitor, _ = await opened(dashboard)
    other = await dashboard.state.store.shares.create(
        dashboard.stack.id,
        token_sha256=digest(f"another-{dashboard.stack.id}"),
        name="",
        query="",
        hidden=(),
        with_logs=True,
        now=now(),
        expires_at=None,
    )
    jar = {cookie.name: cookie.value for cookie in visitor.client.cookie_jar}
    stolen = dashboard.visitor()
    header = "; ".join(f"{name}={value}" for name, value in jar.items())
    assert (await stolen.get(f"/v/{first.id}/api/errors", Cookie=header)).status == 200
    assert (await stolen.get(f"/v/{other.id}/api/errors", Cookie=header)).status == 401
    forged = header[:-2] + ("aa" if header[-2:] != "aa" else "bb")
    assert (await stolen.get(f"/v/{first.id}/api/errors", Cookie=forged)).status == 401


@pytest.mark.parametrize("way", ["revoked", "expired"])
async def test_a_link_that_ended_says_so(dashboard: Dashboard, way: str) -> None:
    made = await share(dashboard)
    visitor, path = await opened(dashboard)
    assert (await visitor.get(path)).status == 200
    if way == "revoked":
        await dashboard.state.store.shares.revoke(made.id, now())
    else:
        change = {"$set": {"expires_at": now() - timedelta(seconds=1)}}
        which = {"_id": object_id(made.id)}
        await dashboard.state.store.database.shares.update_one(which, change)
    for gone in (path, f"{path}/api/errors", f"/share/{token_of(dashboard)}"):
        answer = await visitor.get(gone)
        assert (answer.status, way in answer.text) == (410, True)


async def test_a_cookie_lasts_no_longer_than_its_link(dashboard: Dashboard) -> None:
    await share(dashboard, expires_at=now() + timedelta(minutes=10))
    cookie = (await dashboard.visitor().get(f"/share/{token_of(dashboard)}")).headers["Set-Cookie"]
    age = re.search(r"Max-Age=(\d+)", cookie)
    assert age
    assert 590 <= int(age[1]) <= 600


async def test_a_viewer_changes_nothing(dashboard: Dashboard) -> None:
    error_id = await dashboard.submit({"Msg": "boom"})
    issue = (await dashboard.state.store.errors.get(dashboard.stack.id, error_id)).issue
    await share(dashboard)
    visitor, path = await opened(dashboard)
    visitor.headers = {"Sec-Fetch-Site": "same-origin"}
    for method, below in (
        ("PATCH", f"/api/issues/{issue}"),
        ("POST", "/api/test"),
        ("GET", "/api/shares"),
        ("POST", "/api/shares"),
    ):
        assert (await visitor.send(method, path + below, {})).status in {404, 405}
    for members_only in (dashboard.page, "/", f"{dashboard.page}/settings", "/members"):
        assert (await visitor.get(members_only)).status == 302
    assert (await visitor.get(f"{dashboard.data}/errors")).status == 401


async def test_no_key_and_no_member_is_told(dashboard: Dashboard) -> None:
    error_id = await dashboard.submit({"Msg": "boom"})
    await share(dashboard)
    visitor, path = await opened(dashboard)
    for page in await everything(visitor, path, error_id):
        assert page.status == 200
        assert dashboard.stack.keys[0].key not in page.text
        assert dashboard.member.email not in page.text
        assert dashboard.stack.slug not in page.text
        assert "192.0.2.7" not in page.text
        assert "Probe/1.0" not in page.text


async def everything(visitor: Visitor, path: str, error_id: str, query: str = "") -> list[Page]:
    """All that a share link answers about the errors behind it."""
    return [
        await visitor.get(f"{path}{below}")
        for below in (
            f"?q={query}",
            f"/e/{error_id}",
            f"/api/errors?whole=1&query={query}",
            f"/api/errors/{error_id}",
            "/api/issues",
            "/api/minutes",
            f"/api/fields?query={query}",
            "/api/logs",
        )
    ]


SECRET = "hushhush"


def full_of_secrets() -> dict[str, Any]:
    return {
        "Msg": f"payment of {SECRET} failed",
        "customer": [SECRET, 7],
        "order": {"id": 7, "customer": SECRET, "lines": [{"customer": SECRET, "sku": "a"}]},
        "order.customer": SECRET,
        "stack": f"Error: {SECRET}\n    at pay ({SECRET}.js:1:2)",
        "service": "checkout",
        "_customer": SECRET,
    }


async def test_hidden_fields_are_nowhere(dashboard: Dashboard) -> None:
    await dashboard.submit({"step": "pay", "customer": SECRET}, "/log")
    error_id = await dashboard.submit(full_of_secrets())
    hidden = ("Msg", "customer", "order.customer", "order.lines", "stack", "_customer")
    await share(dashboard, hidden=hidden)
    visitor, path = await opened(dashboard)
    for page in await everything(visitor, path, error_id):
        assert page.status == 200
        assert SECRET not in page.text
    whole = (await visitor.get(f"{path}/api/errors/{error_id}")).json
    assert whole["fields"] == {"order": {"id": 7}, "service": "checkout"}
    assert whole["trace"] is None
    assert (await visitor.get(f"{path}/api/logs")).json["logs"][0]["fields"] == {"step": "pay"}


@pytest.mark.parametrize(
    "query",
    [
        f"customer:{SECRET}",
        "customer:*",
        SECRET,
        "customer:hush*",
        "title:*hush*",
        "order.customer:*",
        "fields.customer:*",
        "payment",
        "customer>1",
    ],
)
async def test_no_filter_finds_a_hidden_value_out(dashboard: Dashboard, query: str) -> None:
    await dashboard.submit(full_of_secrets())
    await share(dashboard, hidden=("Msg", "customer", "order", "order.customer", "stack"))
    visitor, path = await opened(dashboard)
    assert len((await visitor.get(f"{path}/api/errors")).json["errors"]) == 1
    found = (await visitor.get(f"{path}/api/errors?query={query}")).json
    assert (found["errors"], found["complete"]) == ([], True)
    assert (await visitor.get(f"{path}/api/minutes?query={query}")).json["minutes"] == []
    assert (await visitor.get(f"{path}/api/fields?query={query}")).json["rows"] == 0
    told = (await visitor.get(f"{path}/api/fields")).json["fields"]
    assert not {"Msg", "customer", "stack"} & {each["name"] for each in told}
    without = (await visitor.get(f"{path}/api/errors?query=-%28{query}%29")).json
    assert len(without["errors"]) == 1


async def test_only_what_the_link_is_about(dashboard: Dashboard) -> None:
    mine = await dashboard.submit({"Msg": "in the web", "service": "web"})
    other = await dashboard.submit({"Msg": "in the mail", "service": "mail"})
    issue = (await dashboard.state.store.errors.get(dashboard.stack.id, other)).issue
    await share(dashboard, query="service:web", with_logs=False)
    await dashboard.submit({"_msg": "a log message"}, "/log")
    visitor, path = await opened(dashboard)
    assert (await visitor.get(f"{path}/e/{other}")).status == 404
    assert (await visitor.get(f"{path}/api/errors/{other}")).status == 404
    assert (await visitor.get(f"{path}/api/issues/{issue}")).status == 404
    for page in await everything(visitor, path, mine):
        assert page.status == 200
        assert "in the mail" not in page.text
        assert "a log message" not in page.text
    issues = (await visitor.get(f"{path}/api/issues")).json["issues"]
    assert [(each["title"], each["count"]) for each in issues] == [("in the web", 1)]
    found = await visitor.get(f"{path}/api/errors?query=service:mail%20OR%20service:web")
    assert [each["id"] for each in found.json["errors"]] == [mine]
    minutes = (await visitor.get(f"{path}/api/minutes")).json["minutes"]
    assert sum(levels.get("error", 0) for _, levels in minutes) == 1


async def test_log_messages_kept_with_an_error_follow_the_link(dashboard: Dashboard) -> None:
    await dashboard.submit({"_msg": "a log message"}, "/log")
    error_id = await dashboard.submit({"Msg": "boom"})
    made = await share(dashboard, with_logs=False)
    visitor, path = await opened(dashboard)
    for page in await everything(visitor, path, error_id):
        assert "a log message" not in page.text
    which = {"_id": object_id(made.id)}
    await dashboard.state.store.database.shares.update_one(which, {"$set": {"with_logs": True}})
    assert made.with_logs is False
    assert "a log message" in (await visitor.get(f"{path}/e/{error_id}")).text
    assert (await visitor.get(f"{path}/api/logs")).json["logs"][0]["text"] == "a log message"


async def test_another_stack_is_out_of_reach(dashboard: Dashboard) -> None:
    mine = dashboard.stack
    dashboard.stack = await dashboard.state.store.stacks.create(
        "Other", now=now(), retention_days=1
    )
    other = await dashboard.submit({"Msg": "elsewhere"})
    dashboard.stack = mine
    await share(dashboard)
    visitor, path = await opened(dashboard)
    assert (await visitor.get(f"{path}/e/{other}")).status == 404
    assert (await visitor.get(f"{path}/api/errors/{other}")).status == 404


async def test_paging_goes_on_past_what_the_filter_leaves_out(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("errorstack_live.web.history.READ_AT_ONCE", 7)
    ids = [await dashboard.submit({"Msg": "n", "n": place, "who": "x"}) for place in range(40)]
    await share(dashboard, hidden=("who",))
    visitor, path = await opened(dashboard)
    found: list[str] = []
    before = ""
    while True:
        page = (await visitor.get(f"{path}/api/errors?query=n%3E9&limit=8{before}")).json
        found += [each["id"] for each in page["errors"]]
        if page["complete"]:
            break
        last = page["errors"][-1]
        before = f"&before={last['at']},{last['id']}"
    assert found == ids[:9:-1]


# Made and revoked by members


async def test_the_settings_page_makes_and_revokes_links(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await visitor.get(f"{dashboard.page}/settings/shares")
    form = {
        "share_name": "for Bob",
        "query": " service:web ",
        "hidden": "customer, ip ,",
        "expires": "3600",
    }
    page = await visitor.post(f"{dashboard.page}/settings/shares", **form)
    link = re.search(r"http://localhost/share/([\w-]{32})", page.text)
    assert link
    made = (await linking_shares(dashboard))[0]
    assert (made.name, made.query, made.hidden) == ("for Bob", "service:web", ("customer", "ip"))
    assert (made.with_logs, made.token_sha256) == (False, digest(link[1]))
    assert made.expires_at == made.created_at + timedelta(hours=1)
    again = await visitor.get(f"{dashboard.page}/settings/shares")
    assert link[1] not in again.text
    assert "for Bob" in again.text
    viewer = dashboard.visitor()
    place = (await viewer.get(f"/share/{link[1]}")).location
    assert (await viewer.get(place)).status == 200
    done = await visitor.post(f"{dashboard.page}/settings/shares/{made.id}/revoke")
    assert done.location == f"{dashboard.page}/settings/shares?done=revoked"
    assert (await viewer.get(place)).status == 410
    refused = await visitor.post(f"{dashboard.page}/settings/shares", **{**form, "query": "(("})
    assert (refused.status, 'value="(("' in refused.text) == (400, True)


async def linking_shares(dashboard: Dashboard) -> list[Share]:
    async with dashboard.app.app_context():
        return await linking.shares(dashboard.stack)


async def test_a_link_of_another_stack_cannot_be_revoked_here(dashboard: Dashboard) -> None:
    made = await share(dashboard)
    other = await dashboard.state.store.stacks.create("Other", now=now(), retention_days=1)
    visitor = await dashboard.signed_in()
    await visitor.get("/")
    answer = await visitor.post(f"/s/{other.slug}/shares/{made.id}/revoke")
    assert answer.status == 404
    assert (await linking_shares(dashboard))[0].revoked_at is None
