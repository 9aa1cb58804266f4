"""One stack's settings, a module for each section; ``section`` lists them beside each page."""

from quart import Quart

from errorstack_live.web.stack import (
    general,
    grouping,
    keys,
    limits,
    removal,
    retention,
    scrubbing,
    shares,
)

PARTS = (
    general.part,
    keys.part,
    shares.part,
    retention.part,
    scrubbing.part,
    grouping.part,
    limits.part,
    removal.part,
)


def register(app: Quart) -> None:
    """Serve stacks' settings."""
    for part in PARTS:
        app.register_blueprint(part)
