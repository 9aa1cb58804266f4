"""What the fixture ``connect`` is."""

from collections.abc import Callable

from errorstack_client import Client

Connect = Callable[..., Client]
