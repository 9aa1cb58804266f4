"""Ten thousand generated requests: never a 5xx, and what is stored is what was sent."""

import asyncio
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import httpx
import pytest
from fixtures_server import Server

from errorstack_live.model import JSON, Error

REQUESTS = int(os.environ.get("ERRORSTACK_TEST_REQUESTS", "10000"))
SEED = 20_091_011
AT_ONCE = 32
_ALPHABETS = (
    "abcXYZ019 .-/:;,!?()[]{}<>'\"=&%+#@$\\",
    "éüßñ€œ™",
    "日本語字жшқ",
    "😀🎉👩‍💻",
    "\t\r\n\u202e\u200b\x00\x1b",
)
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and the fields it must leave behind."""

    query: str
    body: bytes
    content_type: str
    fields: dict[str, JSON]


def text(rng: random.Random, most: int) -> str:
    return "".join(rng.choice(rng.choice(_ALPHABETS)) for _ in range(rng.randint(0, most)))


def fields(rng: random.Random, value: Callable[[random.Random], JSON]) -> dict[str, JSON]:
    """Names are made distinct and never reserved; one field at least holds something."""
    found: dict[str, JSON] = {"Msg": "generated"}
    for n in range(rng.randint(0, 8)):
        found[f"f{n}{text(rng, 6)}"] = value(rng)
    return found


def text_value(rng: random.Random) -> str:
    return text(rng, 40)


def json_value(rng: random.Random, depth: int = 0) -> JSON:
    kind = rng.randint(0, 7 if depth < 4 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.randint(-(2**63), 2**63 - 1)
    if kind == 2:
        return rng.choice([0.5, -1e300, 5e-324, 0.1])
    if kind <= 5:
        return text_value(rng)
    if kind == 6:
        return [json_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    return {f"n{n}{text(rng, 4)}": json_value(rng, depth + 1) for n in range(rng.randint(0, 3))}


def stored_name(name: str) -> str:
    return name.replace("\x00", "\u2400")


def stored(value: JSON) -> JSON:
    """What PROTOCOL 2 to 4 make of a value: a NUL in a name is shown, nothing else changes."""
    if isinstance(value, dict):
        return {stored_name(name): stored(each) for name, each in value.items()}
    if isinstance(value, list):
        return [stored(each) for each in value]
    return value


def escape(word: str) -> str:
    """JavaScript's ``escape()``: Latin-1 as %XX, the rest as UTF-16 in %uXXXX."""
    units = word.encode("utf-16-be")
    codes = [int.from_bytes(units[n : n + 2]) for n in range(0, len(units), 2)]
    return "".join(f"%{code:02X}" if code < 256 else f"%u{code:04X}" for code in codes)


def urlencoded(pairs: dict[str, JSON], quoted: Callable[[str], str]) -> str:
    return "&".join(f"{quoted(name)}={quoted(str(value))}" for name, value in pairs.items())


def multipart(pairs: dict[str, JSON]) -> tuple[bytes, str]:
    boundary = "----generated4711"
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (boundary.encode(), name.encode(), str(value).encode())
        for name, value in pairs.items()
    ]
    whole = b"".join(parts) + b"--%s--\r\n" % boundary.encode()
    return whole, f"multipart/form-data; boundary={boundary}"


def plain_names(pairs: dict[str, JSON]) -> dict[str, JSON]:
    """Multipart names stand in a header line: quotes and line ends cannot be there as they are."""
    return {
        "".join(char for char in name if char not in '"\r\n\\%\x00\t'): value
        for name, value in pairs.items()
    }


def generate(rng: random.Random, key: str) -> Sent:
    """One request in one of the forms real clients send."""
    form = rng.choice(["query", "utf8", "escape", "split", "multipart", "json"])
    query = f"_s={key}&_r=json"
    if form == "json":
        made = fields(rng, json_value)
        body = json.dumps(made, ensure_ascii=rng.random() < 0.5).encode()
        return Sent(query, body, "application/json", {"Msg": "generated", **made})
    made = fields(rng, text_value)
    if form == "multipart":
        made = plain_names(made)
        body, content_type = multipart(made)
        return Sent(query, body, content_type, made)
    if form == "escape":
        # Latin-1 bytes that happen to be UTF-8 are read as UTF-8 (PROTOCOL 4): not generated.
        made = {
            "Msg": "generated",
            **{f"f{n}": text(rng, 20).replace("\x00", "") for n in range(3)},
        }
        made = {name: value for name, value in made.items() if not _looks_like_utf8(str(value))}
        return Sent(f"{query}&{urlencoded(made, escape)}", b"", "", made)
    if form == "query":
        return Sent(f"{query}&{urlencoded(made, quote)}", b"", "", made)
    if form == "utf8":
        return Sent(query, urlencoded(made, quote_plus).encode(), FORM, made)
    names = list(made)
    first = {name: made[name] for name in names[::2]}
    second = {name: made[name] for name in names[1::2]}
    ordered = {**first, **second}
    return Sent(
        f"{query}&{urlencoded(first, quote)}",
        urlencoded(second, quote_plus).encode(),
        FORM,
        ordered,
    )


def _looks_like_utf8(word: str) -> bool:
    latin = bytes(ord(char) for char in word if ord(char) < 256)
    try:
        latin.decode()
    except UnicodeDecodeError:
        return False
    return any(byte > 127 for byte in latin)


@pytest.mark.slow
async def test_generated_requests(server: Server, http: httpx.AsyncClient) -> None:
    rng = random.Random(SEED)
    requests = [generate(rng, server.key) for _ in range(REQUESTS)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def send(sent: Sent) -> tuple[Sent, httpx.Response]:
        async with gate:
            url = f"/submit?{sent.query}"
            if not sent.body and not sent.content_type:
                return sent, await http.get(url)
            headers = {"content-type": sent.content_type}
            return sent, await http.post(url, content=sent.body, headers=headers)

    answers = await asyncio.gather(*map(send, requests))

    assert {answer.status_code for _, answer in answers} == {200}
    assert all(answer.json()["success"] is True for _, answer in answers)
    differing = [
        (sent, error.fields)
        for sent, answer in answers
        if not _same(
            error := await server.state.store.errors.get(server.stack.id, answer.json()["id"]),
            sent,
        )
    ]
    assert differing == []


def _same(error: Error, sent: Sent) -> bool:
    """Equal, in order, but for fields in which the scrubber says it changed something."""
    expected = {stored_name(name): stored(value) for name, value in sent.fields.items()}

    def is_scrubbed(name: str) -> bool:
        return any(f"{path}.".startswith(f"{name}.") for path in error.scrubbed)

    return list(error.fields) == list(expected) and all(
        error.fields[name] == value for name, value in expected.items() if not is_scrubbed(name)
    )
