"""What a User-Agent is for people."""

import pytest

from errorstack_live.agent import device

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
DEVICES = (
    ("", ""),
    ("curl/8.5.0", "curl/8.5.0"),
    ("python-requests/2.31 (odd)", "python-requests/2.31"),
    (f"{WINDOWS}Chrome/141.0.0.0 Safari/537.36", "Chrome 141 on Windows"),
    (f"{WINDOWS}Chrome/141.0.0.0 Safari/537.36 Edg/141.0.1", "Edge 141 on Windows"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
     "Firefox 144 on Linux"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
     "Version/18.5 Safari/605.1.15", "Safari 18 on macOS"),
    ("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
     "Chrome/141.0.0.0 Mobile Safari/537.36", "Chrome 141 on Android"),
    ("Mozilla/5.0 (compatible; odd)", "Mozilla/5.0"),
    ("x" * 1000, "x" * 60),
)  # fmt: skip


@pytest.mark.parametrize(("said", "shown"), DEVICES)
def test_devices(said: str, shown: str) -> None:
    assert device(said) == shown
