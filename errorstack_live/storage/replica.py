"""Makes a mongod that was just started what it must be: a replica set of one, with one user."""

import asyncio
import contextlib
import socket
from typing import Any, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

HOST = "127.0.0.1"
SET_NAME = "errorstack"
USER = "errorstack"

_AUTHENTICATION_FAILED = 18
_NOT_INITIALIZED = 94

Client = AsyncIOMotorClient[dict[str, Any]]


def client_of(uri: str, seconds: float) -> Client:
    """A client that waits no longer than this for anything."""
    milliseconds = int(seconds * 1000)
    return AsyncIOMotorClient(
        uri, serverSelectionTimeoutMS=milliseconds, socketTimeoutMS=milliseconds
    )


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


class Replica:
    """The server on a port of this machine, whose user has this password.

    Every step may have been done in an earlier start; ``seconds`` bounds each.
    """

    def __init__(self, port: int, password: str, *, seconds: float) -> None:
        self._port = port
        self._password = password
        self._seconds = seconds

    @property
    def uri(self) -> str:
        """The address for clients, password included."""
        return f"mongodb://{USER}:{self._password}@{HOST}:{self._port}/?directConnection=true"

    async def make_ready(self) -> None:
        """Wait until it answers, then see to the replica set and the user."""
        while not answers(self._port):  # noqa: ASYNC110  another program's state has no event
            await asyncio.sleep(0.02)
        client = self._stranger()
        try:
            with contextlib.suppress(OperationFailure):  # done in an earlier start
                await client.admin.command(
                    "replSetInitiate", {"_id": SET_NAME, "members": [self._member()]}
                )
        finally:
            client.close()
        owner = client_of(self.uri, self._seconds)
        try:
            await self._make_primary(client=owner)
        finally:
            owner.close()

    async def _make_primary(self, client: Client) -> None:
        config = await self._config(client)
        if config["members"][0]["host"] != self._member()["host"]:  # the port is another today
            config |= {"members": [self._member()], "version": config["version"] + 1}
            await client.admin.command("replSetReconfig", config, force=True)
        await _until_primary(client)

    async def _config(self, client: Client) -> dict[str, Any]:
        while True:
            try:
                reply = await client.admin.command("replSetGetConfig")
            except OperationFailure as error:
                if error.code == _AUTHENTICATION_FAILED:
                    await self._create_user()
                elif error.code == _NOT_INITIALIZED:  # it looks for itself at its former port
                    await asyncio.sleep(0.05)
                else:
                    raise
            else:
                return cast("dict[str, Any]", reply["config"])

    async def _create_user(self) -> None:
        """Make the one user, as a server without any lets a client on its own machine do."""
        client = self._stranger()
        try:
            await _until_primary(client)
            await client.admin.command(
                "createUser", USER, pwd=self._password, roles=["root"], writeConcern={"w": 1}
            )
        finally:
            client.close()

    def _member(self) -> dict[str, Any]:
        return {"_id": 0, "host": f"{HOST}:{self._port}"}

    def _stranger(self) -> Client:
        """A client without a name, who may set up what is not set up."""
        return client_of(f"mongodb://{HOST}:{self._port}/?directConnection=true", self._seconds)


async def _until_primary(client: Client) -> None:
    while not (await client.admin.command("hello")).get("isWritablePrimary"):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
