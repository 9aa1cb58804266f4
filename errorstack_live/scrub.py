"""Secrets out of what senders send, before it reaches disk or socket.

By name: the value of a field called like a password, token, cookie, card… is replaced whole, at
any depth. By value: credentials are recognised in any text, a log message's too. Whoever sends is
anonymous and hostile, so every scanner here is linear: no pattern can walk over the same long run
again from each of its characters. What is not a secret stays exactly as it was sent.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection
from functools import lru_cache

from errorstack_live.model import JSON, Fields

SCRUBBED = "[scrubbed]"
MIN_TEXT_CHARS = 5
MAX_NAME_CHARS = 64
"""Of a name in a text, as much of its end is looked at."""

# Matched against a name without its separators and case: X-Api-Key is xapikey.
_SECRET_NAME = re.compile(
    r"""password|passwd|passphrase|passcode|secret(?!ar)|credential
    |(?:api|access|private|encryption|signing|session)key
    |authorization|cookie(?!enabled|consent|policy|banner)|[cx]srf|sessionid|sessid
    |(?:access|auth|bearer|id|refresh|session)token|tokens?$
    |creditcard|cardn(?:o|r|um)|ccn(?:o|r|um)|cvv|securitycode
    |^(?:user|db|smtp|mysql|redis|proxy)?(?:pass|pwd)$
    |^(?:auth|card|cvc2?|jwt|otp|bearer|(?:connect)?sid)$""",
    re.VERBOSE,
)
_SEPARATORS = re.compile(r"[\W_]+")
_HARMLESS = frozenset({"", "true", "false", "null", "none", "undefined", SCRUBBED})

_HEADER = re.compile(
    r"(?i)(?<![\w-])((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token|x-csrf-token)"
    r"(: ?)(?!\[scrubbed\])[^\s\"'][^\r\n\"']*"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*+)?")
_SCHEME = re.compile(r"(?i)(?<![\w-])(bearer|basic) {1,4}([\w.~+/-]{8,}+=*+)")
_USERINFO = re.compile(r"(://[^\s/:@?#\"'<>]*+:)(?!\[scrubbed\]@)[^\s/?#\"'<>]+@")
_ASSIGNMENT = re.compile(
    r"""(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)(?:(?:\]|%5[Dd])?=(?=[^\s=&;,])|\\?["'] ?(?::|=>))"""
)
_ASSIGNED = re.compile(
    r"""\ ?(?:\\"(?:[^"\\]|\\(?!"))*+
    |"(?:[^"\\]|\\.)*+
    |'(?:[^'\\]|\\.)*+
    |[^\s&;,"'<>()\[\]{}=\\](?:[^\s&;,"'<>)\]}\\]|,(?!\s|[\w.-]*+=))*+)""",
    re.VERBOSE | re.DOTALL,
)
_CARD = re.compile(
    r"(?<![\w.])(?:\d{14,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})"
    r"(?!\w|[.-]\d)"
)
_LONG_DIGITS = re.compile(r"\d{4}[ -]?\d{4}")
_ISSUED = re.compile(  # the ranges of the card schemes; an order number is rarely in one
    r"""4(?:\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}
    |3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}
    |6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}""",
    re.VERBOSE,
)
_LEAST_CARD = 10**13


def scrub(fields: Fields, names: Collection[str] = ()) -> tuple[Fields, tuple[str, ...]]:
    """Return the fields without secrets, and the dotted paths of those that were changed.

    ``names`` are further secret names, compared without case and separators; a dotted one names
    a nested field. Fields that hold no secret are returned as the same object. A secret name's
    True, False or None stays: it tells nothing.
    """
    scrubber = _Scrubber(frozenset(map(_normal, names)))
    clean = scrubber.object(fields, "")
    return clean, tuple(dict.fromkeys(scrubber.found))


def scrub_text(text: str) -> str:
    """Return the text without the credentials in it, the same object when there are none."""
    if len(text) < MIN_TEXT_CHARS:
        return text
    hint, clean = text.lower(), text
    for is_likely, scanned in _SCANNERS:
        if is_likely(hint):
            clean = scanned(clean)
    return text if clean == text else clean


