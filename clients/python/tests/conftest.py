"""Clients that end with the test; the server and the stacks are those of all clients' tests."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from harness.stack import Stack  # noqa: E402

from connecting import Connect  # noqa: E402
from errorstack_client import Client  # noqa: E402


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients that end with the test."""
    made: list[Client] = []

    def new(key: str, url: str, **chosen: Any) -> Client:
        made.append(Client(key, url, **chosen))
        return made[-1]

    yield new
    for client in made:
        client.close(0.2)


@pytest.fixture
def client(stack: Stack, connect: Connect) -> Client:
    return connect(stack.key, stack.url)
