"""How keys are used: noted in memory, bounded, and merged with what others wrote."""

from datetime import timedelta

import pytest
from samples_storage import NOW

from errorstack_live.errors import StorageAway
from errorstack_live.model import Request, Stack, Submission
from errorstack_live.storage import use
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.use import MAX_NOTED, MAX_PLACES, KeyUses, host


@pytest.fixture
async def stack(store: Store) -> Stack:
    return await store.stacks.create("One", now=NOW, retention_days=1)


def sent(n: int = 0, origin: str = "", referer: str = "", agent: str = "") -> Submission:
    request = Request("192.0.2.1", agent, referer, "beacon")
    at = NOW + timedelta(seconds=n)
    return Submission("POST", b"", b"", 0, "", request, at, origin=origin)


async def test_uses_are_merged(store: Store, stack: Stack) -> None:
    here, there = KeyUses(store.database), KeyUses(store.database)
    here.note(stack.id, "k", sent(1, origin="https://shop.example", agent="curl/8"))
    here.note(stack.id, "k", sent(2, referer="https://blog.example/page?x=1"))
    there.note(stack.id, "k", sent(3, origin="https://shop.example:8443"))
    await here.flush()
    await there.flush()
    await there.flush()
    used = (await here.of_stack(stack.id))["k"]
    assert (used.count, used.last_at) == (3, NOW + timedelta(seconds=3))
    assert [place.name for place in used.origins] == ["shop.example", "blog.example"]
    assert used.origins[0].at == NOW + timedelta(seconds=3)
    assert [place.name for place in used.agents] == ["curl/8"]


async def test_invented_places_take_no_room(store: Store, stack: Stack) -> None:
    uses = KeyUses(store.database)
    for n in range(100):
        uses.note(stack.id, "k", sent(n, origin=f"https://{n}.example", agent=f"bot-{n}/1"))
        if n % 10 == 9:
            await uses.flush()
    used = (await uses.of_stack(stack.id))["k"]
    assert used.count == 100
    assert (len(used.origins), len(used.agents)) == (MAX_PLACES, MAX_PLACES)
    assert used.origins[0].name == "99.example"
    for n in range(100):
        uses.note(stack.id, "k", sent(n, origin=f"https://{n}.example"))
    assert len(uses._noted["k"].origins) == MAX_NOTED


async def test_keys_noted_are_bounded(
    store: Store, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(use, "MAX_KEYS", 2)
    uses = KeyUses(store.database)
    for key in "abc":
        uses.note(stack.id, key, sent())
    await uses.flush()
    assert set(await uses.of_stack(stack.id)) == {"a", "b"}


async def test_what_cannot_be_written_is_noted_still(
    store: Store, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = KeyUses(store.database)
    uses.note(stack.id, "k", sent())

    async def away(_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(uses, "_uses", type("Away", (), {"bulk_write": staticmethod(away)})())
    with pytest.raises(StorageAway):
        await uses.flush()
    monkeypatch.undo()
    await uses.flush()
    assert (await uses.of_stack(stack.id))["k"].count == 1


def test_hosts() -> None:
    assert host("https://Shop.example:8443/x?y") == "shop.example"
    assert host("null") == ""
    assert host("http://[") == ""
    assert len(host("https://" + "a" * 5000)) <= 120
