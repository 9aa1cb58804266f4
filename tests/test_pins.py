"""An error is pinned for everybody who may see it, live, and for nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from fixtures_dashboard import Dashboard
from fixtures_server import Server, serving
from samples_storage import error as sample
from test_presence import ADA, signed_in
from test_socket import Watcher, share, shared, submit

from errorstack_live.access import Pin
from errorstack_live.errors import Conflict
from errorstack_live.model import Stack
from errorstack_live.query import EVERYTHING as ALL
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.pin import MAX_PINS
from errorstack_live.storage.writer import Writer
from errorstack_live.web import pinning
from errorstack_live.web.state import now


async def test_the_number_of_pins_is_bounded(store: Store, stack: Stack, writer: Writer) -> None:
    sent = [sample(stack.id, {"n": str(n)}, at=now()) for n in range(MAX_PINS + 1)]
    for one in sent:
        await writer.store(one)
    for one in sent[:MAX_PINS]:
        await pinning.add(store, stack, Pin(one.id, "", ADA, now()))
    with pytest.raises(Conflict, match=str(MAX_PINS)):
        await pinning.add(store, stack, Pin(sent[-1].id, "", ADA, now()))
    await pinning.add(store, stack, Pin(sent[0].id, "another note", ADA, now()))
    found = await store.pins.all(stack.id)
    assert [each.error for each in found] == [each.id for each in reversed(sent[:MAX_PINS])]
    assert found[-1].note == "another note"
    await store.database.errors.delete_one({"fields.n": "2"})
    await pinning.add(store, stack, Pin(sent[-1].id, "", ADA, now()))
    assert (await store.pins.all(stack.id))[0].error == sent[-1].id
    await store.pins.remove(stack.id, [each.error for each in found])
    assert [each.error for each in await store.pins.all(stack.id)] == [sent[-1].id]


async def test_members_pin_by_the_api(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    one = await dashboard.submit({"Msg": "one", "user": "ada"})
    path = f"{dashboard.data}/pins"
    assert (await visitor.send("PUT", f"{path}/{one}", {"note": " look\n here "})).status == 204
    (pin,) = (await visitor.get(path)).json["pins"]
    assert (pin["error"]["id"], pin["note"], pin["by"]) == (one, "look here", ADA)
    assert (await visitor.send("PUT", f"{path}/{'0' * 24}", {})).status == 404
    assert (await visitor.send("PUT", f"{path}/{one}", {"note": "x" * 201})).status == 400
    assert (await visitor.send("PUT", f"{path}/{one}", {"note": ["x"]})).status == 400
    assert (await dashboard.visitor().send("PUT", f"{path}/{one}", {})).status == 401
    assert (await visitor.send("DELETE", f"{path}/{one}")).status == 204
    assert (await visitor.get(path)).json == {"pins": []}


def pinned(said: Any) -> list[tuple[str, str]]:
    return [(pin["error"]["title"], pin["note"]) for pin in said["pins"]]


async def pins(watcher: Watcher, *wanted: tuple[str, str]) -> Any:
    """Wait until these are what it was told last, perhaps already."""
    told = [each for each in watcher.messages if each["type"] == "pins"]
    if told and pinned(told[-1]) == list(wanted):
        return told[-1]
    return await watcher.next("pins", lambda said: pinned(said) == list(wanted))


async def test_a_pin_is_told_live_to_who_may_see_it(store: Store) -> None:
    async with serving(store) as server, serving(store) as other:
        elsewhere = Server(other.url, other.port, other.state, server.stack)
        red = await share(server, query="team:red", hidden=("user",))
        blue = await share(server, query="team:blue")
        async with (
            signed_in(elsewhere, ADA) as ada,
            shared(elsewhere, red) as (reds, _),
            shared(server, blue) as (blues, _),
        ):
            for each in (ada, reds, blues):
                await pins(each)
            await submit(server, "boom", team="red", user="kim")
            (found,) = (await store.errors.find(server.stack.id, ALL)).errors
            await pinning.add(store, server.stack, Pin(found.id, "a note", ADA, now()))
            said = await pins(ada, ("boom", "a note"))
            assert said["pins"][0]["by"] == ADA
            assert said["pins"][0]["error"]["fields"]["user"] == "kim"
            said = await pins(reds, ("boom", "a note"))
            assert "kim" not in str(said)
            assert ADA not in str(said)
            await pinning.add(store, server.stack, Pin(found.id, "", ADA, now()))
            await pins(ada, ("boom", ""))
            await store.pins.remove(server.stack.id, [found.id])
            await pins(ada)
            await pins(reds)
            assert "a note" not in str(blues.messages)
        async with shared(elsewhere, red) as (late, _):
            await pins(late)


async def test_a_pin_survives_a_restart_and_goes_with_its_error(store: Store) -> None:
    async with serving(store) as server:
        await submit(server, "boom")
        (found,) = (await store.errors.find(server.stack.id, ALL)).errors
        await pinning.add(store, server.stack, Pin(found.id, "", ADA, now() - timedelta(days=1)))
        stack = server.stack
    async with serving(store) as again:
        server = Server(again.url, again.port, again.state, stack)
        async with signed_in(server, ADA) as ada:
            await pins(ada, ("boom", ""))
            await store.database.errors.delete_many({})
            server.state.hub.pinboard.changed(stack.id)
            await pins(ada)


async def test_without_a_change_stream_a_pin_is_told_as_well(standalone_store: Store) -> None:
    async with serving(standalone_store) as server, signed_in(server, ADA) as ada:
        await submit(server, "boom")
        (found,) = (await standalone_store.errors.find(server.stack.id, ALL)).errors
        await pinning.add(standalone_store, server.stack, Pin(found.id, "here", ADA, now()))
        await pins(ada, ("boom", "here"))


async def test_pins_are_there_without_a_script(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    one = await dashboard.submit({"Msg": "one"})
    path = f"{dashboard.data}/pins/{one}"
    assert (await visitor.send("PUT", path, {"note": "<i>look</i>"})).status == 204
    page = await visitor.get(dashboard.page)
    assert "Pinned for everybody" in page.text
    assert "&lt;i&gt;look&lt;/i&gt;" in page.text
