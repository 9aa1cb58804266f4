"""Who may come in: the first member, sign-in, sessions, invitations, and forged requests."""

import asyncio
import re
from datetime import timedelta
from typing import Literal

import pytest
from argon2 import PasswordHasher
from fixtures_dashboard import EMAIL, PASSWORD, PASSWORD_HASH, Dashboard, Visitor
from quart import Quart, request
from werkzeug.datastructures import Headers

from errorstack_live.errors import NotFound
from errorstack_live.settings import load
from errorstack_live.storage.mongo import Store
from errorstack_live.web.account.answer import ATTEMPTS_PER_MINUTE
from errorstack_live.web.app import create_app
from errorstack_live.web.attempt import ACCOUNT_ATTEMPTS, DEVICE_COOKIE, SIGN_IN_PATH
from errorstack_live.web.header import CONTENT_SECURITY_POLICY
from errorstack_live.web.origin import address, believe_proxy
from errorstack_live.web.password import INVITE_DAYS, Passwords, is_invite, new_invite, opens
from errorstack_live.web.state import now

UNHASHED = "x" * 2000
"""Longer than any password, so wrong without a hash: attempts are as quick as they come."""
MEMBERS_ONLY = (
    *("/", "/members", "/account", "/account/sessions", "/account/tokens", "/status"),
    *("/s/checkout-prod", "/s/checkout-prod/setup", "/s/checkout-prod/settings"),
    "/s/checkout-prod/settings/keys",
)


def cookies(headers: object) -> str:
    return "\n".join(headers.getlist("Set-Cookie"))  # type: ignore[attr-defined]


# The first member


@pytest.fixture
async def empty(store: Store) -> Dashboard:
    """A dashboard that nobody has set up."""
    app = create_app(load(role="dashboard"), store)._asgi
    assert isinstance(app, Quart)
    return Dashboard(app, app.extensions["errorstack"], None, None)  # type: ignore[arg-type]


async def test_the_first_member_comes_by_a_link_that_works_once(empty: Dashboard) -> None:
    token = await empty.state.store.meta.new_setup_token(now())
    visitor = empty.visitor()
    assert (await visitor.get("/login")).location == "/setup"
    assert "token" not in (await visitor.get("/setup")).text
    assert (await visitor.get(f"/setup?token={token}")).status == 200
    weak = await visitor.post("/setup", token=token, email=EMAIL, password="short")
    assert (weak.status, "at least 10" in weak.text) == (400, True)
    done = await visitor.post("/setup", token=token, email=EMAIL, password=PASSWORD)
    assert (done.status, done.location) == (302, "/")  # there is no stack to set up
    assert (await visitor.get("/")).status == 200
    again = empty.visitor()
    await again.get("/login")
    second = await again.post("/setup", token=token, email="eve@example.org", password=PASSWORD)
    assert second.status == 403
    assert await empty.state.store.members.count() == 1


async def test_of_two_who_race_for_the_link_one_gets_in(empty: Dashboard) -> None:
    token = await empty.state.store.meta.new_setup_token(now())
    racers = [empty.visitor(), empty.visitor()]
    for racer in racers:
        await racer.get(f"/setup?token={token}")
    answers = await asyncio.gather(
        *(
            racer.post("/setup", token=token, email=f"r{place}@example.org", password=PASSWORD)
            for place, racer in enumerate(racers)
        )
    )
    assert sorted(answer.status for answer in answers) == [302, 403]
    assert await empty.state.store.members.count() == 1


async def test_a_wrong_token_makes_no_member(empty: Dashboard) -> None:
    await empty.state.store.meta.new_setup_token(now())
    visitor = empty.visitor()
    await visitor.get("/setup?token=guess")
    answer = await visitor.post("/setup", token="guess", email=EMAIL, password=PASSWORD)
    assert answer.status == 403
    assert await empty.state.store.members.count() == 0


# Signing in


