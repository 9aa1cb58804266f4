"""Invented traffic of a web shop, for demonstrations: real shapes, common and rare, with logs.

Pure: the caller gives the randomness and does the sending.
"""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

Fields: TypeAlias = dict[str, str]
Recipe: TypeAlias = Callable[[Random], Fields]

RELEASES = ("2.4.0", "2.4.0", "2.4.1")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Safari/605.1.15",
)
PAGES = ("/", "/search?q=lamp", "/product/4711", "/product/88", "/cart", "/checkout", "/account")
CUSTOMERS = tuple(f"c-{1000 + 37 * index}" for index in range(60))


class Traffic:
    """A stream of errors that looks like a real one: few kinds are common, many are rare."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._recipes = [recipe for recipe, _ in _RECIPES]
        self._weights = [weight for _, weight in _RECIPES]

    def error(self) -> Fields:
        """The fields of the next error."""
        recipe = self._chance.choices(self._recipes, self._weights)[0]
        return recipe(self._chance)

    def logs(self) -> list[str]:
        """The log messages before it: mostly none."""
        if self._chance.random() > 0.25:
            return []
        return [self._chance.choice(_LOGS)(self._chance)]


def _browser(chance: Random, **fields: str) -> Fields:
    page = chance.choice(PAGES)
    return {
        **fields,
        "level": fields.get("level", "error"),
        "PageURL": f"https://shop.example{page}",
        "UserAgent": chance.choice(AGENTS),
        "release": chance.choice(RELEASES),
        "user": chance.choice(CUSTOMERS),
    }


def _server(chance: Random, **fields: str) -> Fields:
    return {
        **fields,
        "level": fields.get("level", "error"),
        "host": chance.choice(("web-1", "web-2", "web-3")),
        "environment": "production",
        "release": chance.choice(RELEASES),
    }


def _undefined_total(chance: Random) -> Fields:
    line = chance.choice((118, 118, 122))
    return _browser(
        chance,
        Msg="TypeError: Cannot read properties of undefined (reading 'total')",
        Type="TypeError",
        ScriptURL="https://shop.example/static/cart.js",
        Line=str(line),
        stack=(
            "TypeError: Cannot read properties of undefined (reading 'total')\n"
            f"    at renderCart (https://shop.example/static/cart.js:{line}:31)\n"
            "    at update (https://shop.example/static/cart.js:64:9)\n"
            "    at HTMLButtonElement.onClick (https://shop.example/static/vendor/ui.js:901:14)"
        ),
    )


def _script_error(chance: Random) -> Fields:
    return _browser(chance, Msg="Script error.", Line="0")


def _chunk(chance: Random) -> Fields:
    return _browser(
        chance,
        Msg=f"ChunkLoadError: Loading chunk {chance.choice((3, 7, 12))} failed.",
        Type="ChunkLoadError",
        ScriptURL="https://shop.example/static/app.js",
        Line="1",
    )


def _slow_page(chance: Random) -> Fields:
    return _browser(
        chance,
        Msg="Long task on checkout",
        level="warning",
        duration_ms=str(chance.randint(210, 1900)),
    )


def _payment(chance: Random) -> Fields:
    return _server(
        chance,
        message=f"Card was declined: {chance.choice(('insufficient_funds', 'expired_card'))}",
        type="PaymentDeclined",
        level="warning",
        order=str(chance.randint(100_000, 999_999)),
        amount=f"{chance.randint(900, 24_900) / 100:.2f}",
        currency=chance.choice(("EUR", "EUR", "USD")),
    )


def _timeout(chance: Random) -> Fields:
    return _server(
        chance,
        message="TimeoutError: stock service did not answer within 2 s",
        type="TimeoutError",
        module="inventory",
        pathname="/srv/shop/inventory/client.py",
        lineno="88",
        exc_text=(
            "Traceback (most recent call last):\n"
            '  File "/srv/shop/orders/views.py", line 214, in place_order\n'
            "    reserve(order.items)\n"
            '  File "/srv/shop/inventory/client.py", line 88, in reserve\n'
            '    raise TimeoutError("stock service did not answer within 2 s")\n'
            "TimeoutError: stock service did not answer within 2 s"
        ),
        duration_ms=str(chance.randint(2000, 2400)),
    )


def _deadlock(chance: Random) -> Fields:
    return _server(
        chance,
        message="Deadlock found when trying to get lock; try restarting transaction",
        type="PDOException",
        File="/var/www/shop/src/Order/Repository.php",
        Line=str(chance.choice((141, 207))),
        backtrace="#0 Repository.php(141): PDOStatement->execute()\n#1 place.php(33): save()",
    )


def _null_reference(chance: Random) -> Fields:
    return _server(
        chance,
        Message="Object reference not set to an instance of an object.",
        type="System.NullReferenceException",
        Source="Shop.Export",
        StackTrace=(
            "   at Shop.Export.InvoiceWriter.Write(Order order) in InvoiceWriter.cs:line 57\n"
            "   at Shop.Export.Program.Main(String[] args) in Program.cs:line 21"
        ),
    )


def _node_died(chance: Random) -> Fields:
    return {"Msg": f"node {chance.choice(('cache-2', 'queue-1'))} died", "level": "fatal"}


def _job_done(chance: Random) -> Fields:
    return _server(
        chance, message="Nightly export finished", level="info", rows=str(chance.randint(10, 9000))
    )


_RECIPES: tuple[tuple[Recipe, float], ...] = (
    (_undefined_total, 34),
    (_script_error, 17),
    (_payment, 14),
    (_timeout, 12),
    (_slow_page, 9),
    (_chunk, 6),
    (_deadlock, 4),
    (_null_reference, 2),
    (_job_done, 1.5),
    (_node_died, 0.5),
)

_LOGS: tuple[Callable[[Random], str], ...] = (
    lambda chance: f"cart {chance.choice(CUSTOMERS)}: {chance.randint(1, 9)} items",
    lambda chance: f"stock service answers slowly: {chance.randint(900, 1900)} ms",
    lambda chance: f"payment {chance.randint(100_000, 999_999)} sent to the bank",
    lambda chance: f"queue has {chance.randint(3, 400)} jobs",
)
