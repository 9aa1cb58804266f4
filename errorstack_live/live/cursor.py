"""Cursors: places in the stream that clients keep for us, signed so that they cannot make one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from itsdangerous import BadSignature, Signer

_HEX, _TEXT = "x", "t"


class Cursors:
    """Signs positions of the stream, and reads back only what the same secret has signed.

    All processes on one database share its secret, so a cursor works in each of them.
    """

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="cursor", key_derivation="hmac")
        # Views that are flushed together end at one position, which is signed once for all.
        self.sign = lru_cache(maxsize=64)(self._sign)

    def _sign(self, position: str) -> str:
        return self._signer.sign(_pack(position)).decode() if position else ""

    def read(self, cursor: str | None) -> str | None:
        """Return the position that a cursor stands for, None when it is not one of ours."""
        if not cursor:
            return None
        try:
            return _unpack(self._signer.unsign(cursor).decode())
        except (BadSignature, ValueError):
            return None


def _pack(position: str) -> str:
    """Resume tokens are upper-case hexadecimal: packed, each frame carries a third less of it."""
    try:
        raw = bytes.fromhex(position)
    except ValueError:
        raw = b""
    if raw.hex().upper() == position:
        return _HEX + _base64(raw)
    return _TEXT + _base64(position.encode())


def _unpack(packed: str) -> str:
    raw = urlsafe_b64decode(packed[1:] + "=" * (-len(packed[1:]) % 4))
    return raw.decode() if packed.startswith(_TEXT) else raw.hex().upper()


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
