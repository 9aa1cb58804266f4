"""Settings as pages with a list of all sections beside each: of a stack, the server, oneself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quart import render_template, request

from errorstack_live.model import Stack
from errorstack_live.web import view
from errorstack_live.web.auth import Reader

OF_A_STACK = (
    ("General", ""),
    ("Keys", "/keys"),
    ("Share links", "/shares"),
    ("Retention", "/retention"),
    ("Scrubbing", "/scrubbing"),
    ("Grouping", "/grouping"),
    ("Limits and usage", "/limits"),
)
"""Label and path below ``/s/<slug>/settings``: another section is a line here, a module in
``web/stack`` and a template in ``templates/settings``."""
OF_THE_SERVER = (("Members", "/members"), ("Status", "/status"))
OF_ONESELF = (
    ("Account", "/account"),
    ("Sessions", "/account/sessions"),
    ("API tokens", "/account/tokens"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Sections under one heading, as label and whole path."""

    label: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something goes for good: on a page of its own, so without a script.

    ``goes`` says exactly what goes. The form is sent to ``path``; ``typed`` is what must be typed
    to confirm it, empty where the button is enough; ``values`` go with the form. ``back`` is the
    page to return to.
    """

    title: str
    goes: tuple[str, ...]
    button: str
    path: str
    back: str
    stays: str = ""
    typed: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def groups(stack: Stack | None) -> list[Group]:
    """Every section there is, from the page of one stack or from none."""
    found = [Group("This server", OF_THE_SERVER), Group("You", OF_ONESELF)]
    if stack is not None:
        base = f"/s/{stack.slug}/settings"
        links = tuple((label, base + path) for label, path in OF_A_STACK)
        found.insert(0, Group("This stack", links))
    return found


async def render(template: str, who: Reader | None = None, /, **shown: object) -> str:
    """A section's page: of the stack that ``who`` reads, or of none."""
    around = await view.common(who) if who else {"stack": None, "page_path": "", "open_count": 0}
    here = str(shown.pop("here_path", request.path))
    return await render_template(
        template,
        **around,
        groups=groups(who.stack if who else None),
        here_path=here,
        **shown,
    )


async def ask(
    question: Question, who: Reader | None = None, *, here_path: str, problem: str | None = None
) -> str:
    """The page that asks; ``here_path`` is the section it belongs to."""
    return await render(
        "settings/ask.html", who, question=question, here_path=here_path, problem=problem
    )


def several(count: int, word: str, words: str = "", *, most: int | None = None) -> str:
    """``no errors``, ``1 error``, ``1,234 errors``, and from ``most`` on ``more than …``."""
    words = words or f"{word}s"
    if count == 0:
        return f"no {words}"
    if count == 1:
        return f"1 {word}"
    if most is not None and count >= most:
        return f"more than {most:,} {words}"
    return f"{count:,} {words}"
