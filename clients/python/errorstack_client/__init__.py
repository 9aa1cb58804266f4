"""Send errors and log messages to an ErrorStack server, from any Python program.

What is called from the program puts a message into a bounded queue and returns; one background
thread sends. Nothing in here raises into the program, waits for the network in its threads, or
reports its own failures to itself.
"""

from errorstack_client.client import Client
from errorstack_client.handler import ErrorStackHandler
from errorstack_client.hooks import install_hooks, watch_loop

__version__ = "0.1.0"
__all__ = ["Client", "ErrorStackHandler", "__version__", "install_hooks", "watch_loop"]
