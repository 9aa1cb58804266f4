"""The command line against a running server, as its users and their scripts see it."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from serving import Command, Served, eventually, run, served

from errorstack_live.cli import main


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data")) as running:
        yield running


class Shell:
    """Runs commands on the server's data directory, in this process."""

    def __init__(self, data_dir: Path) -> None:
        self._environ = {"ERRORSTACK_DATA_DIR": str(data_dir)}

    def run(self, *words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, words, input=stdin, env=self._environ)

    def say(self, *words: str, stdin: str | None = None) -> str:
        """Run what must succeed; its output."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.say(*words, "--json"))

    def lines(self, *words: str) -> list[Any]:
        return [json.loads(line) for line in self.say(*words, "--json").splitlines()]


@pytest.fixture
def shell(server: Served) -> Shell:
    return Shell(server.data_dir)


@pytest.fixture
def stack(shell: Shell, request: pytest.FixtureRequest) -> dict[str, str]:
    """A stack of this test alone."""
    return dict(shell.json("stack", "create", request.node.name))


def tail(server: Served, *words: str) -> Command:
    return Command("tail", *words, data_dir=server.data_dir)


# Serving


def test_ready_says_where_everything_is(server: Served) -> None:
    assert server.ready["ready"] is True
    assert server.ready["stack"] == "first"
    assert server.ready["setup_url"].startswith(f"{server.url}/setup?token=")
    assert httpx.get(server.ready["setup_url"]).status_code == 200
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_people_are_told_how_to_begin(tmp_path: Path) -> None:
    with Command("serve", "--port", "0", data_dir=tmp_path) as command:
        said = command.out.until("Ctrl-C")
    line = next(line for line in said.splitlines() if "curl '" in line)
    assert "/submit?_s=" in line
    assert "&Msg=Hello'" in line
    assert '/beacon.js" data-stack="' in said
    assert "/setup?token=" in said


def test_a_data_directory_is_served_once(server: Served) -> None:
    second = run("serve", "--port", "0", data_dir=server.data_dir)
    assert second.returncode == 1
    assert "in use" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_that_is_taken_is_told(server: Served, tmp_path: Path) -> None:
    second = run("serve", "--port", str(server.port), data_dir=tmp_path)
    assert second.returncode == 1
    assert f"port {server.port}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--certfile", "a.pem"), "both --certfile and --keyfile"),
        (("--certfile", "a.pem", "--keyfile", "b.pem"), "not usable"),
        (("--port", "99999"), "ERRORSTACK_PORT"),
        (("--mongodb-uri", "mysql://elsewhere"), "ERRORSTACK_MONGODB_URI"),
    ],
)
def test_what_keeps_it_from_starting_is_told(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    process = run("serve", "--port", "0", *options, data_dir=tmp_path)
    assert process.returncode == 1
    assert told in process.stderr
    assert "Traceback" not in process.stderr


def test_a_second_start_keeps_everything(tmp_path: Path) -> None:
    with served(tmp_path) as first:
        shell = Shell(tmp_path)
        stored = first.submit(Msg="kept")
        shell.say("member", "add", "kim@example.com", stdin="correct horse\n")
        assert first.command.end() == 0
    with served(tmp_path) as second:
        assert second.key == first.key
        assert second.ready["setup_url"] is None
        assert [each["id"] for each in shell.lines("errors", "first")] == [stored["id"]]


# Stacks, members, share links


def test_stacks_and_keys(server: Served, shell: Shell) -> None:
    made = shell.json("stack", "create", "Web shop")
    assert made["slug"] == "web-shop"
    assert made["url"] == f"{server.url}/s/web-shop"
    assert made["slug"] in [each["slug"] for each in shell.lines("stack", "list")]
    assert made["key"] in shell.say("stack", "list")
    added = shell.json("stack", "key", "add", "web-shop")["key"]
    shell.say("stack", "key", "revoke", "web-shop", made["key"])
    shell.say("submit", added, "by the second key")
    refused = shell.run("submit", made["key"], "by the revoked one", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["success"] is False


def test_members(shell: Shell) -> None:
    assert shell.run("member", "add", "kim@example.com", stdin="short\n").exit_code == 1
    shell.say("member", "add", "Kim@Example.com", stdin="correct horse\n")
    assert shell.run("member", "add", "kim@example.com", stdin="correct horse\n").exit_code == 1
    assert [each["email"] for each in shell.lines("member", "list")] == ["kim@example.com"]
    assert "kim@example.com" in shell.say("member", "list")
    shell.say("member", "remove", "kim@example.com")
    assert shell.run("member", "remove", "kim@example.com").exit_code == 1
    assert shell.lines("member", "list") == []


def test_share_links(shell: Shell, server: Served, stack: dict[str, str]) -> None:
    options = ("--query", "level:error", "--hide", "user", "--expires", "7d", "--name", "For Kim")
    made = shell.json("share", "create", stack["slug"], *options)
    assert made["url"].startswith(f"{server.url}/share/")
    (listed,) = shell.lines("share", "list", stack["slug"])
    assert listed["id"] == made["id"]
    assert listed["hidden"] == ["user"]
    assert listed["revoked_at"] is None
    assert "For Kim" in shell.say("share", "list")
    assert httpx.get(made["url"], follow_redirects=True).status_code == 200
    shell.say("share", "revoke", made["id"])
    assert httpx.get(made["url"], follow_redirects=True).status_code == 410
    assert "revoked" in shell.say("share", "list", stack["slug"])


def test_log_messages_are_shared_only_when_asked_for(shell: Shell, stack: dict[str, str]) -> None:
    shares = (("share", "create", stack["slug"], *given) for given in ((), ("--no-logs",)))
    without = [shell.json(*words)["id"] for words in shares]
    given = shell.json("share", "create", stack["slug"], "--with-logs")["id"]
    listed = {each["id"]: each["with_logs"] for each in shell.lines("share", "list", stack["slug"])}
    assert [listed[each] for each in without] == [False, False]
    assert listed[given] is True


def test_a_share_link_opens_as_it_was_made(shell: Shell, stack: dict[str, str]) -> None:
    view = f"/s/{stack['slug']}?q=secret&mode=grouped&columns=user&columns=plan"
    made = shell.json("share", "create", stack["slug"], "--view", view)
    opened = httpx.get(made["url"])
    assert opened.headers["location"] == f"/v/{made['id']}?mode=grouped&columns=user&columns=plan"


def test_pins(shell: Shell, stack: dict[str, str]) -> None:
    sent = shell.json("submit", stack["key"], "Msg=boom")
    assert shell.run("pin", "add", stack["slug"], "0" * 24).exit_code == 1
    shell.say("pin", "add", stack["slug"], sent["id"], "--note", "look here")
    (listed,) = shell.lines("pin", "list", stack["slug"])
    assert (listed["id"], listed["title"], listed["note"]) == (sent["id"], "boom", "look here")
    assert "look here" in shell.say("pin", "list", stack["slug"])
    shell.say("pin", "remove", stack["slug"], sent["id"])
    assert shell.lines("pin", "list", stack["slug"]) == []


def test_who_watches(shell: Shell, server: Served, stack: dict[str, str]) -> None:
    assert shell.say("watching", stack["slug"]) == "0 watching\n"
    link = shell.json("share", "create", stack["slug"], "--name", "Kim")
    with tail(server, stack["slug"], "--json"), tail(server, link["url"], "--json") as guest:
        assert guest.json(1) == [{"kind": "live"}]
        eventually(
            lambda: "2 watching\n  1 by the link Kim" in shell.say("watching", stack["slug"])
        )
        assert shell.lines("share", "list", stack["slug"])[0]["viewers"] == 1
        assert "1 watching" in shell.say("share", "list", stack["slug"])


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("errors", "nowhere"), 1, "no such stack"),
        (("errors", "first", "level:("), 1, "at character"),
        (("errors", "first", "--since", "later"), 2, "15m, 2h or 7d"),
        (("share", "create", "first", "--expires", "soon"), 2, "15m, 2h or 7d"),
        (("share", "revoke", "nonsense"), 1, "nothing with this id"),
        (("tail", "nowhere"), 1, "no such stack"),
        (("submit", "nokey", "Msg=x"), 1, "Unknown stack key"),
        (("submit", "nokey", "Msg=x", "--url", "http://127.0.0.1:1"), 1, "cannot be reached"),
        (("nonsense",), 2, "No such command"),
    ],
)
def test_failures_say_why(shell: Shell, words: tuple[str, ...], code: int, told: str) -> None:
    result = shell.run(*words)
    assert result.exit_code == code
    assert told in result.stderr
    assert "Traceback" not in result.output


def test_no_server_is_told(tmp_path: Path) -> None:
    for words in (("errors", "first"), ("tail", "first"), ("submit", "key", "x")):
        result = Shell(tmp_path).run(*words)
        assert result.exit_code == 1
        assert str(tmp_path) in result.stderr


# Sending and reading


def test_what_is_submitted_is_read_back_as_sent(shell: Shell, stack: dict[str, str]) -> None:
    first = shell.json("log", stack["key"], "about to fail")
    pairs = ("Msg=a=b & c", "Zeile=äöü€😀", "$odd.name=1", "Msg=twice", "level=warning")
    shell.say("submit", stack["key"], *pairs)
    (error,) = shell.lines("errors", stack["slug"])
    assert error["kind"] == "error"
    assert list(error["fields"].items()) == [
        *(("Msg", ["a=b & c", "twice"]), ("Zeile", "äöü€😀")),
        *(("$odd.name", "1"), ("level", "warning")),
    ]
    assert error["level"] == "warning"
    assert [each["text"] for each in error["before"]] == ["about to fail"]
    (log,) = shell.lines("logs", stack["slug"])
    assert (log["kind"], log["id"], log["text"]) == ("log", first["id"], "about to fail")


def test_a_text_alone_is_the_message(shell: Shell, stack: dict[str, str]) -> None:
    shell.say("submit", stack["key"], "x = 5 failed")
    assert shell.lines("errors", stack["slug"])[0]["fields"] == {"Msg": "x = 5 failed"}


def test_errors_are_found_newest_first(shell: Shell, stack: dict[str, str]) -> None:
    for number in range(4):
        shell.say("submit", stack["key"], f"Msg=number {number}", f"n={number}")
    numbers = [each["fields"]["n"] for each in shell.lines("errors", stack["slug"])]
    assert numbers == ["3", "2", "1", "0"]
    found = shell.lines("errors", stack["slug"], "n>1", "--limit", "1", "--since", "1h")
    assert [each["fields"]["n"] for each in found] == ["3"]
    assert shell.lines("errors", stack["slug"], "--since", "2999-01-01") == []


def test_people_read_lines_that_cannot_bite(shell: Shell, stack: dict[str, str]) -> None:
    shell.say("submit", stack["key"], "Msg=\x1b[2J\u202eevil", "level=fatal")
    shell.say("log", stack["key"], '{"a": 1}', "--pretty")
    (line,) = shell.say("errors", stack["slug"]).splitlines()
    assert "fatal" in line
    assert "␛[2J<U+202E>evil" in line
    assert '{"a": 1}' in shell.say("logs", stack["slug"])


def test_demo_traffic_is_stored(shell: Shell, stack: dict[str, str]) -> None:
    said = shell.say("demo", stack["key"], "--rate", "40", "--seconds", "0.5", "--seed", "1")
    accepted = int(said.split()[0])
    assert accepted >= 10
    assert ", 0 refused." in said
    assert len(shell.lines("errors", stack["slug"], "--limit", "1000")) == accepted


# Following


def test_tail_tells_each_error_and_log_once(
    shell: Shell, server: Served, stack: dict[str, str]
) -> None:
    shell.say("submit", stack["key"], "before it was live")
    with tail(server, stack["slug"], "level:error", "--json") as command:
        assert command.json(1) == [{"kind": "live"}]
        shell.say("log", stack["key"], "hello")
        shell.say("submit", stack["key"], "Msg=not this", "level=info")
        shell.say("submit", stack["key"], "Msg=this", "user=u1")
        log, error = command.json(2)
    assert (log["kind"], log["text"]) == ("log", "hello")
    assert (error["kind"], error["title"]) == ("error", "this")
    assert error["fields"] == {"Msg": "this", "user": "u1"}
    assert [each["text"] for each in error["before"]] == ["hello"]
    assert error == shell.lines("errors", stack["slug"], "--limit", "1")[0]


def test_tail_since_begins_with_history(
    shell: Shell, server: Served, stack: dict[str, str]
) -> None:
    for number in range(3):
        shell.say("submit", stack["key"], f"Msg={number}")
    with tail(server, f"{server.url}/s/{stack['slug']}", "--since", "1h", "--json") as command:
        shell.say("submit", stack["key"], "Msg=3")
        live, *errors = command.json(5)
    assert live == {"kind": "live"}
    assert [each["title"] for each in errors] == ["0", "1", "2", "3"]


def test_tail_of_a_share_link_sees_the_view_and_ends_with_it(
    shell: Shell, stack: dict[str, str], tmp_path: Path
) -> None:
    options = ("--query", "shop", "--hide", "user")
    link = shell.json("share", "create", stack["slug"], *options)
    with Command("tail", link["url"], "--json", data_dir=tmp_path) as command:
        assert command.json(1) == [{"kind": "live"}]
        shell.say("submit", stack["key"], "Msg=elsewhere", "user=u1")
        shell.say("submit", stack["key"], "Msg=shop broke", "user=u1")
        assert command.json(1)[0]["fields"] == {"Msg": "shop broke"}
        shell.say("share", "revoke", link["id"])
        assert command.code(deadline_s=5) == 3
        assert "revoked" in command.err.rest()
    assert run("tail", link["url"], data_dir=tmp_path).returncode == 3


def test_tail_goes_on_without_a_gap_when_the_server_returns(tmp_path: Path) -> None:
    with served(tmp_path) as first, tail(first, "first", "--json") as command:
        assert command.json(1) == [{"kind": "live"}]
        told = [first.submit(Msg="1")["id"], first.submit(Msg="2")["id"]]
        assert [each["id"] for each in command.json(2)] == told
        first.command.process.kill()
        first.command.code()
        with served(tmp_path, "--port", str(first.port)) as second:
            told = [second.submit(Msg=str(number))["id"] for number in range(3, 8)]
            assert [each.get("id") for each in command.json(5)] == told


def test_tail_for_people(shell: Shell, server: Served, stack: dict[str, str]) -> None:
    with tail(server, stack["slug"]) as command:
        assert stack["slug"] in command.err.line()
        shell.say("submit", stack["key"], "Msg=Boom", "File=a.py", "Line=3")
        line = command.out.line()
        assert command.end(signal.SIGINT) == 130
        assert "Traceback" not in command.err.rest()
    assert "error" in line
    assert "Boom  a.py:3" in line


# Issues and markers


def test_issues_are_listed_and_spoken_of(shell: Shell, stack: dict[str, str]) -> None:
    for text in ("one", "one", "two\x1b[31m"):
        shell.say("submit", stack["key"], f"Msg={text}", "user=ada")

    def listed(*options: str) -> dict[str, Any]:
        found = shell.lines("issues", "list", stack["slug"], *options)
        return {each["title"]: each for each in found}

    eventually(lambda: listed().get("one", {}).get("count") == 2)
    one, two = listed()["one"], listed()["two\x1b[31m"]
    assert (one["status"], one["users"], one["kind"]) == ("open", 1, "issue")
    said = shell.say("issues", "list", stack["slug"], "--sort", "count")
    assert said.splitlines()[0].startswith(one["id"])
    assert "\x1b[31m" not in said
    shell.say("issues", "resolve", stack["slug"], two["id"])
    assert set(listed()) == {"one"}
    (ignored,) = shell.lines(
        "issues", "ignore", stack["slug"], one["id"], "--for", "2h", "--more", "9"
    )
    assert (ignored["status"], ignored["until_count"]) == ("ignored", 11)
    assert listed() == {}
    shell.say("issues", "reopen", stack["slug"], one["id"], two["id"])
    shell.say("issues", "merge", stack["slug"], one["id"], two["id"])
    eventually(lambda: {name: each["count"] for name, each in listed().items()} == {"one": 3})


def test_issues_that_are_not_there(shell: Shell, stack: dict[str, str]) -> None:
    result = shell.run("issues", "resolve", stack["slug"], "0" * 24)
    assert (result.exit_code, "not there" in result.output) == (1, True)
    assert shell.run("issues", "ignore", stack["slug"], "0" * 24, "--for", "soon").exit_code == 2


def test_a_marker_is_set(server: Served, shell: Shell, stack: dict[str, str]) -> None:
    said = shell.json("mark", stack["key"], "deployed 2.4.1", "--url", server.url)
    assert said["success"] is True
    assert shell.run("mark", "nobody", "x", "--url", server.url).exit_code == 1


# Tokens, and servers elsewhere


@pytest.fixture
def elsewhere(tmp_path: Path) -> Shell:
    """A machine that has nothing of the server's data."""
    return Shell(tmp_path / "none")


