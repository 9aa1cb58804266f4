"""Stacks, keys, sessions and members by the API: what the pages do, for programs."""

from fixtures_dashboard import Dashboard

from errorstack_live.web.state import now

STACKS = "/api/v1/stacks"


async def test_a_stack_is_made_changed_and_deleted(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    made = await visitor.send("POST", STACKS, {"name": "  Billing   eu "})
    assert (made.status, made.json["name"], made.json["slug"]) == (201, "Billing eu", "billing-eu")
    path = f"{STACKS}/{made.json['slug']}"
    changed = {"name": "Bills", "retention_days": 7, "scrub": ["iban", "iban"], "rate_limit": 50}
    answer = (await visitor.send("PATCH", path, changed)).json
    assert answer == {**made.json, **changed, "scrub": ["iban"]}
    assert (await visitor.send("PATCH", path, {"rate_limit": 0})).json["rate_limit"] is None
    assert (await visitor.get(path)).json["name"] == "Bills"
    assert (await visitor.send("DELETE", path)).status == 409
    assert (await visitor.send("DELETE", f"{path}?confirm=bills")).status == 409
    assert (await visitor.send("DELETE", f"{path}?confirm=billing-eu")).status == 204
    assert (await visitor.get(path)).status == 404


async def test_keys_are_made_and_revoked(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    made = await visitor.send("POST", f"{dashboard.data}/keys")
    assert (made.status, made.json["revoked_at"]) == (201, None)
    path = f"{dashboard.data}/keys/{made.json['key']}"
    assert (await visitor.send("DELETE", path)).status == 204
    kept = (await visitor.get(dashboard.data)).json["keys"]
    assert [each["revoked_at"] is None for each in kept] == [True, False]
    assert (await visitor.send("DELETE", f"{dashboard.data}/keys/none")).status == 404


async def test_keys_tell_how_they_are_used(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await dashboard.submit({"Msg": "boom"})
    await dashboard.state.store.uses.flush()
    [used] = (await visitor.get(f"{dashboard.data}/keys")).json["keys"]
    assert (used["count"], [each["name"] for each in used["agents"]]) == (1, ["Probe/1.0"])
    path = f"{dashboard.data}/keys/{used['key']}"
    assert (await visitor.send("PATCH", path, {"label": " shop "})).json["label"] == "shop"
    assert (await visitor.send("PATCH", f"{path}0", {"label": "x"})).status == 404
    assert (await visitor.send("PATCH", path, {"label": "x" * 81})).status == 400


async def test_a_stack_s_address_is_changed(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    slug = f"moved-{dashboard.stack.slug}"
    assert (await visitor.send("PATCH", dashboard.data, {"slug": slug})).json["slug"] == slug
    assert (await visitor.get(dashboard.data)).json["slug"] == slug
    assert (await visitor.send("PATCH", dashboard.data, {"slug": "a b"})).status == 400


async def test_usage(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    assert (await visitor.get(f"{dashboard.data}/usage")).json["oldest_at"] is None
    await dashboard.submit({"Msg": "boom"})
    told = (await visitor.get(f"{dashboard.data}/usage")).json
    assert (told["errors"], told["last_minute"], told["refused"]) == (1, 1, {})
    assert told["error_bytes"] > 100
    assert told["limit"] == dashboard.state.settings.key_rate


async def test_open_issues_are_counted(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    await dashboard.submit({"Msg": "boom"})
    stacks = (await visitor.get(STACKS)).json["stacks"]
    mine = next(each for each in stacks if each["slug"] == dashboard.stack.slug)
    assert mine["open_issues"] == 1
    assert [each["key"] for each in mine["keys"]] == [dashboard.stack.keys[0].key]


async def test_wrong_settings_change_nothing(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    for body, said in (
        ({"retention_days": 0}, "retention_days: at least 1"),
        ({"retention_days": 3651}, "retention_days: at most 3650"),
        ({"retention_days": "7"}, "retention_days: a whole number"),
        ({"retention_days": 7, "name": " "}, "name is missing"),
        ({"name": 7}, "name: text"),
        ({"scrub": "iban"}, "scrub: a list"),
        ({"odd": "other"}, "odd: there is nothing of this name"),
    ):
        answer = await visitor.send("PATCH", dashboard.data, body)
        assert (answer.status, answer.json["message"]) == (400, said)
    assert await dashboard.reload() == dashboard.stack


async def test_sessions_are_listed_and_ended(own_dashboard: Dashboard) -> None:
    here, elsewhere = await own_dashboard.signed_in(), await own_dashboard.signed_in()
    listed = (await here.get("/api/v1/sessions")).json["sessions"]
    assert [each["current"] for each in listed].count(True) == 1
    other = next(each for each in listed if not each["current"])
    assert (await here.send("DELETE", f"/api/v1/sessions/{other['id']}")).status == 204
    assert (await elsewhere.get("/api/v1/sessions")).status == 401
    assert (await here.get("/api/v1/sessions")).status == 200
    stranger = await own_dashboard.state.store.members.add("bob@example.org", "x", now())
    token = await own_dashboard.state.store.sessions.create(
        stranger.id, now=now(), expires_at=now().replace(year=9000)
    )
    assert token
    [theirs] = await own_dashboard.state.store.sessions.all(stranger.id)
    assert (await here.send("DELETE", f"/api/v1/sessions/{theirs.id}")).status == 404


async def test_members_are_listed_and_removed(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    bob = await own_dashboard.state.store.members.add("bob@example.org", "x", now())
    listed = (await visitor.get("/api/v1/members")).json["members"]
    assert [(each["email"], each["you"]) for each in listed] == [
        (own_dashboard.member.email, True),
        ("bob@example.org", False),
    ]
    mine = f"/api/v1/members/{own_dashboard.member.id}"
    assert (await visitor.send("DELETE", mine)).status == 409
    assert (await visitor.send("DELETE", f"/api/v1/members/{bob.id}")).status == 204
    assert len((await visitor.get("/api/v1/members")).json["members"]) == 1


async def test_someone_is_invited_and_joins(own_dashboard: Dashboard) -> None:
    visitor = await own_dashboard.signed_in()
    made = await visitor.send("POST", "/api/v1/members", {"email": " Bob@Example.org "})
    assert (made.status, made.json["email"]) == (201, "bob@example.org")
    again = await visitor.send("POST", f"/api/v1/members/{made.json['id']}/invite")
    assert (again.status, again.json["id"]) == (201, made.json["id"])
    guest = own_dashboard.visitor()
    old, new = (each.json["url"].removeprefix("http://localhost") for each in (made, again))
    assert (await guest.get(old)).status == 410
    await guest.get(new)
    assert (await guest.post(new, password="a long enough one")).location == "/"
    assert (await guest.get("/api/v1/members")).status == 200
    refused = await visitor.send("POST", f"/api/v1/members/{made.json['id']}/invite")
    assert refused.status == 409
    for email, status in (("bob@example.org", 409), ("no address", 400)):
        answer = await visitor.send("POST", "/api/v1/members", {"email": email})
        assert answer.status == status