class _Scrubber:
    """One walk over an error's fields; ``found`` collects the paths that changed."""

    def __init__(self, given: frozenset[str]) -> None:
        self.given = given
        self.found: list[str] = []

    def object(self, fields: Fields, path: str) -> Fields:
        changed: dict[str, JSON] | None = None
        for name, value in fields.items():
            clean = self.field(name, value, path + name)
            if clean is not value:
                changed = dict(fields) if changed is None else changed
                changed[name] = clean
        return fields if changed is None else changed

    def field(self, name: str, value: JSON, path: str) -> JSON:
        if not self.is_secret(name, path):
            return self.value(value, path)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _HARMLESS:
            return value
        return self.replaced(path)

    def value(self, value: JSON, path: str) -> JSON:
        if isinstance(value, str):
            clean = scrub_text(value)
            if clean is not value:
                self.found.append(path)
            return clean
        if isinstance(value, dict):
            return dict(inner) if (inner := self.object(value, f"{path}.")) is not value else value
        if isinstance(value, list):
            return self.list(value, path)
        if isinstance(value, int) and value >= _LEAST_CARD and _is_card(str(value)):
            return self.replaced(path)
        return value

    def list(self, values: list[JSON], path: str) -> list[JSON]:
        clean = [self.value(item, path) for item in values]
        is_same = all(new is old for new, old in zip(clean, values, strict=True))
        return values if is_same else clean

    def is_secret(self, name: str, path: str) -> bool:
        if _is_secret(name):
            return True
        return bool(self.given) and (_normal(name) in self.given or _normal(path) in self.given)

    def replaced(self, path: str) -> str:
        self.found.append(path)
        return SCRUBBED


@lru_cache(maxsize=4096)  # senders repeat their names
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(_normal(name)) is not None


def _normal(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()


def _headers(text: str) -> str:
    return _HEADER.sub(rf"\1\2{SCRUBBED}", text)


def _schemes(text: str) -> str:
    return _SCHEME.sub(_scheme, text)


def _scheme(found: re.Match[str]) -> str:
    """Scrub a credential behind its scheme, but not the words of "Basic authentication"."""
    is_bearer = found[1].lower() == "bearer"
    is_secret = _is_opaque(found[2]) if is_bearer else _is_user_and_password(found[2])
    return f"{found[1]} {SCRUBBED}" if is_secret else found[0]


def _is_opaque(token: str) -> bool:
    return len(token) >= 16 and any(char.isdigit() for char in token)


def _is_user_and_password(token: str) -> bool:
    try:
        return b":" in base64.b64decode(token[:1024], validate=True)
    except binascii.Error:
        return False


def _private_keys(text: str) -> str:
    """Scrub PEM blocks; one without an end reaches to the end of the text."""
    parts, at = [], 0
    while found := _PEM.search(text, at):
        end = text.find("-----END", found.end())
        closed = text.find("KEY-----", end) if end >= 0 else -1
        parts += [text[at : found.start()], SCRUBBED]
        at = closed + len("KEY-----") if closed >= 0 else len(text)
    return "".join((*parts, text[at:]))


def _jwts(text: str) -> str:
    return _JWT.sub(SCRUBBED, text)


def _userinfos(text: str) -> str:
    return _USERINFO.sub(rf"\1{SCRUBBED}@", text)


def _assignments(text: str) -> str:
    """Scrub ``token=…`` in addresses and forms, ``"password": "…"`` in JSON and its like."""
    parts, at = [], 0
    for found in _ASSIGNMENT.finditer(text):
        if not _is_secret(found[1][-MAX_NAME_CHARS:]) or found.start() < at:
            continue
        value = _ASSIGNED.match(text, found.end())
        if value and value[0].strip(" \\\"'").lower() not in _HARMLESS:
            opening = value[0][: len(value[0]) - len(value[0].lstrip(" \\\"'"))]
            parts += [text[at : found.end()], opening, SCRUBBED]
            at = value.end()
    return "".join((*parts, text[at:]))


def _cards(text: str) -> str:
    return _CARD.sub(_card, text)


def _card(found: re.Match[str]) -> str:
    return SCRUBBED if _is_card(found[0]) else found[0]


def _is_card(number: str) -> bool:
    """Say whether these digits are in a card scheme's range and pass Luhn's check."""
    digits = number.replace(" ", "").replace("-", "")
    if not digits.isascii() or not _ISSUED.fullmatch(digits):
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[::-2]))) % 10 == 0


_SCANNERS: tuple[tuple[Callable[[str], object], Callable[[str], str]], ...] = (
    # A cheap sign in the lower-cased text, and the scanner it calls for.
    (lambda hint: "private key-----" in hint, _private_keys),
    (lambda hint: "authorization:" in hint or "cookie:" in hint or "x-" in hint, _headers),
    (lambda hint: "eyj" in hint, _jwts),
    (lambda hint: "bearer " in hint or "basic " in hint, _schemes),
    (lambda hint: "://" in hint and "@" in hint, _userinfos),
    (lambda hint: "=" in hint or '":' in hint or "':" in hint or '" :' in hint, _assignments),
    (_LONG_DIGITS.search, _cards),
)
