"""What the sections of a stack's settings have in common: their addresses and answers."""

from quart import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.web import section, view
from errorstack_live.web.auth import Reader

BASE = "/s/<slug>/settings"

Answer = AnyResponse | Response | str | tuple[str, int]


def path_of(who: Reader, name: str = "") -> str:
    """The address of a section; ``name`` is empty for the first."""
    return f"{view.place_of(who).page}/settings{'/' if name else ''}{name}"


def back(who: Reader, name: str, done: str) -> AnyResponse:
    """Back to a section, which says what was done (``done`` is a word of its NOTES)."""
    response: AnyResponse = redirect(f"{path_of(who, name)}?done={done}")
    return response


async def page(who: Reader, name: str, notes: dict[str, str], **shown: object) -> str:
    """A section's page, with the note that the address asks for."""
    note = notes.get(request.args.get("done", "")) if request.method == "GET" else None
    return await section.render(
        f"settings/{name or 'general'}.html",
        who,
        here_path=path_of(who, name),
        **{"note": note, "problem": None, **shown},
    )
