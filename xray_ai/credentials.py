"""Passwords and secrets: how they are made, and what is kept of them instead."""

import hashlib
import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256  # characters; NIST SP 800-63B asks for length, not for classes
AT_ONCE = 2  # checks of passwords: each takes 19 MiB and a core

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's least for Argon2id
_turnstile = threading.Semaphore(AT_ONCE)


def hash_of(password: str) -> str:
    """What is kept of a password: Argon2id with a salt of its own (RFC 9106)."""
    with _turnstile:
        return _hasher.hash(password)


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password; as slow where none is kept, so that a stopwatch tells no names."""
    with _turnstile:
        try:
            _hasher.verify(kept or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept)


def new_secret() -> str:
    """256 bits that nobody guesses, for cookies, links and headers."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of such a secret; it is long enough to need no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _nobodys() -> str:
    return _hasher.hash(new_secret())