async def test_strangers_are_asked_to_sign_in(dashboard: Dashboard) -> None:
    visitor = dashboard.visitor()
    for path in MEMBERS_ONLY:
        answer = await visitor.get(f"{path}?q=a%26b")
        assert answer.status == 302
        assert answer.location.startswith("/login?next=%2F")
        page = await visitor.get(answer.location)
        next_path = re.search(r'name="next" value="([^"]*)"', page.text)
        assert next_path
        assert next_path[1] == f"{path}?q=a%26b"


async def test_sign_in_and_out(own_dashboard: Dashboard) -> None:
    visitor = own_dashboard.visitor()
    signed_in = await visitor.sign_in("ADA@example.org ")
    assert (signed_in.status, signed_in.location) == (302, "/")
    cookie = cookies(signed_in.headers)
    assert "errorstack=" in cookie
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert "Secure" not in cookie
    assert (await visitor.get("/")).status == 200
    assert (await visitor.post("/logout")).location == "/login"
    assert (await visitor.get("/")).status == 302


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(dashboard: Dashboard) -> None:
    visitor = dashboard.visitor("https")
    cookie = cookies((await visitor.sign_in()).headers)
    assert "__Host-errorstack=" in cookie
    assert "Secure" in cookie
    assert (await visitor.get("/")).status == 200


async def test_behind_a_proxy_that_is_trusted_https_is_https(store: Store) -> None:
    app = create_app(load(role="dashboard", trusted_proxies=["10.0.0.0/8"]), store)._asgi
    assert isinstance(app, Quart)
    await store.members.add(EMAIL, PASSWORD_HASH, now())
    for peer, is_believed in (("10.0.0.1", True), ("198.51.100.1", False)):
        visitor = Visitor(app.test_client())
        visitor.peer = peer
        visitor.headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.9"}
        cookie = cookies((await visitor.sign_in()).headers)
        assert ("__Host-errorstack=" in cookie) == is_believed
        assert ("Secure" in cookie) == is_believed


