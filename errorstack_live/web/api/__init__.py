"""The data behind the pages, as JSON: for members below a stack, for viewers below a share link.

One file for each resource; ``route`` says how an operation is declared and answered, ``openapi``
describes them all. What a reader may see is decided in ``history``.
"""

from quart import Quart

from errorstack_live.web.api import (
    errors,
    export,
    fields,
    insight,
    issues,
    live,
    logs,
    markers,
    members,
    minutes,
    openapi,
    pins,
    rules,
    sessions,
    shares,
    stacks,
    tail,
    test,
    tokens,
    usage,
    watching,
)
from errorstack_live.web.api.route import api

RESOURCES = (
    stacks,
    errors,
    export,
    issues,
    insight,
    markers,
    rules,
    fields,
    minutes,
    logs,
    tail,
    live,
    shares,
    pins,
    watching,
    usage,
    test,
    tokens,
    sessions,
    members,
)
"""In the order in which they are described; to import one is to declare its operations."""


def register(app: Quart) -> None:
    """Serve the data, and its description."""
    export.register(app)
    app.register_blueprint(api)
    openapi.register(app, RESOURCES)
