"""What every answer tells the browser: what a page may do, and who may have it."""

from quart import Response, g, request

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "connect-src 'self'; "
    "font-src 'self'; "
    "img-src 'self' data:; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""Senders of errors are anonymous and write what members read: no page runs a script, takes a
style or asks an address that is not ours, whatever got into it."""

_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SHARED = ("/share/", "/v/")


async def secure_headers(response: Response) -> Response:
    """Set the headers that protect readers; a share's pages also keep their address to themselves.

    A response keeps a Cache-Control of its own; without one it is not stored.
    """
    response.headers.update(_ALWAYS)
    if site := g.get("connect_to"):  # the one more that the page's script may ask
        policy = CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src 'self' {site}")
        response.headers["Content-Security-Policy"] = policy
    response.headers.setdefault("Cache-Control", "no-store")
    if request.path.startswith(_SHARED):
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    else:
        response.headers["Referrer-Policy"] = "same-origin"
    return response
