"""A stack's settings, page by page: each a form that works without a script."""

import re
from datetime import timedelta

import pytest
from fixtures_dashboard import Dashboard, Page, Visitor

from errorstack_live.storage.document import object_id
from errorstack_live.storage.mongo import Store
from errorstack_live.web.stack.scrubbing import attempt
from errorstack_live.web.state import now


async def opened(dashboard: Dashboard, section: str = "") -> tuple[Visitor, str]:
    """Someone signed in who looks at a section, and its address."""
    visitor = await dashboard.signed_in()
    path = f"{dashboard.page}/settings{section}"
    assert (await visitor.get(path)).status == 200
    return visitor, path


def said(page: Page, words: str) -> bool:
    """Whether the page says this; space between elements is not looked at."""
    return re.sub(r"\s", "", words) in re.sub(r"\s", "", page.elements.text)


async def test_name_and_address_are_changed(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard)
    slug = f"shop-{dashboard.stack.slug}"
    done = await visitor.post(path, name="Shop", slug=slug.upper())
    assert done.location == f"/s/{slug}/settings?done=moved"
    assert said(await visitor.get(done.location), "goes on leading here")
    assert (await dashboard.reload()).name == "Shop"
    assert (await visitor.get(dashboard.page)).status == 200
    before = path
    assert f'href="{dashboard.page}/settings/keys"' in (await visitor.get(before)).text
    taken = await dashboard.state.store.stacks.create("Taken", now=now(), retention_days=1)
    for wrong, status in (("", 400), ("a b", 400), ("-a", 400), ("a--b", 400), (taken.slug, 409)):
        assert (await visitor.post(before, name="Shop", slug=wrong)).status == status
    assert (await visitor.post(before, name="", slug=slug)).status == 400
    assert (await dashboard.reload()).slug == slug


async def test_a_new_stack_takes_a_former_address(store: Store) -> None:
    first = await store.stacks.create("One", now=now(), retention_days=1)
    await store.stacks.move(first.id, "two")
    assert (await store.stacks.by_slug("one")).id == first.id
    second = await store.stacks.create("One", now=now(), retention_days=1)
    assert (await store.stacks.by_slug("one")).id == second.id


# Keys


