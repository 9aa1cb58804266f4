"""Several worker processes, the separate roles, and how all of them end."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest
from serving import Command, Served, eventually, run, served


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data"), "--workers", "2") as server:
        yield server


def workers(server: Served) -> list[psutil.Process]:
    return [each for each in psutil.Process(server.pid).children() if is_worker(each)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return "errorstack_live.web.workers" in process.cmdline()
    except psutil.Error:  # it is ending
        return False


def submit(server: Served) -> bool:
    try:
        return bool(server.submit(Msg="x")["success"])
    except (httpx.HTTPError, ValueError):
        return False


def test_all_workers_see_one_stream(pair: Served) -> None:
    assert len(workers(pair)) == 2
    with ExitStack() as stack:
        tails = [
            stack.enter_context(Command("tail", "first", "--json", data_dir=pair.data_dir))
            for _ in range(4)
        ]
        for each in tails:
            assert each.json(1) == [{"kind": "live"}]
        sent = [pair.submit(Msg=str(number))["id"] for number in range(20)]
        for each in tails:
            assert [error["id"] for error in each.json(20)] == sent


def test_a_worker_that_dies_is_replaced(pair: Served) -> None:
    first, second = workers(pair)
    first.kill()
    assert eventually(lambda: submit(pair))
    eventually(lambda: len(workers(pair)) == 2 and first not in workers(pair))
    second.kill()
    eventually(lambda: len(workers(pair)) == 2 and second not in workers(pair))
    assert eventually(lambda: submit(pair))
    assert pair.command.process.poll() is None


def test_who_watches_is_right_in_all_workers_and_after_one_was_killed(pair: Served) -> None:
    share = run("share", "create", "first", "--name", "A guest", data_dir=pair.data_dir)
    link = share.stdout.strip()
    with ExitStack() as stack:
        for where in ("first", "first", "first", link, link):
            tail = Command("tail", where, "--json", data_dir=pair.data_dir)
            assert stack.enter_context(tail).json(1) == [{"kind": "live"}]
        eventually(lambda: watched(pair) == (5, {"A guest": 2}))
        assert submit_until_viewers(pair, 5)
        workers(pair)[0].kill()  # whoever watched there comes back, and nobody is counted twice
        eventually(lambda: len(workers(pair)) == 2)
        eventually(lambda: watched(pair) == (5, {"A guest": 2}))
        assert submit_until_viewers(pair, 5)
    eventually(lambda: watched(pair) == (0, {}))


def watched(server: Served) -> tuple[int, dict[str, int]]:
    """How many watch the first stack, and by which links."""
    said = json.loads(run("watching", "first", "--json", data_dir=server.data_dir).stdout)
    return said["viewers"], {each["name"]: each["viewers"] for each in said["links"]}


def submit_until_viewers(server: Served, count: int) -> bool:
    """Ask each worker, as senders do, how many watch."""
    seen: list[int] = []

    def is_so() -> bool:
        seen.append(int(server.submit(Msg="x").get("viewers", -1)))
        return seen[-6:] == [count] * 6

    return bool(eventually(is_so))


def test_a_stop_drains_every_worker(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2") as server:
        children = psutil.Process(server.pid).children(recursive=True)
        with Command("tail", "first", "--json", data_dir=tmp_path) as follower:
            assert follower.json(1) == [{"kind": "live"}]
            assert server.command.end() == 0
            assert follower.process.poll() is None, "a viewer waits for the server to return"
    assert psutil.wait_procs(children, timeout=5)[1] == []


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "2") as server:
        children = psutil.Process(server.pid).children(recursive=True)
        assert len(children) >= 3  # the workers and mongod
        server.command.process.kill()
        assert psutil.wait_procs(children, timeout=30)[1] == []


@pytest.mark.parametrize(
    ("role", "submits", "shows"), [("ingest", True, False), ("dashboard", False, True)]
)
def test_a_role_has_its_own_door_only(
    tmp_path: Path, role: str, *, submits: bool, shows: bool
) -> None:
    with served(tmp_path, "--role", role) as server:
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        answer = httpx.get(f"{server.url}/submit", params={"_s": server.key, "Msg": "x"})
        assert (answer.status_code == 200) is submits
        assert (httpx.get(f"{server.url}/docs/api").status_code == 200) is shows
        told = run("tail", "first", data_dir=tmp_path) if not shows else None
        assert told is None or "No server runs" in told.stderr


def test_a_standalone_mongodb_is_served_by_one_process(tmp_path: Path, standalone_uri: str) -> None:
    options = ("--mongodb-uri", standalone_uri)
    refused = run("serve", "--port", "0", "--workers", "2", *options, data_dir=tmp_path)
    assert refused.returncode == 1
    assert "replica set" in refused.stderr
    with served(tmp_path, *options) as server:
        assert "standalone" in server.command.err.line()
        with Command("tail", "first", "--json", *options) as follower:
            assert follower.json(1) == [{"kind": "live"}]
            sent = server.submit(Msg="x")
            assert follower.json(1)[0]["id"] == sent["id"]


def test_ctrl_c_ends_cleanly(tmp_path: Path) -> None:
    """Also while a sender is in the middle of its request."""
    with served(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(b"POST /submit HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nMsg")
        assert server.command.end(signal.SIGINT) == 0
    assert not (tmp_path / "mongod.json").exists()
