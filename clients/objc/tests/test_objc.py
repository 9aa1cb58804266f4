"""Programs of gcc on GNUstep: what they say, how they die, and what their next launch delivers."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from harness.answering import STORED, Reply, answering, slow
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import CLIENTS, ROWS, Toolchain
from harness.trouble import BUSY, MOVED, WORTH_ANOTHER_TRY, Trouble

OBJC = CLIENTS / "objc"
SOURCES = sorted(OBJC.glob("Sources/ErrorStack/*.m"))
LETTERS = "café € 😀 & = % + ;"
ADDED = {"Platform", "Device", "occurred_at"}
RUN_S = 60
MAX_MEDIAN_MS = 10
MAX_CALL_MS = 500


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended, and what it said as ``name=value`` lines."""

    code: int
    said: dict[str, str]
    stderr: str


Program = Callable[..., Done]


def run(program: Path, *words: str) -> Done:
    done = subprocess.run(
        [str(program), *words], capture_output=True, text=True, timeout=RUN_S, check=False
    )
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    return Done(done.returncode, {name: value for name, _, value in lines}, done.stderr)


def gnustep(option: str) -> list[str]:
    told = subprocess.run(["gnustep-config", option], capture_output=True, text=True, check=True)
    # The platform's own headers have warnings of their own.
    words = [re.sub("^-I/usr", "-isystem/usr", word) for word in told.stdout.split()]
    return [word for word in words if word not in {"-MMD", "-MP"}]


def build(out: Path, *sources: Path) -> Path:
    strict = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
    include = f"-I{OBJC / 'Sources/ErrorStack/include'}"
    command = ["gcc", *gnustep("--objc-flags"), *strict, include, f"-I{OBJC}"]
    command += [*map(str, [*SOURCES, *sources]), *gnustep("--base-libs"), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    Toolchain(ROWS["objc"]).require()
    return tmp_path_factory.mktemp("objc")


@pytest.fixture(scope="session")
def platform() -> str:
    told = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libgnustep-base-dev"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    return f"GNUstep {re.split('[+-]', told)[0]}".strip()


@pytest.fixture(scope="session")
def program(made: Path) -> Path:
    return build(made / "host", OBJC / "tests" / "host.m")


@pytest.fixture
def host(program: Path, tmp_path: Path) -> Program:
    """Runs a scenario of host.m: its name, a server's address, a key, and more."""

    def start(scenario: str, url: str, key: str, *more: str) -> Done:
        return run(program, scenario, url, key, str(tmp_path / "waiting"), *more)

    return start


def own(fields: dict[str, object]) -> dict[str, object]:
    """The fields without those that the client adds by itself."""
    assert fields.keys() >= ADDED
    return {name: value for name, value in fields.items() if name not in ADDED}


def waiting(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "waiting").rglob("*.form"))


def test_fields_are_stored_as_sent(stack: Stack, host: Program, tmp_path: Path) -> None:
    said = host("fields", stack.url, stack.key, LETTERS).said
    assert (said["taken"], said["flushed"]) == ("yes", "yes")
    (fields,) = stack.fields(1)
    assert str(fields["Platform"]).startswith("Linux ")
    assert own(fields) == {
        "Msg": f"died {LETTERS}",
        "order.id": "1017",
        "order.items": ["a", "b"],
        "order.by.name": "Ann",
        "order": "lost",
        "shop": LETTERS,
        "release": "2.4.1",
        "environment": "test",
    }
    assert not waiting(tmp_path)


def test_an_exception(stack: Stack, host: Program, live: Live) -> None:
    host("exception", stack.url, stack.key)
    (error,) = stack.errors(1)
    fields = error["fields"]
    assert error["title"].startswith("NSRangeException: Index 7 is out of range")
    assert (fields["name"], fields["user"], fields["userInfo.Index"]) == (
        "NSRangeException",
        "Ann",
        "7",
    )
    assert "main+" in fields["stack"]
    assert live.errors(1)[0]["title"] == error["title"]


def test_an_error_object(stack: Stack, host: Program) -> None:
    host("error", stack.url, stack.key)
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["name"], fields["code"]) == ("no order", "OrderDomain", "7")
    assert fields["userInfo.order"] == "1017"


def test_log_messages_come_before_the_error(stack: Stack, host: Program) -> None:
    host("logs", stack.url, stack.key)
    assert [log["text"] for log in stack.logs(2)] == ["deploying 2.4.1"] * 2
    assert len(stack.errors(1)[0]["before"]) == 2