async def test_keys_are_added_named_and_revoked(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/keys")
    first = dashboard.stack.keys[0].key
    assert (await visitor.post(path, label="web shop")).location == f"{path}?done=added"
    second = (await dashboard.reload()).keys[1]
    assert second.label == "web shop"
    await visitor.post(f"{path}/{first}/label", label="old one")
    assert (await dashboard.reload()).keys[0].label == "old one"
    setup = await visitor.get(f"{dashboard.page}/setup")
    assert second.key in setup.text
    chosen = await visitor.get(f"{dashboard.page}/setup?key={first}")
    assert f"_s={first}" in chosen.elements.text
    for key in (first, second.key):
        asked = await visitor.get(f"{path}/{key}/revoke")
        assert said(asked, "nothing was ever stored")
        assert (await dashboard.reload()).keys[0].revoked_at is None or key == second.key
        assert (await visitor.post(f"{path}/{key}/revoke")).location == f"{path}?done=revoked"
    assert all(each.revoked_at for each in (await dashboard.reload()).keys)
    assert "is revoked" in (await visitor.get(f"{dashboard.page}/setup")).text
    assert (await visitor.post(f"{dashboard.page}/test")).status == 409
    for method in (visitor.get, visitor.post):
        assert (await method(f"{path}/none/revoke")).status == 404


async def test_a_key_says_when_from_where_and_by_what_it_was_used(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/keys")
    await dashboard.submit({"Msg": "boom"})
    await dashboard.state.store.uses.flush()
    page = await visitor.get(path)
    assert said(page, "Last used just now")
    assert said(page, "Probe/1.0")
    key = dashboard.stack.keys[0].key
    asked = await visitor.get(f"{path}/{key}/revoke")
    assert said(asked, "it stored 1 submission, the last one just now")
    assert said(asked, "it was used by Probe/1.0")


# Retention


async def test_a_shorter_retention_says_how_many_errors_go(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/retention")
    error_id = await dashboard.submit({"Msg": "old"})
    await dashboard.state.store.database.errors.update_one(
        {"stack": {"$exists": True}, "title": "old"}, {"$set": {"at": now() - timedelta(days=20)}}
    )
    assert error_id
    asked = await visitor.post(path, retention_days="7")
    assert (asked.status, said(asked, "1 error older than that")) == (200, True)
    assert (await dashboard.reload()).retention_days == 30
    done = await visitor.post(path, retention_days="7", sure="yes")
    assert done.location == f"{path}?done=saved"
    assert (await dashboard.reload()).retention_days == 7
    assert (await visitor.post(path, retention_days="90")).status == 302
    for wrong in ("0", "x", "3651", ""):
        assert (await visitor.post(path, retention_days=wrong)).status == 400
    assert (await dashboard.reload()).retention_days == 90


# Scrubbing


async def test_scrubbing_rules_are_saved(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/scrubbing")
    done = await visitor.post(path, names="ssn\n\n iban \n", text="")
    assert done.location == f"{path}?done=saved"
    assert (await dashboard.reload()).scrub == ("ssn", "iban")
    assert (await visitor.post(path, names="x" * 300)).status == 400


async def test_the_box_shows_what_would_be_stored_and_stores_nothing(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/scrubbing")
    sent = '{"Msg": "hi", "iban": "GB82WEST", "deep": {"password": "hunter2"}, "kept": "yes"}'
    page = await visitor.post(path, names="iban", text=sent, **{"try": "yes"})
    assert page.status == 200
    shown = page.text.partition('id="tried"')[2]
    assert "GB82WEST" not in shown
    assert "hunter2" not in shown
    assert "yes" in shown
    assert "deep.password" in shown
    assert (await dashboard.reload()).scrub == ()
    found = await dashboard.state.store.measures.contents(dashboard.stack.id, now())
    assert found.errors == 0
    wrong = await visitor.post(path, names="x" * 300, text=sent, **{"try": "yes"})
    assert (wrong.status, "hunter2" in wrong.elements.text) == (400, True)


TRIED: tuple[tuple[str, dict[str, str]], ...] = (
    ('{"a": "1"}', {"a": "1"}),
    ("a=1&b=two+words", {"a": "1", "b": "two words"}),
    ("a=1\nb: 2 & 3\n\nc=x=y", {"a": "1", "b": " 2 & 3", "c": "x=y"}),
    ("a=1", {"a": "1"}),
    ("", {}),
)


@pytest.mark.parametrize(("text", "fields"), TRIED)
def test_what_is_tried_may_be_written_as_it_comes(text: str, fields: dict[str, str]) -> None:
    assert attempt(text, ()).fields == fields


# Limits


async def test_the_rate_of_keys_is_set(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/limits")
    assert (await visitor.post(path, rate_limit="50")).location == f"{path}?done=saved"
    assert (await dashboard.reload()).rate_limit == 50
    assert said(await visitor.get(path), "limit 50/s")
    assert (await visitor.post(path, rate_limit="")).status == 302
    assert (await dashboard.reload()).rate_limit is None
    for wrong in ("0", "-1", "1e3", "1000001"):
        assert (await visitor.post(path, rate_limit=wrong)).status == 400


async def test_the_meter_counts_what_came_and_what_was_refused(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/limits")
    for n in range(3):
        await dashboard.submit({"Msg": f"number {n}"})
    dashboard.state.writer.refuse(dashboard.stack.id, "rate-limited")
    await dashboard.state.writer._write_refused()
    page = await visitor.get(path)
    assert said(page, "Last minute 3")
    assert said(page, "Errors stored 3")
    assert said(page, "sent faster than the limit 1")


# Deleting


async def test_deleting_says_what_goes_and_asks_for_the_name(dashboard: Dashboard) -> None:
    visitor, path = await opened(dashboard, "/delete")
    await dashboard.submit({"Msg": "boom"})
    await dashboard.submit({"Msg": "boom"})
    await dashboard.submit({"_msg": "deployed"}, "/log")
    asked = await visitor.get(path)
    for words in ("2 errors", "1 log message", "1 working key", "no working share links"):
        assert said(asked, words), words
    refused = await visitor.post(path, typed="checkout")
    assert (refused.status, said(refused, "nothing was deleted")) == (409, True)
    assert (await visitor.get(dashboard.page)).status == 200
    done = await visitor.post(path, typed="Checkout  prod ")
    assert done.location == "/?done=deleted"
    assert (await visitor.get(dashboard.page)).status == 404


async def test_a_removal_goes_on_after_a_crash(dashboard: Dashboard) -> None:
    """A process that dies in its middle leaves the note: any other one finishes."""
    store, stack = dashboard.state.store, dashboard.stack
    await dashboard.submit({"Msg": "boom"})
    at = now()
    await store.database.removals.insert_one({"_id": object_id(stack.id), "at": at})
    await store.stacks.finish_removals(at)
    assert (await store.measures.contents(stack.id, at)).errors == 0
    assert stack.id not in {each.id for each in await store.stacks.all()}
    late = {"stack": object_id(stack.id), "at": at, "title": "late", "expire_at": at}
    await store.database.errors.insert_one(late)
    assert await store.database.removals.count_documents({"_id": object_id(stack.id)}) == 1
    await store.stacks.finish_removals(at + timedelta(minutes=1))
    assert (await store.measures.contents(stack.id, at)).errors == 0
    assert await store.database.removals.count_documents({"_id": object_id(stack.id)}) == 0
