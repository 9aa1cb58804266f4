"""Send what goes wrong in a Django site to an ErrorStack server.

An application, a middleware, and a handler for LOGGING; all of them send by one client, which
queues and never holds a request up.
"""

from errorstack_django.handler import ErrorStackHandler
from errorstack_django.setting import client

__version__ = "0.1.0"
__all__ = ["ErrorStackHandler", "__version__", "client"]
