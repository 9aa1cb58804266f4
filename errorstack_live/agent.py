"""What a User-Agent says in a word or two: the browser and its system, or the program."""

import re
from functools import lru_cache
from typing import Final

MAX_CHARS = 512
"""Of a User-Agent, so much is looked at."""
MAX_WORD_CHARS = 60

# The first that is found counts: Edge and Opera also call themselves Chrome, and all Safari.
_BROWSERS: Final = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"\b(?:HeadlessChrome|Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)\S* (?:Mobile/\S+ )?Safari/")),
)
_SYSTEMS: Final = (
    ("iPhone", re.compile(r"\biPhone\b")),
    ("iPad", re.compile(r"\biPad\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMac OS X\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)
_PRODUCT: Final = re.compile(r"[^\s;()]+")


def device(user_agent: str) -> str:
    """``Chrome 141 on Windows``, ``curl/8.5.0``; empty for an empty one."""
    return _device(user_agent[:MAX_CHARS])


@lru_cache(maxsize=1024)
def _device(user_agent: str) -> str:
    browser = next(
        (
            f"{name} {found[1]}"
            for name, pattern in _BROWSERS
            if (found := pattern.search(user_agent))
        ),
        "",
    )
    if browser:
        system = next((name for name, each in _SYSTEMS if each.search(user_agent)), "")
        return f"{browser} on {system}" if system else browser
    product = _PRODUCT.search(user_agent)
    return product.group()[:MAX_WORD_CHARS] if product else ""
