"""A stack's keys: made, named, revoked, and when and from where they were last used."""

from quart import Blueprint, request

from errorstack_live.errors import Invalid, NotFound
from errorstack_live.model import StackKey
from errorstack_live.storage.use import KeyUse
from errorstack_live.web import parameter, section
from errorstack_live.web.auth import Reader, writer
from errorstack_live.web.render import ago
from errorstack_live.web.section import Question, several
from errorstack_live.web.stack.place import BASE, Answer, back, page, path_of
from errorstack_live.web.state import now, state

NOTES = {
    "added": "The new key works.",
    "named": "Saved.",
    "revoked": "The key is revoked: whatever sends with it is refused.",
}

part = Blueprint("stack_keys", __name__)


@part.get(f"{BASE}/keys")
async def keys(**_: str) -> Answer:
    """Every key of a stack."""
    return await _page(await writer())


@part.post(f"{BASE}/keys")
async def add(**_: str) -> Answer:
    """Make a further key."""
    who = await writer()
    try:
        label = parameter.name_of((await request.form).get("label", ""), "label", required=False)
    except Invalid as wrong:
        return await _page(who, problem=wrong.message), 400
    await state().store.stacks.add_key(who.stack.id, now(), label)
    return back(who, "keys", "added")


@part.post(f"{BASE}/keys/<key>/label")
async def name(key: str, **_: str) -> Answer:
    """Say what a key is for."""
    who = await writer()
    try:
        label = parameter.name_of((await request.form).get("label", ""), "label", required=False)
    except Invalid as wrong:
        return await _page(who, problem=wrong.message), 400
    await state().store.stacks.label_key(who.stack.id, _key(who, key).key, label)
    return back(who, "keys", "named")


@part.get(f"{BASE}/keys/<key>/revoke")
async def ask_to_revoke(key: str, **_: str) -> Answer:
    """Say what ends with a key, and ask."""
    who = await writer()
    found = _key(who, key)
    use = (await state().store.uses.of_stack(who.stack.id)).get(found.key)
    question = Question(
        f"Revoke the key {found.label or found.key[:8] + '…'}?",
        _goes(found, use),
        "Revoke key",
        f"{path_of(who, 'keys')}/{found.key}/revoke",
        path_of(who, "keys"),
        stays="What was sent with it stays. A revoked key cannot be brought back.",
    )
    return await section.ask(question, who, here_path=path_of(who, "keys"))


@part.post(f"{BASE}/keys/<key>/revoke")
async def revoke(key: str, **_: str) -> Answer:
    """End a key for good."""
    who = await writer()
    await state().store.stacks.revoke_key(who.stack.id, _key(who, key).key, now())
    return back(who, "keys", "revoked")


def _key(who: Reader, key: str) -> StackKey:
    for each in who.stack.keys:
        if each.key == key:
            return each
    raise NotFound("There is no such key")


def _goes(key: StackKey, use: KeyUse | None) -> tuple[str, ...]:
    if use is None:
        return (f"the key {key.key}, with which nothing was ever stored",)
    said = [
        f"the key {key.key}: whatever still sends with it is refused from then on",
        f"it stored {several(use.count, 'submission')}, the last one {ago(use.last_at, now())}",
    ]
    places = [each.name for each in (*use.origins, *use.agents)][:6]
    return (*said, f"it was used by {', '.join(places)}") if places else tuple(said)


async def _page(who: Reader, **shown: object) -> str:
    return await page(
        who, "keys", NOTES, uses=await state().store.uses.of_stack(who.stack.id), **shown
    )