def test_what_nobody_catches_is_delivered_once_by_the_next_launch(
    stack: Stack, host: Program, live: Live, report: Report, platform: str, tmp_path: Path
) -> None:
    done = host("uncaught", stack.url, stack.key)
    assert done.code != 0
    assert done.said == {
        "started": "yes",
        "before": "NSRangeException",
    }  # the program's own handler
    assert "Uncaught exception NSRangeException" in done.stderr
    assert len(waiting(tmp_path)) == 1
    for _ in range(2):
        assert host("launch", stack.url, stack.key).said["flushed"] == "yes"
    (error,) = stack.errors(1)
    assert (error["level"], error["fields"]["hook"]) == ("fatal", "uncaught")
    assert error["type"] == "NSRangeException"
    assert error["fields"]["occurred_at"][:19] <= error["at"][:19]
    assert not waiting(tmp_path)
    live.errors(1)
    report(
        "objc",
        platform,
        sent="exceptions; an uncaught one at the next launch",
        stored="name, reason, stack, platform, once",
        live_ms=live.lags_ms[0],
    )


def test_a_launch_whose_answer_is_lost_delivers_once(
    stack: Stack, host: Program, tmp_path: Path
) -> None:
    host("uncaught", stack.url, stack.key)
    (left,) = waiting(tmp_path)
    copy = tmp_path / left.name
    shutil.copy(left, copy)
    host("launch", stack.url, stack.key)
    shutil.copy(copy, left)  # as if the program had died before it saw the answer
    host("launch", stack.url, stack.key)
    stack.errors(1)


def test_the_queue_on_disk_is_bounded(stack: Stack, host: Program, tmp_path: Path) -> None:
    host("keep-many", stack.url, stack.key)
    assert len(waiting(tmp_path)) == 3
    (waiting(tmp_path)[0].parent / "torn.form").write_bytes(b"\xff\x00")
    host("launch", stack.url, stack.key)
    assert [fields["Msg"] for fields in stack.fields(3)] == ["5", "6", "7"]
    assert not waiting(tmp_path)


def test_what_could_not_be_sent_waits_for_the_next_launch(stack: Stack, host: Program) -> None:
    host("queue", "http://127.0.0.1:1", stack.key)
    host("launch", stack.url, stack.key)
    told = [(fields["Msg"], fields.get("dropped_queue")) for fields in stack.fields(3)]
    assert [message for message, _ in told] == ["5", "6", "7"]
    assert sum(int(count or 0) for _, count in told) >= 3


def test_a_repeated_error_is_counted(stack: Stack, host: Program) -> None:
    said = host("repeat", stack.url, stack.key).said
    assert [said[name] for name in "bcd"] == ["yes", "yes", "no"]
    told: dict[str, str] = {}
    for fields in stack.fields(3):
        told |= {name: value for name, value in fields.items() if "dropped" in name}
    assert told == {"dropped_repeat": "2"}


def test_scrub(stack: Stack, host: Program) -> None:
    host("scrub", stack.url, stack.key)
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["user"], fields["dropped_scrub"]) == ("public", "-", "1")


def test_odd_values_break_nothing(stack: Stack, host: Program) -> None:
    said = host("odd", stack.url, stack.key).said
    assert (said["taken"], said["nil"]) == ("yes", "yes")
    odd, nothing = stack.fields(2)
    assert odd["odd"] == "<Unprintable that cannot be shown: NoText>"
    assert odd["many"] == [str(number) for number in range(50)]
    assert "7232 characters left out" in odd["long"]
    assert "n" * 200 in odd
    assert own(nothing) == {}


@pytest.mark.parametrize(("key", "url"), [("", "http://a"), ("k", "a b"), ("k", "ftp://a/b")])
def test_a_client_that_cannot_send_says_so(host: Program, key: str, url: str) -> None:
    done = host("off", url, key)
    assert done.said == {"before": "no", "on": "no", "taken": "no"}
    assert "nothing will be sent" in done.stderr


def test_an_unknown_key_is_told(stack: Stack, host: Program, tmp_path: Path) -> None:
    assert host("once", stack.url, "0" * 32).said["problem"] == "Unknown stack key"
    assert not waiting(tmp_path)


def test_the_program_does_not_feel_it(
    host: Program, trouble: Trouble, report: Report, platform: str
) -> None:
    done = host("felt", trouble.url, "k")
    assert done.code == 0, done.stderr
    said = {name: float(value) for name, value in done.said.items()}
    assert said["median_ms"] < MAX_MEDIAN_MS
    assert said["max_ms"] < MAX_CALL_MS
    assert said["flush_s"] < 2
    assert trouble.server is None or trouble.server.forms
    report("objc", platform, added_ms={trouble.name: said["median_ms"]})


@pytest.mark.parametrize("reply", WORTH_ANOTHER_TRY.values(), ids=WORTH_ANOTHER_TRY)
def test_it_is_tried_again_with_the_same_bytes(host: Program, reply: bytes | Reply) -> None:
    with answering(reply, STORED) as server:
        assert host("once", server.url, "k").said["flushed"] == "yes"
    first, second = server.forms
    assert first == second
    assert len(first["_id"]) > 16


def test_a_redirect_is_not_followed_and_told(host: Program) -> None:
    with answering(MOVED) as server:
        said = host("once", server.url, "k").said
    assert len(server.forms) == 1
    assert said["problem"] == "the server answered 301 to http://127.0.0.1:1/"


