"""Which fields of a stack are scrubbed, with a box to try it in: nothing tried is stored."""

from dataclasses import dataclass
from urllib.parse import quote_plus

from quart import Blueprint, request

from errorstack_live import meaning
from errorstack_live.errors import Invalid, Refused
from errorstack_live.model import Fields, Request, Submission
from errorstack_live.protocols import PROTOCOLS
from errorstack_live.scrub import scrub
from errorstack_live.web import parameter
from errorstack_live.web.auth import writer
from errorstack_live.web.stack.place import BASE, Answer, back, page
from errorstack_live.web.state import now, state

MAX_TRIED_CHARS = 65_536
EXAMPLE = """{
  "Msg": "Payment of ada@example.org refused",
  "card": "4111 1111 1111 1111",
  "iban": "GB82 WEST 1234 5698 7654 32",
  "headers": {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3MzMifQ.abcdefgh"}
}"""
NOTES = {"saved": "Saved. It holds for what is sent from now on."}

part = Blueprint("stack_scrubbing", __name__)


@dataclass(frozen=True, slots=True)
class Tried:
    """What would be stored: the fields, their title, and the names of those that were changed."""

    fields: Fields
    title: str
    scrubbed: tuple[str, ...]
    dropped: int


@part.get(f"{BASE}/scrubbing")
async def scrubbing(**_: str) -> Answer:
    """The rules, and the box."""
    who = await writer()
    names = "\n".join(who.stack.scrub)
    return await page(who, "scrubbing", NOTES, names=names, text=EXAMPLE, tried=None)


@part.post(f"{BASE}/scrubbing")
async def save(**_: str) -> Answer:
    """Set the names of fields to scrub, or (``try``) only show what they would do."""
    who = await writer()
    form = await request.form
    given, text = form.get("names", ""), form.get("text", "")
    tried = None
    try:
        names = parameter.field_names(given.splitlines())
        if "try" in form:
            tried = attempt(text, names)
    except (Invalid, Refused) as wrong:
        status = 400
        shown = await page(
            who, "scrubbing", NOTES, names=given, text=text, tried=None, problem=wrong.message
        )
        return shown, status
    if tried is not None:
        return await page(who, "scrubbing", NOTES, names=given, text=text, tried=tried)
    await state().store.stacks.configure(who.stack.id, scrub=names)
    return back(who, "scrubbing", "saved")


def attempt(text: str, names: tuple[str, ...]) -> Tried:
    """What the door would make of ``text``: JSON, a query string, or one ``name=value`` a line.

    Raises Invalid, and Refused as the door would.
    """
    if len(text) > MAX_TRIED_CHARS:
        raise Invalid(f"At most {MAX_TRIED_CHARS} characters can be tried at once")
    body, kind = _body(text)
    parsed = PROTOCOLS["/submit"].parse(
        Submission(
            method="POST",
            query=b"_s=none",
            body=body,
            body_bytes=len(body),
            content_type=kind,
            request=Request(ip="", user_agent="", referer="", protocol=""),
            received_at=now(),
        )
    )
    draft = parsed.drafts[0]
    fields, scrubbed = scrub(draft.fields, names)
    dropped = draft.cut.fields if draft.cut else 0
    return Tried(fields, meaning.read(fields).title, scrubbed, dropped)


def _body(text: str) -> tuple[bytes, str]:
    """The text as a sender would send it, and its kind."""
    text = text.strip()
    lines = [line for line in text.splitlines() if line.strip()]
    is_lines = text[:1] not in {"{", "["} and (len(lines) > 1 or "&" not in text)
    if not is_lines:
        return text.encode("utf-8", "replace"), ""
    pairs = [line.partition("=" if "=" in line else ":")[::2] for line in lines]
    form = "&".join(f"{quote_plus(name.strip())}={quote_plus(value)}" for name, value in pairs)
    return form.encode(), "application/x-www-form-urlencoded"
