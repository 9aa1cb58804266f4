"""Pinning errors at the top of a stack's live view, for everybody who may see them."""

from errorstack_live.access import Pin
from errorstack_live.errors import Invalid, NotFound
from errorstack_live.live.pinboard import Board
from errorstack_live.model import Stack
from errorstack_live.storage.mongo import Store
from errorstack_live.web import history
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now, state

MAX_NOTE_CHARS = 200


async def board(store: Store, stack_id: str) -> Board:
    """What is pinned in a stack, the newest first; errors that are gone are left out."""
    found = []
    for pin in await store.pins.all(stack_id):
        try:
            found.append((pin, await store.errors.get(stack_id, pin.error)))
        except NotFound:
            continue
    return found


async def pins(reader: Reader) -> Board:
    """What is pinned, as far as this reader may see it."""
    view = history.view_of(reader)
    seen = ((pin, view.see(error)) for pin, error in await board(state().store, reader.stack.id))
    return [(pin, error) for pin, error in seen if error is not None]


async def pin(reader: Reader, error_id: str, note: object) -> None:
    """Pin an error of the stack. Raises NotFound, Invalid, and Conflict when too many are."""
    await history.error(reader, error_id)
    by = reader.member.email if reader.member else ""
    await add(state().store, reader.stack, Pin(error_id, note_of(note), by, now()))


async def add(store: Store, stack: Stack, wanted: Pin) -> None:
    """Pin an error that is there; pins of errors that are gone make room."""
    known = {pin.error for pin, _ in await board(store, stack.id)}
    gone = [each.error for each in await store.pins.all(stack.id) if each.error not in known]
    if gone:
        await store.pins.remove(stack.id, gone)
    await store.pins.add(stack.id, wanted)


def note_of(given: object) -> str:
    """A note: one line of at most MAX_NOTE_CHARS. Raises Invalid."""
    if not isinstance(given, str):
        raise Invalid("note is text")
    note = " ".join(given.split())
    if len(note) > MAX_NOTE_CHARS or not note.isprintable():
        raise Invalid(f"note has at most {MAX_NOTE_CHARS} characters, on one line")
    return note
