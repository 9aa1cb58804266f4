"""The script that watches web pages: its released versions, each for ever at an address of its own.

Pages name a version together with its hash (SRI), so a release is never changed nor taken away.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "clients" / "beacon"
"""Packed from ``clients/javascript/released`` by ``scripts/pack-clients``."""
NEWEST_S = 3600
"""Browsers may keep the newest script this long; a new version is on every page within the hour."""
RELEASE_S = 31_536_000

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Script:
    """One version as it is sent; ``packed`` is its gzip form, ``caching`` for how long."""

    content: bytes
    packed: bytes
    tag: bytes
    caching: bytes

    def answer(self, headers: Mapping[bytes, bytes]) -> tuple[int, Headers, bytes]:
        """Status, headers and content for a request with these headers."""
        told = [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"cache-control", self.caching),
            (b"etag", self.tag),
            (b"vary", b"Accept-Encoding"),
            (b"access-control-allow-origin", b"*"),  # for pages that check its integrity
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if self.tag in headers.get(b"if-none-match", b""):
            return 304, told, b""
        if b"gzip" in headers.get(b"accept-encoding", b""):
            return 200, [*told, (b"content-encoding", b"gzip")], self.packed
        return 200, told, self.content


def scripts(folder: Path = FOLDER) -> dict[str, Script]:
    """Each script by its path: the newest as ``/beacon.js``, and every release."""
    released = sorted(folder.glob("*.js"), key=lambda path: _version(path.stem))
    found = {
        f"/beacon/{path.name}": _read(path, b"public, max-age=%d, immutable" % RELEASE_S)
        for path in released
    }
    if released:
        found["/beacon.js"] = _read(released[-1], b"public, max-age=%d" % NEWEST_S)
    return found


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _read(path: Path, caching: bytes) -> Script:
    content = path.read_bytes()
    tag = hashlib.sha256(content).hexdigest()[:20]
    # Weak: the same script, whether packed or not.
    return Script(content, gzip.compress(content, mtime=0), f'W/"{tag}"'.encode(), caching)
