"""What the forms of accounts have in common."""

from datetime import timedelta

from quart import Response
from quart_rate_limiter import rate_limit
from werkzeug.wrappers import Response as AnyResponse

ATTEMPTS_PER_MINUTE = 20
"""Forms that take a password or a token, from one address; each of them by itself."""

throttled = rate_limit(ATTEMPTS_PER_MINUTE, timedelta(minutes=1))

Answer = AnyResponse | Response | str | tuple[str, int]