async def test_a_session_that_ended_is_of_no_use(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await own_dashboard.state.store.sessions.end_all(own_dashboard.member.id)
    assert (await visitor.get("/")).status == 302
    assert (await visitor.get(f"{own_dashboard.data}/errors")).status == 401


async def test_wrong_ones_are_told_the_same(own_dashboard: Dashboard) -> None:
    for email, password in (
        (EMAIL, "wrong"),
        (EMAIL, ""),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        (EMAIL, "x" * 5000),
    ):
        answer = await own_dashboard.visitor().sign_in(email, password)
        assert answer.status == 403
        assert "do not belong together" in answer.text
        assert "Set-Cookie" not in answer.headers


async def test_an_unknown_address_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes: list[str | bytes] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, known: str | bytes, password: str | bytes) -> Literal[True]:
        hashes.append(known)
        return verify(self, known, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    passwords = Passwords()
    _, invited = new_invite(now())
    for unknown in (None, invited):
        assert not await passwords.verify(unknown, "a guess")
    assert len(hashes) == 2
    assert all(str(each).startswith("$argon2id$") for each in hashes)


async def test_attempts_are_throttled_by_account_and_network(own_dashboard: Dashboard) -> None:
    visitor = own_dashboard.visitor()
    await visitor.get("/login")
    answers = [await visitor.post("/login", email=EMAIL, password=UNHASHED) for _ in range(12)]
    assert [answer.status for answer in answers] == [403] * 10 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10
    assert (await own_dashboard.visitor().sign_in("other@example.org", "wrong")).status == 403
    elsewhere = own_dashboard.visitor()
    elsewhere.peer = "192.0.2.2"
    assert (await elsewhere.sign_in()).status == 302


async def use_up(dashboard: Dashboard) -> None:
    """Guess at the account from so many networks that no stranger may any more."""
    visitor = dashboard.visitor()
    await visitor.get("/login")
    for attempt in range(ACCOUNT_ATTEMPTS + 20):
        visitor.peer = f"198.51.{attempt // 5}.1"
        answer = await visitor.post("/login", email=EMAIL, password=UNHASHED)
        if answer.status == 429:
            return
    raise AssertionError("nothing stopped the guesses")


async def test_guesses_from_many_networks_do_not_lock_a_known_browser_out(
    own_dashboard: Dashboard,
) -> None:
    known = own_dashboard.visitor()
    cookie = cookies((await known.sign_in()).headers)
    device = next(line for line in cookie.splitlines() if line.startswith(DEVICE_COOKIE))
    assert all(word in device for word in ("HttpOnly", "SameSite=Strict", f"Path={SIGN_IN_PATH}"))
    assert EMAIL not in device
    await known.post("/logout")
    await use_up(own_dashboard)
    stranger = own_dashboard.visitor()
    stranger.peer = "203.0.113.9"
    assert (await stranger.sign_in()).status == 429
    assert (await known.sign_in()).status == 302


async def test_a_known_browser_may_not_guess_for_ever_either(own_dashboard: Dashboard) -> None:
    known = own_dashboard.visitor()
    await known.sign_in()
    await known.post("/logout")
    await known.get("/login")
    statuses = []
    for attempt in range(12):
        known.peer = f"192.0.2.{attempt}"  # a new address is no way around
        statuses.append((await known.post("/login", email=EMAIL, password=UNHASHED)).status)
    assert statuses.count(429) >= 2


async def test_a_browser_is_known_to_the_account_it_signed_in_to_alone(
    own_dashboard: Dashboard,
) -> None:
    store = own_dashboard.state.store
    await store.members.add("eve@example.org", await Passwords().hash("a fine password"), now())
    eve = own_dashboard.visitor()
    await eve.sign_in("eve@example.org", "a fine password")
    await eve.post("/logout")
    await use_up(own_dashboard)
    eve.peer = "203.0.113.10"
    assert (await eve.sign_in()).status == 429


async def test_one_s_own_password_can_be_changed_while_strangers_guess(
    own_dashboard: Dashboard,
) -> None:
    me = await own_dashboard.signed_in()
    await use_up(own_dashboard)
    await me.get("/account")
    done = await me.post("/account/password", current=PASSWORD, password="another password")
    assert done.status == 302


async def test_an_endless_e_mail_is_remembered_by_its_start(own_dashboard: Dashboard) -> None:
    """Else anonymous attempts would fill the memory that counts them."""
    visitor = own_dashboard.visitor()
    await visitor.get("/login")
    long = "x" * 100_000
    sent = [{"email": f"{long}{n}", "password": UNHASHED} for n in range(11)]
    answers = [await visitor.post("/login", **form) for form in sent]
    assert [answer.status for answer in answers] == [403] * 10 + [429]


async def test_a_browser_does_not_choose_its_address(store: Store) -> None:
    """Its own header may come in a line before the proxy's."""
    app = create_app(load(role="dashboard", trusted_proxies=["10.0.0.0/8"]), store)._asgi
    assert isinstance(app, Quart)
    headers = Headers([("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "192.0.2.9")])
    async with app.test_request_context("/", headers=headers):
        request.remote_addr = "10.0.0.1"
        await believe_proxy()
        assert await address() == "192.0.2.9"


async def test_attempts_are_throttled_by_address(own_dashboard: Dashboard) -> None:
    visitor = own_dashboard.visitor()
    await visitor.get("/login")
    tries = 0
    while True:
        answer = await visitor.post("/login", email=f"{tries}@a.test", password=UNHASHED)
        if answer.status != 403:
            break
        tries += 1
        assert tries < 100
    assert tries >= ATTEMPTS_PER_MINUTE
    assert answer.status == 429
    assert "Retry-After" in answer.headers


async def test_sign_in_leads_nowhere_else(own_dashboard: Dashboard) -> None:
    visitor = own_dashboard.visitor()
    for path in ("//evil.test", "https://evil.test", "/\\evil.test", "javascript:x"):
        await visitor.get("/login")
        answer = await visitor.post("/login", email=EMAIL, password=PASSWORD, next=path)
        assert (answer.status, answer.location) == (302, "/")


async def test_sign_in_goes_on_to_where_one_wanted(dashboard: Dashboard) -> None:
    visitor = dashboard.visitor()
    await visitor.get("/login")
    answer = await visitor.post(
        "/login", email=EMAIL, password=PASSWORD, next=f"{dashboard.page}?q=level%3Aerror"
    )
    assert answer.location == f"{dashboard.page}?q=level%3Aerror"


async def test_a_weaker_hash_is_renewed_at_sign_in(own_dashboard: Dashboard) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    store = own_dashboard.state.store
    await store.members.set_password(own_dashboard.member.id, weak)
    assert (await own_dashboard.visitor().sign_in()).status == 302
    assert (await store.members.by_id(own_dashboard.member.id)).password_hash != weak
    assert (await own_dashboard.visitor().sign_in()).status == 302


# Forged requests


ORIGINS: tuple[tuple[dict[str, str], int], ...] = (
    ({"Sec-Fetch-Site": "same-origin"}, 302),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 302),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 302),
    ({"Origin": "http://localhost"}, 302),
    ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.test"}, 403),
    ({"Origin": "http://evil.test"}, 403),
    ({"Origin": "http://localhost.evil.test"}, 403),
    ({"Origin": "null"}, 403),
    ({}, 403),
)
"""What a browser says of where a request comes from, and the status of the answer."""


async def test_only_pages_of_ours_change_anything(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await visitor.get("/")
    for headers, status in ORIGINS:
        visitor.headers = headers
        count = len(await dashboard.state.store.stacks.all())
        assert (await visitor.post("/stacks", name="New")).status == status, headers
        made = len(await dashboard.state.store.stacks.all()) - count
        assert made == (status == 302), headers


async def test_a_form_carries_its_sessions_token(dashboard: Dashboard) -> None:
    mine, other = await dashboard.signed_in(), await dashboard.signed_in()
    await mine.get("/")
    await other.get("/")
    assert mine.token != other.token
    for token in ("", "x", other.token, mine.token[:-1]):
        assert (await mine.post("/stacks", name="New", form_token=token)).status == 403
    await mine.get("/")
    assert (await mine.post("/stacks", name="New")).status == 302


async def test_what_a_foreign_form_can_send_needs_the_token(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = await visitor.client.post(
            f"{dashboard.data}/test", data=b"{}", headers={**visitor.headers, "Content-Type": kind}
        )
        assert answer.status_code == 403


async def test_a_bearer_token_needs_no_page(dashboard: Dashboard) -> None:
    store = dashboard.state.store
    at = now()
    token = await store.sessions.create(None, now=at, expires_at=at + timedelta(minutes=5))
    visitor = dashboard.visitor()
    visitor.headers = {"Authorization": f"Bearer {token}"}
    assert (await visitor.get(f"{dashboard.data}/errors")).status == 200
    assert (await visitor.send("POST", f"{dashboard.data}/test")).status == 200
    visitor.headers = {"Authorization": "Bearer wrong"}
    assert (await visitor.get(f"{dashboard.data}/errors")).status == 401


async def test_a_wrong_bearer_is_not_made_good_by_a_cookie(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    assert (await visitor.get(f"{dashboard.data}/errors")).status == 200
    answer = await visitor.get(f"{dashboard.data}/errors", Authorization="Bearer wrong")
    assert answer.status == 401


async def test_an_expired_session_is_over(dashboard: Dashboard) -> None:
    at = now() - timedelta(hours=1)
    token = await dashboard.state.store.sessions.create(
        None, now=at, expires_at=at + timedelta(minutes=5)
    )
    answer = await dashboard.visitor().get(
        f"{dashboard.data}/errors", Authorization=f"Bearer {token}"
    )
    assert answer.status == 401


# Members


async def test_an_invitation_works_once(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await visitor.get("/members")
    page = await visitor.post("/members", email="Grace@Example.org")
    link = re.search(r"http://localhost(/invite/[0-9a-f]{24}/[\w-]+)", page.text)
    assert link
    assert (await own_dashboard.visitor().sign_in("grace@example.org", "")).status == 403
    guest = own_dashboard.visitor()
    assert "grace@example.org" in (await guest.get(link[1])).text
    assert (await guest.post(link[1], password="short")).status == 400
    joined = await guest.post(link[1], password="a fine password")
    assert (joined.status, joined.location) == (302, "/")
    assert (await guest.get("/")).status == 200
    assert (await own_dashboard.visitor().get(link[1])).status == 410
    assert (
        await own_dashboard.visitor().sign_in("grace@example.org", "a fine password")
    ).status == 302


async def test_an_invitation_ends_with_the_member(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await visitor.get("/members")
    page = await visitor.post("/members", email="grace@example.org")
    link = re.search(r"(/invite/([0-9a-f]{24})/[\w-]+)", page.text)
    assert link
    assert (await own_dashboard.visitor().get(link[1] + "x")).status == 410
    assert (await visitor.post(f"/members/{link[2]}/remove")).status == 302
    assert (await own_dashboard.visitor().get(link[1])).status == 410


async def test_who_cannot_be_invited(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    await visitor.get("/members")
    for email in ("", "nobody", EMAIL, "a b@c.d"):
        assert (await visitor.post("/members", email=email)).status in {400, 409}
    assert await own_dashboard.state.store.members.count() == 1


def test_an_invitation_expires() -> None:
    at = now()
    token, marker = new_invite(at)
    assert is_invite(marker)
    assert token not in marker
    assert opens(marker, token, at + timedelta(days=INVITE_DAYS, seconds=-2))
    assert not opens(marker, token, at + timedelta(days=INVITE_DAYS, seconds=2))
    assert not opens(marker, token + "x", at)
    assert not opens("$argon2id$v=19", token, at)


async def test_a_removed_member_is_out_at_once(own_dashboard: Dashboard) -> None:
    store = own_dashboard.state.store
    password_hash = await Passwords().hash("a fine password")
    grace = await store.members.add("grace@example.org", password_hash, now())
    guest, visitor = own_dashboard.visitor(), await own_dashboard.signed_in()
    await guest.sign_in("grace@example.org", "a fine password")
    assert (await guest.get("/")).status == 200
    await visitor.get("/members")
    assert (await visitor.post(f"/members/{grace.id}/remove")).status == 302
    assert (await guest.get("/")).status == 302
    with pytest.raises(NotFound):
        await store.members.by_id(grace.id)
    assert (await visitor.post(f"/members/{own_dashboard.member.id}/remove")).status == 409


async def test_a_new_password_ends_the_other_sessions(own_dashboard: Dashboard) -> None:
    visitor, elsewhere = await own_dashboard.signed_in(), await own_dashboard.signed_in()
    await visitor.get("/account")
    wrong = await visitor.post("/account/password", current="wrong", password="another password")
    assert wrong.status == 403
    weak = await visitor.post("/account/password", current=PASSWORD, password="weak")
    assert weak.status == 400
    assert (await elsewhere.get("/")).status == 200
    done = await visitor.post("/account/password", current=PASSWORD, password="another password")
    assert done.location == "/account?done=password"
    assert (await visitor.get("/")).status == 200
    assert (await elsewhere.get("/")).status == 302
    assert (await own_dashboard.visitor().sign_in()).status == 403
    assert (await own_dashboard.visitor().sign_in(password="another password")).status == 302


async def test_sign_out_elsewhere(own_dashboard: Dashboard) -> None:
    visitor, elsewhere = await own_dashboard.signed_in(), await own_dashboard.signed_in()
    await visitor.get("/account")
    assert (await visitor.post("/account/sign-out-elsewhere")).status == 302
    assert (await visitor.get("/")).status == 200
    assert (await elsewhere.get("/")).status == 302


# Headers


async def test_every_answer_has_the_headers(dashboard: Dashboard) -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    for path in ("/login", "/docs/api", "/nowhere", "/static/none.js", "/share/none", "/v/none"):
        headers = (await dashboard.visitor().get(path)).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        is_shared = path.startswith(("/share/", "/v/"))
        assert headers["Referrer-Policy"] == ("no-referrer" if is_shared else "same-origin")
        assert ("X-Robots-Tag" in headers) == is_shared
