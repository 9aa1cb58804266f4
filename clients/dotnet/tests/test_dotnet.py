"""What a program says, as the real server stores it: on Mono and on .NET Core."""

import pytest
from harness.answering import STORED, answering
from harness.csharp import DOTNET, Platform, Program, mono
from harness.live import Live
from harness.report import Report
from harness.stack import Stack

LETTERS = "café € 😀 & = % + ;"
ADDED = {"host", "Platform"}


def own(fields: dict[str, object]) -> dict[str, object]:
    """The fields without those that the library adds by itself."""
    assert fields.keys() >= ADDED
    return {name: value for name, value in fields.items() if name not in ADDED}


def test_fields_are_stored_as_sent(stack: Stack, host: Program, platform: Platform) -> None:
    assert host("fields", stack.url, stack.key, LETTERS).said == {
        "taken": "True",
        "flushed": "True",
    }
    (fields,) = stack.fields(1)
    assert str(fields["Platform"]).startswith(platform.name.split()[0])
    assert own(fields) == {
        "Message": f"died {LETTERS}",
        "order.id": "1017",
        "order.items": ["a", "b"],
        "order.by.name": "Ann",
        "ok": "false",
        "half": "\ufffd",
        "total": "12.5",
        "at": "2026-01-02T03:04:05.0000000Z",
        "shop": LETTERS,
        "order": "the call's own wins",
        "release": "2.4.1",
        "environment": "test",
    }


def test_an_exception_has_its_trace_causes_and_data(
    stack: Stack, host: Program, platform: Platform, live: Live, report: Report
) -> None:
    host("exception", stack.url, stack.key)
    (stored,) = stack.errors(1)
    (seen,) = live.errors(1)
    assert seen["title"] == stored["title"] == "System.InvalidOperationException: no order"
    fields = stored["fields"]
    assert fields["Message"] == "no order"
    assert fields["Type"] == stored["type"] == "System.InvalidOperationException"
    assert (fields["Source"], fields["Method"]) == ("Host", "Host.Fall")
    assert (fields["Data.order"], fields["user"]) == ("1017", "Ann")
    assert "---> System.Collections.Generic.KeyNotFoundException" in fields["StackTrace"]
    assert fields["StackTrace"].count("at Host.Fall") == 4
    report(
        "dotnet",
        platform.name,
        sent="exception with its cause and fields",
        stored="message, type, source, trace, method",
        live_ms=live.lags_ms[0],
    )


def test_log_messages_come_before_the_error(stack: Stack, host: Program, live: Live) -> None:
    host("logs", stack.url, stack.key)
    told = [(log.get("text"), log.get("fields")) for log in stack.logs(3)]
    assert told == [("deploying 2.4.1", None)] * 2 + [(None, {"step": "migrate", "number": "7"})]
    assert len(stack.errors(1)[0]["before"]) == len(live.logs(3)) == 3


def test_a_call_can_be_awaited_or_waited_for(stack: Stack, host: Program) -> None:
    assert host("async", stack.url, stack.key).said == {"stored": "True True", "closed": "False"}
    assert host("wait", stack.url, stack.key).said["stored"] == "True"
    assert [fields["Message"] for fields in stack.fields(2)] == ["awaited", "waited for"]


def test_what_is_traced_is_sent(stack: Stack, host: Program) -> None:
    assert host("trace", stack.url, stack.key).said["flushed"] == "True"
    traced, critical, bad, thrown = stack.errors(4)
    assert traced["fields"]["Message"] == "order 1017 failed"
    assert [log["text"] for log in traced["before"]] == ["order 1017 came"]
    assert (critical["title"], critical["level"]) == ("Shop: no {0} left", "fatal")
    assert critical["fields"]["event"] == "7"
    assert bad["fields"]["Message"] == "bad template {1}"
    assert (thrown["type"], thrown["fields"]["source"]) == (
        "System.InvalidOperationException",
        "Shop",
    )
    assert len(stack.logs(1)) == 1


def test_a_repeated_error_is_counted(stack: Stack, host: Program) -> None:
    assert host("repeat", stack.url, stack.key).said["taken"] == "True False False True False"
    first, second = stack.fields(2)
    told = {name: value for name, value in {**first, **second}.items() if "dropped" in name}
    assert told.items() <= {"dropped_repeat": "2", "dropped_limit": "1"}.items()


def test_an_exception_is_sent_once_by_all_layers(stack: Stack, host: Program) -> None:
    assert host("layers", stack.url, stack.key).said["taken"] == "True False"
    assert stack.fields(1)[0]["layer"] == "1"


