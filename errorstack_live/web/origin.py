"""Where a request comes from: the browser's address, its scheme, and the site that asks."""

from urllib.parse import urlsplit

from quart import has_request_context, has_websocket_context, request, websocket
from quart.wrappers.base import BaseRequestWebsocket

from errorstack_live.limit import neighbours
from errorstack_live.web.state import state

_PROXY_HEADERS = frozenset({"x-forwarded-for", "x-forwarded-proto"})


def here() -> BaseRequestWebsocket:
    """The request or websocket in hand."""
    found: BaseRequestWebsocket = websocket if has_websocket_context() else request
    return found


async def believe_proxy() -> None:
    """Let the rest see the browser's address and scheme, where a trusted proxy tells them.

    Of a header that comes twice the last counts: some proxies add theirs behind the browser's.
    """
    asked = here()
    headers = {
        name.lower().encode(): value.encode("latin-1", "replace")
        for name, value in asked.headers
        if name.lower() in _PROXY_HEADERS
    }
    peer = asked.remote_addr or ""
    proxies = state().proxies
    if proxies.is_https(peer, asked.scheme, headers):
        asked.scheme = "wss" if has_websocket_context() else "https"
    asked.remote_addr = proxies.address(peer, headers)


async def address() -> str:
    """The network address that asks, as it counts for limits."""
    return neighbours(here().remote_addr or "")


def is_https() -> bool:
    """Whether the browser speaks https, to us or to a trusted proxy."""
    return (has_request_context() or has_websocket_context()) and here().is_secure


def is_same_origin() -> bool:
    """Whether a page of our own asks, by headers that browsers set and scripts cannot.

    ``Sec-Fetch-Site`` decides where it is sent (https and loopback), else ``Origin``. A websocket
    with neither comes from a program, which a foreign page cannot start.
    """
    headers = here().headers
    site = headers.get("Sec-Fetch-Site")
    origin = headers.get("Origin")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    if origin is not None and origin != "null":
        return urlsplit(origin).netloc.lower() in _own_hosts()
    return site is not None or (origin is None and has_websocket_context())


def public_url() -> str:
    """The address people use, without a slash at its end."""
    chosen = state().settings.public_url.rstrip("/")
    return chosen or f"{'https' if is_https() else 'http'}://{here().host}"


def foreign_origin() -> str:
    """The site of the address in the snippets, where that is not the page's own; else empty.

    A test must be sent to the very address that senders use, which the policy would forbid.
    """
    parts = urlsplit(public_url())
    origin = f"{parts.scheme}://{parts.netloc}"
    return "" if origin == f"{here().scheme}://{here().host}" else origin


def _own_hosts() -> set[str]:
    public = urlsplit(state().settings.public_url).netloc
    return {here().host.lower(), public.lower()} - {""}