def test_tokens_are_made_listed_and_revoked(shell: Shell, stack: dict[str, str]) -> None:
    made = shell.json("token", "create", "ci", "--stack", stack["slug"], "--expires", "1h")
    assert made["token"].startswith("est_")
    (listed,) = [each for each in shell.lines("token", "list") if each["id"] == made["id"]]
    assert (listed["name"], listed["scope"], listed["stacks"]) == ("ci", "read", [stack["slug"]])
    assert listed["last_used_at"] is None
    assert made["token"] not in shell.say("token", "list")
    assert shell.say("token", "revoke", made["id"]) == "Revoked.\n"
    assert shell.run("token", "revoke", made["id"]).exit_code == 1
    assert shell.say("token", "create", "all", "--write").startswith("est_")


def test_a_token_reads_from_elsewhere(
    server: Served, shell: Shell, elsewhere: Shell, stack: dict[str, str], tmp_path: Path
) -> None:
    token = shell.say("token", "create", "ci", "--stack", stack["slug"]).strip()
    there = ("--url", server.url, "--token", token)
    for number in range(3):
        shell.say("submit", stack["key"], "Msg=boom", f"n={number}", "note==1+1")
    shell.say("log", stack["key"], "deployed")
    found = elsewhere.lines("errors", stack["slug"], *there)
    assert found == shell.lines("errors", stack["slug"])
    assert len(elsewhere.lines("errors", stack["slug"], "n>0", "--limit", "1", *there)) == 1
    assert elsewhere.lines("logs", stack["slug"], *there)[0]["text"] == "deployed"
    out = elsewhere.say("export", f"{server.url}/s/{stack['slug']}", "n:1", "--token", token)
    assert [json.loads(line)["fields"]["n"] for line in out.splitlines()] == ["1"]
    file = tmp_path / "errors.csv"
    named = ("--columns", "n,note", "--out", str(file))
    assert elsewhere.say("export", stack["slug"], *named, *there) == ""
    assert file.read_text().splitlines() == ["n,note", *(f"{n},'=1+1" for n in (2, 1, 0))]
    assert list(tmp_path.glob("*.part")) == []
    command = Command("tail", stack["slug"], "--json", *there, data_dir=tmp_path / "none")
    with command:
        command.out.until('{"kind":"live"}')
        shell.say("submit", stack["key"], "Msg=live from afar")
        command.out.until("live from afar")
        token_id = shell.lines("token", "list")[0]["id"]
        shell.say("token", "revoke", token_id)
        assert command.process.wait(timeout=30) == 3
    refused = elsewhere.run("errors", stack["slug"], *there)
    assert refused.exit_code == 1
    assert "revoked" in refused.stderr


def test_a_share_link_reads_from_elsewhere(
    shell: Shell, elsewhere: Shell, stack: dict[str, str]
) -> None:
    link = shell.say("share", "create", stack["slug"], "--hide", "user").strip()
    shell.say("submit", stack["key"], "Msg=boom", "user=ada", "page=/")
    (error,) = elsewhere.lines("errors", link)
    assert error["fields"] == {"Msg": "boom", "page": "/"}
    assert "ada" not in elsewhere.say("export", link, "--format", "csv").replace(error["id"], "")
    assert elsewhere.run("errors", link, "((").exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("errors", "first", "--token", "est_x"), "--url"),
        (("errors", "first", "--token", "est_x", "--url", "http://127.0.0.1:1"), "127.0.0.1:1"),
        (("export", "first", "--token", "est_x", "--url", "SERVER"), "revoked"),
        (("logs", "http://127.0.0.1:1/share/x"), "connection"),
    ],
)
def test_what_cannot_be_reached_is_said(
    server: Served, elsewhere: Shell, words: tuple[str, ...], told: str
) -> None:
    refused = elsewhere.run(*(word.replace("SERVER", server.url) for word in words))
    assert refused.exit_code == 1
    assert told in refused.stderr
    assert "Traceback" not in refused.output
