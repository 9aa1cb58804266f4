"""What the door knows of keys without asking the database, and when it asks."""

from datetime import UTC, datetime

from errorstack_live.keys import LOOKUPS_PER_S, MAX_UNKNOWN_KEYS, UNKNOWN_KEY_S, StackKeys
from errorstack_live.model import Stack, StackKey

AT = datetime(2026, 1, 1, tzinfo=UTC)


def stack(name: str, *keys: StackKey) -> Stack:
    return Stack(name, name, name, keys, 30, AT)


class Database:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.stacks: dict[str, Stack] = {}
        self.asked: list[str] = []
        self.now_s = 0.0

    async def lookup(self, key: str) -> Stack | None:
        self.asked.append(key)
        return self.stacks.get(key)

    def keys(self) -> StackKeys:
        return StackKeys(self.lookup, clock=lambda: self.now_s)


async def test_known_keys_need_no_database() -> None:
    database = Database()
    keys = database.keys()
    living = stack("a", StackKey("k1", AT), StackKey("k2", AT), StackKey("old", AT, AT))
    keys.replace([living])
    assert [await keys.find("k1"), await keys.find("k2")] == [living, living]
    assert keys.peek("k1") is living
    assert database.asked == []


async def test_revoked_and_empty_keys_are_unknown() -> None:
    database = Database()
    keys = database.keys()
    keys.replace([stack("a", StackKey("old", AT, AT))])
    assert await keys.find("old") is None
    assert await keys.find("") is None
    assert database.asked == ["old"]


async def test_a_key_made_elsewhere_works_at_once() -> None:
    database = Database()
    keys = database.keys()
    database.stacks["new"] = made = stack("b", StackKey("new", AT))
    assert await keys.find("new") is made
    assert await keys.find("new") is made
    assert database.asked == ["new"]


async def test_an_unknown_key_is_asked_for_again_after_a_while() -> None:
    database = Database()
    keys = database.keys()
    assert await keys.find("later") is None
    assert await keys.find("later") is None
    assert database.asked == ["later"]
    database.now_s = UNKNOWN_KEY_S
    await keys.find("later")
    assert database.asked == ["later", "later"]


async def test_invented_keys_cost_the_database_a_bounded_number_of_reads() -> None:
    database = Database()
    keys = database.keys()
    for n in range(MAX_UNKNOWN_KEYS + 100):
        await keys.find(f"invented-{n}")
    assert len(database.asked) == LOOKUPS_PER_S