def test_retry_after_is_honoured(host: Program) -> None:
    with answering(BUSY, STORED) as server:
        assert float(host("once", server.url, "k").said["seconds"]) > 0.9
    assert len(server.forms) == 2


def test_an_ambiguous_log_message_is_not_doubled(host: Program) -> None:
    with answering(slow, STORED) as server:
        host("log-once", server.url, "k")
    assert server.paths == ["/log"]


def test_https_is_verified(host: Program, tmp_path: Path) -> None:
    authority = trustme.CA()
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(there)
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    with answering(STORED, tls=there) as server:
        assert "not trusted" in host("tls", server.url, "k").said["problem"]
        assert not server.forms
        said = host("tls", server.url, "k", "-GSTLSCAFile", str(trusted)).said
        assert said["flushed"] == "yes"
    assert {form["Msg"] for form in server.forms} == {"over https"}


@pytest.mark.parametrize("path", ["/x", "/x/", "/x/submit"])
def test_an_endpoint_may_have_a_path(host: Program, path: str) -> None:
    with answering(STORED) as server:
        host("once", server.url + path, "k")
    assert server.paths == ["/x/submit"]


def test_the_example(
    stack: Stack, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GNUSTEP_USER_DEFAULTS_DIR", str(tmp_path))
    example = build(made / "example", OBJC / "example" / "main.m")
    assert run(example, stack.url, stack.key, "die").code != 0
    assert run(example, stack.url, stack.key).code == 0
    titles = [error["title"] for error in stack.errors(3)]
    assert "OrderException: nobody catches this" in titles


@pytest.mark.snippet("objc")
def test_the_snippet(
    stack: Stack, made: Path, snippet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    first, rest = snippet.split("\n\n", 1)
    source = made / "snippet.m"
    # Where it is pasted: application:didFinishLaunchingWithOptions: on a telephone.
    source.write_text(
        f"{first}\nint main(void) {{\n"
        "NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];\n"
        f"{rest}\n"
        "[[ErrorStackClient shared] flush:10];\n[pool drain];\nreturn 0;\n}\n"
    )
    assert run(build(made / "snippet", source)).code == 0
    assert stack.fields(1)[0]["Msg"] == "Hello from Objective-C"


@pytest.mark.parametrize("memory", ["arc", "no-arc"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_clang_takes_it_with_and_without_arc(made: Path, source: Path, memory: str) -> None:
    """Also the lines for Apple's NSURLSession, of which GNUstep's own is not built here."""
    headers = _headers(made / "headers")
    arc = ["-fobjc-arc"] if memory == "arc" else []
    command = ["clang", "-fsyntax-only", "-fblocks", "-fobjc-runtime=gnustep-1.9", *arc]
    command += ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fobjc-exceptions"]
    command += ["-DGNUSTEP", "-DGNUSTEP_BASE_LIBRARY=1", "-D_NATIVE_OBJC_EXCEPTIONS"]
    command += ["-fconstant-string-class=NSConstantString", "-DES_HAS_SESSION"]
    command += [f"-I{OBJC / 'Sources/ErrorStack/include'}"]
    command += ["-isystem", str(headers), "-isystem", "/usr/include/GNUstep"]
    command += [
        "-include",
        "Foundation/Foundation.h",
        "-include",
        str(OBJC / "tests/NSURLSession.h"),
    ]
    done = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _headers(folder: Path) -> Path:
    """The runtime's headers, which gcc keeps among its own, for another compiler."""
    if not folder.exists():
        told = subprocess.run(
            ["gcc", "-print-file-name=include/objc"], capture_output=True, text=True, check=True
        )
        shutil.copytree(told.stdout.strip(), folder / "objc")
        (folder / "objc" / "blocks_runtime.h").touch()
        runtime = folder / "objc" / "runtime.h"
        # An inline function in it looks into an object, which ARC forbids.
        runtime.write_text(
            re.sub(r"return object->class_pointer;", "return 0;", runtime.read_text())
        )
    return folder


def test_the_files_may_lie_in_one_folder(made: Path) -> None:
    flat = made / "flat"
    flat.mkdir()
    for path in OBJC.glob("Sources/ErrorStack/**/*.[hm]"):
        shutil.copy(path, flat)
    command = ["gcc", *gnustep("--objc-flags"), f"-I{flat}", "-fsyntax-only"]
    done = subprocess.run(
        [*command, *map(str, flat.glob("*.m"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_packages_name_what_is_there() -> None:
    version = re.search(r"s\.version\s+= '([\d.]+)'", (OBJC / "ErrorStack.podspec").read_text())
    assert version
    for named in ("Sources/ErrorStack", "include"):
        assert f'"{named}"' in (OBJC / "Package.swift").read_text()
    # Where a Swift package looks for the header that makes its module.
    assert (OBJC / "Sources/ErrorStack/include/ErrorStack/ErrorStack.h").is_file()
    for pattern in re.findall(r"_files\s+= '(.+)'", (OBJC / "ErrorStack.podspec").read_text()):
        assert list(OBJC.glob(pattern.replace("{h,m}", "h"))), pattern
