"""Stacks and keys on a real server."""

import asyncio

import pytest
from samples_storage import NOW

from errorstack_live.errors import Invalid, NotFound
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.stack import slug

HEX_24 = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Web Shop", "web-shop"),
        ("  Ärger & Söhne  ", "arger-sohne"),
        ("日本", "stack"),
        ("a/b?c", "a-b-c"),
        ("x" * 100, "x" * 60),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


async def test_create_and_find(store: Store) -> None:
    made = await store.stacks.create("Web Shop", now=NOW, retention_days=7)
    assert await store.stacks.by_slug("web-shop") == made
    assert await store.stacks.by_id(made.id) == made
    assert await store.stacks.by_key(made.keys[0].key) == made
    assert len(made.keys[0].key) == 32
    assert await store.stacks.all() == [made]


async def test_a_taken_name_is_numbered_also_at_once(store: Store) -> None:
    made = await asyncio.gather(
        *(store.stacks.create("Shop", now=NOW, retention_days=7) for _ in range(5))
    )
    assert sorted(each.slug for each in made) == ["shop", "shop-2", "shop-3", "shop-4", "shop-5"]


async def test_keys(store: Store) -> None:
    made = await store.stacks.create("Shop", now=NOW, retention_days=7)
    first, second = made.keys[0].key, (await store.stacks.add_key(made.id, NOW)).key
    await store.stacks.revoke_key(made.id, first, NOW)
    assert await store.stacks.by_key(first) is None
    found = await store.stacks.by_key(second)
    assert found is not None
    assert [each.revoked_at for each in found.keys] == [NOW, None]


async def test_rename_and_configure(store: Store) -> None:
    made = await store.stacks.create("Shop", now=NOW, retention_days=7)
    await store.stacks.rename(made.id, "Store")
    await store.stacks.configure(made.id, retention_days=9, scrub=["iban"], rate_limit=5)
    found = await store.stacks.by_slug("shop")
    assert (found.name, found.retention_days, found.scrub, found.rate_limit) == (
        "Store",
        9,
        ("iban",),
        5,
    )
    await store.stacks.configure(made.id, rate_limit=None)
    assert (await store.stacks.by_slug("shop")).rate_limit is None


@pytest.mark.parametrize("odd", ["", "x", "\ud800", "$ne", "\0", "k" * 10_000])
async def test_odd_words_find_nothing(store: Store, odd: str) -> None:
    with pytest.raises((NotFound, Invalid)):
        await store.stacks.by_slug(odd)
    with pytest.raises(NotFound):
        await store.stacks.by_id(odd)
    assert await store.stacks.by_key(odd) is None


async def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    for call in (
        store.stacks.rename(HEX_24, "x"),
        store.stacks.configure(HEX_24, retention_days=1),
        store.stacks.add_key(HEX_24, NOW),
        store.stacks.revoke_key(HEX_24, "x", NOW),
        store.stacks.delete(HEX_24, NOW),
    ):
        with pytest.raises(NotFound):
            await call
