"""A stack's set-up page: how every kind of program sends, with the real key; and a test of it."""

from dataclasses import dataclass

from quart import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.model import StackKey
from errorstack_live.paint import paint
from errorstack_live.query import EVERYTHING
from errorstack_live.web import sample, view
from errorstack_live.web.auth import signed_in, writer
from errorstack_live.web.client import Filled, shelf
from errorstack_live.web.origin import foreign_origin, public_url
from errorstack_live.web.state import state

part = Blueprint("setup", __name__)


@dataclass(frozen=True, slots=True)
class Group:
    """Ways to send under one heading."""

    label: str
    snippets: tuple[Filled, ...]


@part.get("/s/<slug>/setup")
async def setup(**_: str) -> str:
    """How to send; ``?client`` names the way that is shown, ``?key`` the key in it."""
    await signed_in()
    who = await writer()
    keys = [each for each in reversed(who.stack.keys) if each.revoked_at is None]
    key = _chosen(keys, request.args.get("key", ""))
    snippets = shelf().filled(public_url(), key)
    wanted = request.args.get("client")
    shown = next((each for each in snippets if each.name == wanted), next(iter(snippets), None))
    newest = await state().store.errors.find(who.stack.id, EVERYTHING, limit=1)
    g.connect_to = foreign_origin()
    return await render_template(
        "setup_stack.html",
        **await view.common(who),
        keys=keys,
        key=key,
        groups=_groups(snippets),
        shown=shown,
        pieces=paint(shown.text, shown.of.language, (public_url(), key)) if shown else (),
        newest=newest.errors[0] if newest.errors else None,
        submit_url=f"{public_url()}/submit",
        alias=state().settings.ingest_alias,
        data_path=view.place_of(who).data,
    )


@part.post("/s/<slug>/test")
async def send_test(**_: str) -> AnyResponse | Response:
    """Send a test error; its page is next."""
    who = await writer()
    said = await sample.send(who.stack)
    return redirect(f"{view.place_of(who).page}/e/{said['id']}")


def _chosen(keys: list[StackKey], wanted: str) -> str:
    """The key that is asked for if it works, else the newest that does; empty without one."""
    words = [each.key for each in keys]
    return wanted if wanted in words else next(iter(words), "")


def _groups(snippets: list[Filled]) -> list[Group]:
    labels = dict.fromkeys(each.of.group for each in snippets)
    return [
        Group(label, tuple(each for each in snippets if each.of.group == label)) for label in labels
    ]
