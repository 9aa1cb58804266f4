"""API tokens: what each lets a program do, and when it ends."""

from datetime import timedelta
from typing import Any

import pytest
from fixtures_dashboard import Dashboard, Page, Visitor

from errorstack_live.access import ACCESS_MARK, Scope, Token
from errorstack_live.errors import NotFound
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.token import USED_EVERY
from errorstack_live.web.state import now


async def made(dashboard: Dashboard, **wish: object) -> Any:
    member = await dashboard.signed_in()
    answer = await member.send("POST", "/api/v1/tokens", {"name": "ci", **wish})
    assert answer.status == 201, answer.text
    return answer.json


def program(dashboard: Dashboard, token: str) -> Visitor:
    """Something that sends a token, and nothing of what a browser sends."""
    return Visitor(dashboard.app.test_client(), headers={"Authorization": f"Bearer {token}"})


async def test_a_token_is_told_once_and_listed_without_its_text(dashboard: Dashboard) -> None:
    told = await made(dashboard, stacks=[dashboard.stack.slug], expires_in_s=60)
    assert told["token"].startswith(ACCESS_MARK)
    assert told["expires_at"] - told["created_at"] == 60_000
    assert (told["scope"], told["stacks"]) == ("read", [dashboard.stack.slug])
    member = await dashboard.signed_in()
    listed = (await member.get("/api/v1/tokens")).json["tokens"]
    found = next(each for each in listed if each["id"] == told["id"])
    assert found == {name: value for name, value in told.items() if name != "token"}
    assert found["made_by"] == dashboard.member.email
    kept = await dashboard.state.store.database.tokens.find().to_list(None)
    assert told["token"] not in str(kept)


async def test_a_token_for_reading_reads_and_no_more(dashboard: Dashboard) -> None:
    told = await made(dashboard)
    await dashboard.submit({"Msg": "boom"})
    ci = program(dashboard, told["token"])
    assert len((await ci.get(f"{dashboard.data}/errors")).json["errors"]) == 1
    assert "keys" not in (await ci.get(dashboard.data)).json
    for method, path in (
        ("POST", f"{dashboard.data}/test"),
        ("PATCH", dashboard.data),
        ("POST", f"{dashboard.data}/keys"),
        ("DELETE", f"{dashboard.data}?confirm={dashboard.stack.slug}"),
        ("GET", f"{dashboard.data}/shares"),
        ("POST", "/api/v1/stacks"),
    ):
        assert said(await ci.send(method, path, {"name": "x"})) in {
            (403, "forbidden"),
            (400, "invalid"),
        }, path
    assert await dashboard.reload() == dashboard.stack


def said(page: Page) -> tuple[int, str]:
    return page.status, page.json["error"]


async def test_a_token_for_writing_writes(dashboard: Dashboard) -> None:
    told = await made(dashboard, scope="write")
    ci = program(dashboard, told["token"])
    assert (await ci.send("POST", f"{dashboard.data}/test")).json["success"] is True
    stack = (await ci.send("POST", "/api/v1/stacks", {"name": "From CI"})).json
    assert stack["keys"][0]["key"]
    changed = await ci.send("PATCH", f"/api/v1/stacks/{stack['slug']}", {"retention_days": 3})
    assert changed.json["retention_days"] == 3


async def test_a_token_reaches_its_own_stacks_alone(dashboard: Dashboard) -> None:
    other = await dashboard.state.store.stacks.create("Other", now=now(), retention_days=1)
    told = await made(dashboard, scope="write", stacks=[other.slug])
    ci = program(dashboard, told["token"])
    assert (await ci.get(f"/api/v1/stacks/{other.slug}/errors")).status == 200
    assert said(await ci.get(f"{dashboard.data}/errors")) == (404, "not-found")
    listed = (await ci.get("/api/v1/stacks")).json["stacks"]
    assert [each["slug"] for each in listed] == [other.slug]
    assert said(await ci.send("POST", "/api/v1/stacks", {"name": "x"})) == (403, "forbidden")


async def test_a_token_makes_no_tokens_and_manages_no_members(dashboard: Dashboard) -> None:
    ci = program(dashboard, (await made(dashboard, scope="write"))["token"])
    for method, path in (
        ("GET", "/api/v1/tokens"),
        ("POST", "/api/v1/tokens"),
        ("GET", "/api/v1/members"),
        ("DELETE", f"/api/v1/members/{dashboard.member.id}"),
        ("GET", "/api/v1/sessions"),
    ):
        assert said(await ci.send(method, path, {"name": "x"})) == (403, "forbidden"), path


async def test_a_revoked_token_is_nobody(dashboard: Dashboard) -> None:
    told = await made(dashboard)
    ci = program(dashboard, told["token"])
    assert (await ci.get(f"{dashboard.data}/errors")).status == 200
    member = await dashboard.signed_in()
    assert (await member.send("DELETE", f"/api/v1/tokens/{told['id']}")).status == 204
    assert said(await ci.get(f"{dashboard.data}/errors")) == (401, "sign-in")
    assert said(await member.send("DELETE", f"/api/v1/tokens/{told['id']}")) == (404, "not-found")


@pytest.mark.parametrize("text", ["", "zz", "x" * 5000, "\u00e9"])
async def test_an_odd_token_is_nobody(dashboard: Dashboard, text: str) -> None:
    answer = await program(dashboard, ACCESS_MARK + text).get(f"{dashboard.data}/errors")
    assert said(answer) == (401, "sign-in")


async def create(store: Store, **given: Any) -> tuple[Token, str]:
    wish = {"name": "n", "scope": Scope.READ, "stacks": None, "member_id": None}
    return await store.tokens.create(**{**wish, "now": now(), "expires_at": None, **given})


async def test_last_use_is_known_to_a_minute(store: Store) -> None:
    token, text = await create(store)
    at = now()
    await store.tokens.by_text(text, at)
    await store.tokens.by_text(text, at + USED_EVERY / 2)
    assert (await store.tokens.all())[0].last_used_at == at
    await store.tokens.by_text(text, at + USED_EVERY)
    assert (await store.tokens.all())[0].last_used_at == at + USED_EVERY
    await store.tokens.revoke(token.id)
    with pytest.raises(NotFound):
        await store.tokens.revoke(token.id)


async def test_it_expires_to_the_moment(store: Store) -> None:
    ends_at = now() + timedelta(hours=1)
    _, text = await create(store, expires_at=ends_at)
    assert await store.tokens.by_text(text, ends_at - timedelta(milliseconds=1))
    assert await store.tokens.by_text(text, ends_at) is None


async def test_it_ends_with_the_member_who_made_it(store: Store) -> None:
    member = await store.members.add("bob@example.org", "x", now())
    _, text = await create(store, member_id=member.id)
    _, other = await create(store)
    await store.members.remove(member.id)
    assert await store.tokens.by_text(text, now()) is None
    assert await store.tokens.by_text(other, now())
