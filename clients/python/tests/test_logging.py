"""Records of the logging module: by our handler, and by the API page's own."""

import logging
from collections.abc import Iterator
from decimal import Decimal

import api_page_handler
import pytest
from harness.stack import Stack

from errorstack_client import Client, ErrorStackHandler

NOTHING: dict[str, str] = {}


@pytest.fixture
def logger(request: pytest.FixtureRequest) -> Iterator[logging.Logger]:
    made = logging.getLogger(f"shop.{request.node.name}")
    made.propagate = False
    yield made
    for handler in made.handlers[:]:
        made.removeHandler(handler)
        handler.close()


def test_a_record_with_everything(stack: Stack, client: Client, logger: logging.Logger) -> None:
    logger.addHandler(ErrorStackHandler(client))
    logger.warning("below the level")
    try:
        NOTHING["missing"]
    except KeyError:
        logger.exception(
            "could not save order %s for %r",
            *(1017, "Ann"),
            extra={"order": {"id": 1017, "rows": [1, 2]}, "tags": {"a"}},
        )
    assert client.flush(10)
    (error,) = stack.errors(1)
    assert error["title"] == "could not save order 1017 for 'Ann'"
    assert error["level"] == "error"
    fields = error["fields"]
    assert (fields["msg"], fields["args"]) == ("could not save order %s for %r", "(1017, 'Ann')")
    assert (fields["order.id"], fields["order.rows"], fields["tags"]) == ("1017", ["1", "2"], "a")
    assert fields["exc_text"].startswith("Traceback (most recent call last):\n")
    assert fields["exc_text"].endswith("KeyError: 'missing'")
    assert fields["name"] == logger.name
    assert fields["funcName"] == "test_a_record_with_everything"


def test_messages_of_every_kind(stack: Stack, client: Client, logger: logging.Logger) -> None:
    logger.addHandler(ErrorStackHandler(client, logging.WARNING))
    logger.critical("price %s of %d", Decimal("1.50"), 3)
    logger.error("%.1f of it", Decimal("1.5"))  # no literal, and a text is no number
    logger.warning("by %(name)s", {"name": "Ann"})
    logger.error({"not": "a text"})
    logger.error("100% sure")
    logger.error("where", stack_info=True)
    assert client.flush(10)
    found = stack.errors(6)
    assert [error["title"] for error in found] == [
        *("price 1.50 of 3", "1.5 of it", "by Ann", "{'not': 'a text'}", "100% sure", "where")
    ]
    assert [error["level"] for error in found[:3]] == ["fatal", "error", "warning"]
    assert found[5]["fields"]["stack"].startswith("Stack (most recent call last)")


def test_a_wrong_format_is_told(stack: Stack, client: Client) -> None:
    record = logging.makeLogRecord({"msg": "%d items", "args": ("no number",), "levelno": 40})
    ErrorStackHandler(client).handle(record)
    assert client.flush(10)
    (fields,) = stack.fields(1)
    assert fields["msg"] == "%d items"
    assert fields["format_error"].startswith("TypeError")


def test_it_does_not_report_itself(stack: Stack, client: Client) -> None:
    own = logging.getLogger("errorstack_client")
    handler = ErrorStackHandler(client, logging.DEBUG)
    own.addHandler(handler)
    try:
        own.error("my own trouble")
        client.submit(Msg="other")
        assert client.flush(10)
    finally:
        own.removeHandler(handler)
    stack.errors(1)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the standard handler's own
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_handler_of_the_api_page(stack: Stack, logger: logging.Logger, method: str) -> None:
    host = stack.url.partition("://")[2]
    logger.addHandler(api_page_handler.ErrorStackHandler(host, stack.key, method))
    try:
        NOTHING["missing"]
    except KeyError:
        logger.exception("could not save order %s for %r", 1017, "Änn & Bob")
    (error,) = stack.errors(1)
    assert error["title"] == "could not save order 1017 for 'Änn & Bob'"
    fields = error["fields"]
    assert set(api_page_handler.NAMES) == set(fields)
    assert (fields["name"], fields["levelname"]) == (logger.name, "ERROR")
    assert fields["args"] == "(1017, 'Änn & Bob')"
    assert fields["exc_text"].endswith("KeyError: 'missing'")
