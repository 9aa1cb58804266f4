"""One's own account: address, looks, sessions, tokens; and members as others see them."""

import re

from fixtures_dashboard import EMAIL, PASSWORD, Dashboard

from errorstack_live.access import Scope
from errorstack_live.web.state import now


async def test_the_address_is_changed_with_the_password(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await own_dashboard.state.store.members.add("bob@example.org", "x", now())
    await visitor.get("/account")
    for given, status in (
        ({"email": "new@example.org", "current": "wrong"}, 403),
        ({"email": "nobody", "current": PASSWORD}, 400),
        ({"email": "BOB@example.org", "current": PASSWORD}, 409),
        ({"email": "New@example.org", "current": PASSWORD}, 302),
    ):
        assert (await visitor.post("/account/email", **given)).status == status
    other = own_dashboard.visitor()
    assert (await other.sign_in()).status == 403
    assert (await other.sign_in("new@example.org")).status == 302
    assert EMAIL not in (await visitor.get("/account")).text


async def test_theme_and_keys_are_kept_by_the_browser(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await visitor.get("/account")
    done = await visitor.post("/account/looks", theme="light")
    assert sorted(each.split(";")[0] for each in done.headers.getlist("Set-Cookie"))[-2:] == [
        "keys=off",
        "theme=light",
    ]
    page = await visitor.get(dashboard.page)
    assert page.elements.all("html")[0] == {
        "lang": "en", "data-theme": "light", "data-keys": "off",
    }  # fmt: skip
    await visitor.post("/account/looks", theme="auto", keys="yes")
    assert (await visitor.get("/account")).elements.all("html")[0] == {"lang": "en"}
    assert (await visitor.post("/account/looks", theme="pink")).status == 400


async def test_sessions_tell_the_browser_and_can_be_ended(own_dashboard: Dashboard) -> None:
    here = await own_dashboard.signed_in()
    phone = own_dashboard.visitor()
    phone.headers["User-Agent"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
    )
    phone.peer = "192.0.2.77"
    await phone.sign_in()
    page = await here.get("/account/sessions")
    assert "Safari 18 on iPhone" in page.elements.text
    assert "192.0.2.77" in page.elements.text
    found = await own_dashboard.state.store.sessions.all(own_dashboard.member.id)
    theirs = next(each for each in found if each.address == "192.0.2.77")
    assert (await here.post("/account/sessions/end", session="none")).status == 404
    assert (await here.post("/account/sessions/end", session=theirs.id)).status == 302
    assert (await phone.get("/")).status == 302
    assert (await here.get("/")).status == 200


async def test_another_s_session_is_not_one_s_own(own_dashboard: Dashboard) -> None:
    store = own_dashboard.state.store
    bob = await store.members.add("bob@example.org", "x", now())
    await store.sessions.create(bob.id, now=now(), expires_at=now().replace(year=9000))
    [theirs] = await store.sessions.all(bob.id)
    here = await own_dashboard.signed_in()
    await here.get("/account/sessions")
    assert (await here.post("/account/sessions/end", session=theirs.id)).status == 404
    assert len(await store.sessions.all(bob.id)) == 1


async def test_a_session_s_last_use_is_noted_now_and_then(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    sessions = own_dashboard.state.store.sessions
    [before] = await sessions.all(own_dashboard.member.id)
    await visitor.get("/")
    assert (await sessions.all(own_dashboard.member.id)) == [before]
    old = now().replace(year=2020)
    await own_dashboard.state.store.database.sessions.update_many({}, {"$set": {"seen_at": old}})
    visitor.peer = "192.0.2.99"
    await visitor.get("/")
    [after] = await sessions.all(own_dashboard.member.id)
    assert after.seen_at is not None
    assert after.seen_at.year > 2020
    assert after.address == "192.0.2.99"


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    own_dashboard: Dashboard,
) -> None:
    visitor = await own_dashboard.signed_in()
    await visitor.get("/account/tokens")
    form = {"name": "deploy", "scope": "read", "expires": "604800"}
    form["stack"] = own_dashboard.stack.slug
    page = await visitor.post("/account/tokens", **form)
    text = re.search(r'<code id="token"[^>]*>([^<]+)</code>', page.text)
    assert text
    again = await visitor.get("/account/tokens")
    assert text[1] not in again.text
    assert "deploy" in again.elements.text
    [made] = await own_dashboard.state.store.tokens.all()
    assert (made.scope, made.stacks) == (Scope.READ, (own_dashboard.stack.id,))
    program = own_dashboard.visitor()
    program.headers = {"Authorization": f"Bearer {text[1]}"}
    assert (await program.get(f"{own_dashboard.data}/errors")).status == 200
    asked = await visitor.get(f"/account/tokens/{made.id}/revoke")
    assert "last used just now" in asked.elements.text
    assert (await visitor.post(f"/account/tokens/{made.id}/revoke")).status == 302
    assert (await program.get(f"{own_dashboard.data}/errors")).status == 401
    for wrong in ({"name": ""}, {"scope": "all"}, {"expires": "1"}, {"stack": "none"}):
        assert (await visitor.post("/account/tokens", **{**form, **wrong})).status == 400


async def test_an_invitation_can_be_made_anew_and_taken_back(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await visitor.get("/members")
    link = re.compile(r"http://localhost(/invite/([0-9a-f]{24})/[\w-]+)")
    first = link.search((await visitor.post("/members", email="grace@example.org")).text)
    assert first
    second = link.search((await visitor.post(f"/members/{first[2]}/invite")).text)
    assert second
    guest = own_dashboard.visitor()
    assert (await guest.get(first[1])).status == 410
    assert (await guest.get(second[1])).status == 200
    asked = await visitor.get(f"/members/{first[2]}/remove")
    assert "the link that was sent to them" in asked.elements.text
    assert (await visitor.post(f"/members/{first[2]}/remove")).location.endswith("taken-back")
    assert (await guest.get(second[1])).status == 410
    mine = f"/members/{own_dashboard.member.id}"
    assert (await visitor.post(f"{mine}/invite")).status == 409
    assert (await visitor.get(f"{mine}/remove")).status == 409


async def test_removing_a_member_says_what_goes(own_dashboard: Dashboard) -> None:
    store = own_dashboard.state.store
    bob = await store.members.add("bob@example.org", "x", now())
    await store.sessions.create(bob.id, now=now(), expires_at=now().replace(year=9000))
    visitor = await own_dashboard.signed_in()
    page = await visitor.get(f"/members/{bob.id}/remove")
    assert "1 session: they are signed out everywhere" in page.elements.text
    assert "no API tokens that they made" in page.elements.text
