"""A query that asks nothing about hidden fields: its errors must still be redacted and matched.

A viewer of a share link could otherwise read a hidden field by asking for its values and looking
at what is found, or how fast.
"""

import re
from collections.abc import Collection

from errorstack_live.meaning import LEVEL_NAMES
from errorstack_live.query.node import (
    EVERYTHING,
    MEANINGS,
    NOTHING,
    All,
    Node,
    Not,
    Some,
    Term,
    Words,
    all_of,
    field_name,
    not_of,
    some_of,
)
from errorstack_live.share import hides

_IDS = frozenset({"id", "issue"})
_PLACE = re.compile(r"\.[0-9]+(?=\.|$)")


def relaxed(node: Node, hidden: Collection[str], *, assumed: bool = True) -> Node:
    """Return a tree that matches at least the errors which match once ``hidden`` is cut out.

    What cannot be known without the hidden fields is ``assumed``; below a Not, the contrary.
    """
    match node:
        case Not(part):
            return not_of(relaxed(part, hidden, assumed=not assumed))
        case All(parts):
            return all_of([relaxed(part, hidden, assumed=assumed) for part in parts])
        case Some(parts):
            return some_of([relaxed(part, hidden, assumed=assumed) for part in parts])
        case Term(name) if name not in MEANINGS and hides(hidden, field_name(name)):
            return NOTHING
        case Term(name) if _is_told(name, hidden):
            return node
        case Words() | Term():
            return EVERYTHING if assumed else NOTHING


def _is_told(name: str, hidden: Collection[str]) -> bool:
    """Say whether no hidden field can have a part in what this name reaches."""
    if name == "level":
        return not any(hides(hidden, f"{at}{one}") for at in ("", "error.") for one in LEVEL_NAMES)
    if name in MEANINGS:  # a title may quote any field
        return name in _IDS
    # `a.0.b` reaches into a list where `a.b` is what is hidden.
    return not hides(hidden, _PLACE.sub("", field_name(name)))