def test_losses_are_told_by_the_next_error(host: Program) -> None:
    with answering(STORED) as server:
        host("losses", server.url, "k")
    told = [(form["Message"], form.get("dropped_repeat")) for form in server.forms]
    assert told == [("again", None), ("other", "2"), ("third", None)]


def test_scrub(stack: Stack, host: Program) -> None:
    assert "InvalidOperationException" in host("scrub", stack.url, stack.key).said["problem"]
    (fields,) = stack.fields(1)
    assert (fields["Message"], fields["user"], fields["dropped_scrub"]) == ("public", "-", "1")


def test_odd_values_break_nothing(stack: Stack, host: Program) -> None:
    host("odd", stack.url, stack.key)
    odd, failing, nothing, properties = stack.fields(4)
    assert odd["odd"] == "<Unprintable that cannot be shown: InvalidOperationException>"
    assert "7232 characters left out" in odd["long"]
    assert odd["many"] == [str(number) for number in range(50)]
    assert "n" * 200 in odd
    assert failing["Type"] == "Host+Failing"
    assert "Message" not in failing
    assert own(nothing) == {}
    assert own(properties) == {"Message": "properties", "Good": "7"}


@pytest.mark.parametrize(("key", "url"), [("", "http://a"), ("k", "a:b"), ("k", "ftp://a/b")])
def test_a_client_that_cannot_send_says_so(host: Program, key: str, url: str) -> None:
    said = host("off", url, key).said
    assert said.pop("problem").startswith("nothing will be sent")
    assert said == {"before": "False", "enabled": "False", "taken": "False", "flushed": "True"}


def test_an_unknown_key_is_told(stack: Stack, host: Program) -> None:
    assert host("once", stack.url, "0" * 32).said["problem"] == "Unknown stack key"


@pytest.mark.parametrize("scenario", ["unhandled", "thread"])
def test_what_nobody_catches_is_sent_and_the_program_dies_as_ever(
    stack: Stack, host: Program, scenario: str
) -> None:
    done = host(scenario, stack.url, stack.key)
    assert done.code != 0
    assert "no order" in done.stderr  # the platform's own words
    (error,) = stack.errors(1)
    assert (error["level"], error["fields"]["hook"]) == ("fatal", "UnhandledException")


def test_a_task_that_nobody_looks_at(stack: Stack, host: Program) -> None:
    done = host("unobserved", stack.url, stack.key)
    assert (done.code, done.said["alive"]) == (0, "True")
    fields = stack.fields(1)[0]
    assert (fields["Message"], fields["hook"]) == ("nobody looks", "UnobservedTaskException")


def test_the_end_of_the_program_waits_for_what_is_queued(stack: Stack, host: Program) -> None:
    assert host("exit", stack.url, stack.key).code == 0
    assert stack.fields(1)[0]["Message"] == "at the very end"


@pytest.mark.parametrize("platform", [mono], indirect=True, ids=["mono"])
def test_the_end_of_a_domain_waits_too(stack: Stack, host: Program) -> None:
    assert host("domain", stack.url, stack.key).said["unloaded"] == "True"
    assert stack.fields(1)[0]["Message"] == "the site is recycled"


def test_the_example(stack: Stack, platform: Platform) -> None:
    program = platform.compile(DOTNET / "example" / "Example.cs", out="Example.exe")
    assert platform.run(program, stack.url, stack.key).code == 0
    assert len(stack.errors(2)[1]["before"]) == 1


@pytest.mark.snippet("dotnet")
def test_the_snippet(stack: Stack, platform: Platform, snippet: str) -> None:
    source = platform.folder / "Snippet.cs"
    source.write_text(snippet)
    assert platform.run(platform.compile(source, out="Snippet.exe")).code == 0
    assert stack.fields(1)[0]["Message"] == "Hello from C#"


def test_an_old_sender_with_expect_100_continue(
    stack: Stack, platform: Platform, live: Live, report: Report
) -> None:
    """WebClient.UploadValues as it was used: unmodified, its body after the server's 100."""
    source = DOTNET / "tests" / "OldSender.cs"
    done = platform.run(
        platform.compile(source, out="OldSender.exe"), stack.url, stack.key, LETTERS
    )
    assert (done.code, done.said) == (0, {"43": ""}), done.stderr  # the GIF
    assert stack.fields(1) == [
        {
            "appid": "a8x15",
            "Message": LETTERS,
            "Source": "OldSender",
            "StackTrace": "   at Old.Sender.Send(Object value)\r\n   at Old.Sender.Main()",
        }
    ]
    assert len(live.errors(1)) == 1
    report("dotnet", platform.name, sent="WebClient.UploadValues of old", stored="exactly")
