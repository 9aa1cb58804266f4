"""Markers: through the ingest door, stored, bounded, and told to viewers."""

from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest
from fixtures_server import Server
from fixtures_storage import following
from sample import KEY, submission

from errorstack_live.errors import BadSubmission, NotFound
from errorstack_live.event import MarkerChanged
from errorstack_live.ingest import MARKS_BURST
from errorstack_live.model import Kind, Marker, Origin, Outcome, OutcomeKind, Stack, Stored
from errorstack_live.protocols.mark import MARK, MAX_TEXT_CHARS
from errorstack_live.storage import marker
from errorstack_live.storage.document import new_id
from errorstack_live.storage.mongo import Store

NOW = datetime.now(UTC).replace(microsecond=0)


# The protocol


@pytest.mark.parametrize(
    ("query", "content_type", "body", "text"),
    [
        (b"_s=K&_msg=deployed+2.4.1", "", b"", "deployed 2.4.1"),
        (b"_s=K", "application/x-www-form-urlencoded", b"_msg=deployed+2.4.1", "deployed 2.4.1"),
        (b"_s=K", "text/plain", b"deployed 2.4.1", "deployed 2.4.1"),
        (b"_s=K", "application/json", b'{"message": "rolled back"}', "rolled back"),
        (b"s=K&Msg=a%0A%0Db%00c", "", b"", "a b c"),
    ],
)
def test_what_a_marker_says(query: bytes, content_type: str, body: bytes, text: str) -> None:
    parsed = MARK.parse(submission(query, body, content_type=content_type))
    assert parsed.key == "K"
    assert [draft.text for draft in parsed.drafts] == [text]


@pytest.mark.parametrize("query", [b"_s=K", b"_s=K&_msg=", b"_s=K&_msg=%00%20", b"_s=K&other=1"])
def test_a_marker_without_a_text_is_refused(query: bytes) -> None:
    with pytest.raises(BadSubmission):
        MARK.parse(submission(query, b""))


def test_a_long_text_is_cut() -> None:
    parsed = MARK.parse(submission(b"_s=K&_msg=" + b"x" * 5000, b""))
    assert parsed.drafts[0].text == "x" * (MAX_TEXT_CHARS - 1) + "…"


def test_who_asks_for_nothing_is_answered_in_words() -> None:
    """A person types it; a page that wants the pixel says so."""
    assert MARK.kind is Kind.MARKER
    said = Outcome(OutcomeKind.ACCEPTED, stored=(Stored("a" * 24),), viewers=2)
    given = submission(f"_s={KEY}&_msg=x".encode(), b"")
    reply = MARK.reply(said, MARK.parse(given).reply)
    assert orjson.loads(reply.body) == {"success": True, "id": "a" * 24, "viewers": 2}
    given = submission(f"_s={KEY}&_msg=x&_r=img".encode(), b"")
    assert MARK.parse(given).reply == MARK.hint(given) == "gif"


# Through the door


async def test_curl_sets_a_marker(server: Server, http: httpx.AsyncClient) -> None:
    answer = await http.get("/mark", params={"_s": server.key, "_msg": "deployed 2.4.1"})
    assert answer.json()["success"] is True
    found = await server.state.store.markers.newest(server.stack.id)
    assert [(each.text, each.origin, each.by) for each in found] == [
        ("deployed 2.4.1", Origin.KEY, "127.0.0.1")
    ]
    assert found[0].id == answer.json()["id"]


async def test_head_sets_none_and_a_wrong_key_says_so(
    server: Server, http: httpx.AsyncClient
) -> None:
    await http.head("/mark", params={"_s": server.key, "_msg": "deployed"})
    answer = await http.get("/mark", params={"_s": "nobody", "_msg": "deployed"})
    assert answer.json() == {"success": False, "errorMsg": "Unknown stack key"}
    answer = await http.get("/mark", params={"_s": server.key})
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert await server.state.store.markers.newest(server.stack.id) == []


async def test_secrets_in_a_marker_are_scrubbed(server: Server, http: httpx.AsyncClient) -> None:
    text = "deployed with password=hunter2secret"
    await http.post("/mark", data={"_s": server.key, "_msg": text})
    found = await server.state.store.markers.newest(server.stack.id)
    assert "hunter2secret" not in found[0].text


async def test_a_key_sets_only_a_few_at_once(server: Server, http: httpx.AsyncClient) -> None:
    given = {"_s": server.key, "_msg": "again"}
    answers = [await http.get("/mark", params=given) for _ in range(MARKS_BURST + 1)]
    assert [each.status_code for each in answers] == [200] * MARKS_BURST + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    errors = await http.get("/submit", params={**given, "_r": "json"})
    assert errors.json()["success"], "its errors are not limited by that"


# Stored


def a_marker(stack: Stack, number: int, origin: Origin = Origin.MEMBER) -> Marker:
    at = NOW + timedelta(seconds=number)
    return Marker(new_id(), stack.id, at, f"marker {number}", origin, "ada@example.org")


async def test_a_marker_is_as_it_was_until_it_is_removed(store: Store, stack: Stack) -> None:
    first, second = a_marker(stack, 1), a_marker(stack, 2)
    for each in (first, second):
        await store.markers.add(each)
    assert await store.markers.newest(stack.id) == [second, first]
    await store.markers.remove(stack.id, second.id, NOW)
    assert await store.markers.newest(stack.id) == [first]
    with pytest.raises(NotFound):
        await store.markers.remove(stack.id, second.id, NOW)
    with pytest.raises(NotFound):
        await store.markers.remove("0" * 24, first.id, NOW)


async def test_the_feed_tells_of_markers(store: Store, stack: Stack) -> None:
    async with following(store) as heard:
        set_ = await store.markers.add(a_marker(stack, 1))
        await store.markers.remove(stack.id, set_.id, NOW)
        await heard.until(lambda it: len(it.events(MarkerChanged)) == 2)
    told = [each.marker for each in heard.events(MarkerChanged)]
    # By the time a change is looked up the marker may be removed already.
    assert told[0].text == "marker 1"
    assert told[1].removed_at == NOW


async def test_strangers_push_out_none_but_each_others(
    store: Store, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marker, "MAX_MARKERS", 3)
    monkeypatch.setattr(marker, "MAX_KEY_MARKERS", 2)
    for number in range(5):
        await store.markers.add(a_marker(stack, number))
        await store.markers.add(a_marker(stack, number + 100, Origin.KEY))
    found = await store.markers.newest(stack.id)
    assert [each.text for each in found] == [f"marker {number}" for number in (104, 103, 4, 3, 2)]


async def test_markers_go_with_their_stack(store: Store, stack: Stack) -> None:
    await store.markers.add(a_marker(stack, 1))
    await store.stacks.delete(stack.id, NOW)
    await store.stacks.finish_removals(NOW)
    assert await store.database.markers.count_documents({}) == 0
