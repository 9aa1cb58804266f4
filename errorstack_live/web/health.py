"""Whether this process lives, whether it can do its work, and its figures."""

import hmac

from quart import Blueprint, Response, jsonify, request

from errorstack_live import __version__
from errorstack_live.errors import ErrorStackError, Forbidden
from errorstack_live.metrics import CONTENT_TYPE
from errorstack_live.web.state import State, state

health = Blueprint("health", __name__)

_FORWARDED = ("X-Forwarded-For", "Forwarded", "Via")


@health.get("/healthz")
async def alive() -> Response:
    """200 as long as the process answers at all."""
    return jsonify(status="ok", version=__version__)


@health.get("/readyz")
async def ready() -> tuple[Response, int]:
    """200 when submissions can be made durable and shown; else 503, and which part cannot."""
    here = state()
    checks = {
        "database": await _database(here),
        "feed": "ok" if here.feed.is_live else "catching up",
        "space": "ok" if here.writer.has_space else "disk nearly full",
    }
    is_ready = all(word == "ok" for word in checks.values())
    return jsonify(ready=is_ready, **checks), 200 if is_ready else 503


@health.get("/metrics")
async def metrics() -> Response:
    """Prometheus's text format. With a token set, for its bearer; else for this machine alone."""
    token = state().settings.metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        is_allowed = hmac.compare_digest(given.encode(), token.get_secret_value().encode())
    else:
        # A proxy on this machine also calls from loopback, but says on whose behalf.
        is_local = request.remote_addr in {"127.0.0.1", "::1"}
        is_allowed = is_local and not any(name in request.headers for name in _FORWARDED)
    if not is_allowed:
        raise Forbidden("Metrics need the token of ERRORSTACK_METRICS_TOKEN")
    return Response(state().metrics.text(), content_type=CONTENT_TYPE)


async def _database(here: State) -> str:
    try:
        await here.store.ping()
    except ErrorStackError:
        return "away"
    return "ok"
