"""Tokens, signatures and the server's one secret."""

import hashlib
import hmac
import secrets as random_source


class Secret:
    """The server's secret key. Everything it signs is bound to a purpose."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, purpose: str, value: bytes) -> bytes:
        """32 bytes of HMAC-SHA256 over ``value`` for one purpose."""
        return hmac.new(self._key, purpose.encode() + b"\0" + value, hashlib.sha256).digest()

    def token_hash(self, token: str) -> str:
        """What is stored of a token, in hex; the token itself never is."""
        return self.digest("token", token.encode("utf-8", "replace")).hex()


def new_token() -> str:
    """An opaque token of 256 random bits."""
    return random_source.token_urlsafe(32)
