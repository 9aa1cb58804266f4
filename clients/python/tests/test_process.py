"""Whole programs: how they end, fork, and leave exceptions uncaught."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness.answering import answering, slow
from harness.stack import Stack

HERE = Path(__file__).resolve().parents[1]
BEGIN = """
import os, sys, threading, asyncio, logging
from errorstack_client import Client, install_hooks, watch_loop
client = Client(os.environ["KEY"], os.environ["URL"])
"""


def run(program: str, key: str, url: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "KEY": key, "URL": url, "PYTHONPATH": str(HERE)}
    words = [sys.executable, "-W", "error", "-X", "dev", "-c", BEGIN + program]
    return subprocess.run(
        words, env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_end_of_a_program_sends_what_waits(stack: Stack) -> None:
    ended = run('client.submit(Msg="last words")', stack.key, stack.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    stack.errors(1)


@pytest.mark.parametrize("is_down", [True, False])
def test_the_end_of_a_program_is_not_held_up(is_down: bool) -> None:
    program = "for number in range(100): client.submit(Msg=str(number))"
    with answering(slow) as server:
        began = time.monotonic()
        ended = run(program, "k", "http://127.0.0.1:1" if is_down else server.url)
        assert time.monotonic() - began < (3 if is_down else 6)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr


def test_what_ends_a_program_is_sent(stack: Stack) -> None:
    ended = run('install_hooks(client)\nraise ValueError("the end")', stack.key, stack.url)
    assert ended.returncode == 1
    assert ended.stderr.endswith("ValueError: the end\n")  # as it is without us
    (error,) = stack.errors(1)
    assert (error["title"], error["level"]) == ("ValueError: the end", "fatal")


def test_interruptions_are_no_errors(stack: Stack) -> None:
    program = """
install_hooks(client)
thread = threading.Thread(target=sys.exit)
thread.start(); thread.join()
client.submit(Msg="only this")
raise KeyboardInterrupt
"""
    run(program, stack.key, stack.url)
    stack.errors(1)


def test_threads_and_loops(stack: Stack) -> None:
    program = """
def fail(text): raise ValueError(text)
install_hooks(client)
thread = threading.Thread(target=fail, args=("in a thread",), name="worker")
thread.start(); thread.join(); client.flush(10)
async def fail_later(): fail("in a task")
async def main():
    watch_loop(client)
    asyncio.get_running_loop().call_soon(fail, "in a callback")
    task = asyncio.create_task(fail_later(), name="night")
    await asyncio.sleep(0.05)
    del task
asyncio.run(main())
"""
    ended = run(program, stack.key, stack.url)
    assert ended.returncode == 0
    assert "Task exception was never retrieved" in ended.stderr  # as it is without us
    thread, *loop = stack.fields(3)
    assert (thread["Msg"], thread["threadName"]) == ("in a thread", "worker")
    assert {fields["Msg"]: fields.get("task") for fields in loop} == {
        "in a callback": None,
        "in a task": "night",
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")
def test_a_forked_process_sends_its_own(stack: Stack) -> None:
    program = """
import warnings
warnings.simplefilter("ignore")  # of forking beside threads: that is the point
client.submit(Msg="before, by the parent"); client.flush(10)
client.submit(Msg="waits, for the parent")
child = os.fork()
client.submit(Msg="by the parent" if child else "by the child")
if child: os.waitpid(child, 0)
"""
    ended = run(program, stack.key, stack.url)
    assert (ended.returncode, ended.stderr) == (0, "")
    said = {fields["Msg"] for fields in stack.fields(4)}
    assert said >= {"waits, for the parent", "by the parent", "by the child"}


def test_hooks_can_be_taken_away() -> None:
    program = """
before = sys.excepthook, threading.excepthook
uninstall = install_hooks(client)
assert sys.excepthook is not before[0] and threading.excepthook is not before[1]
uninstall()
assert (sys.excepthook, threading.excepthook) == before
async def main():
    uninstall = watch_loop(client)
    assert asyncio.get_running_loop().get_exception_handler()
    uninstall()
    assert not asyncio.get_running_loop().get_exception_handler()
asyncio.run(main())
"""
    ended = run(program, "k", "http://127.0.0.1:1")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_example(stack: Stack) -> None:
    environ = {**os.environ, "PYTHONPATH": str(HERE)}
    words = [sys.executable, "-W", "error", str(HERE / "example.py"), stack.url, stack.key]
    subprocess.run(words, env=environ, timeout=60, check=True)
    titles = [error["title"] for error in stack.errors(3)]
    assert titles[0] == "order 1017 was not saved"
    assert titles[2] == "ZeroDivisionError: division by zero"
