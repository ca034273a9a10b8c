"""People with accounts, signed in at the HTTP edge as a browser would be."""

from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.edge import of
from tests.records.rows import NOW
from xray_ai.api.access import CSRF_HEADER
from xray_ai.credentials import digest_of, hash_of
from xray_ai.domain.access import Permission, Role
from xray_ai.records import accounts, tokens
from xray_ai.records.accounts import Account
from xray_ai.records.database import writing
from xray_ai.records.tokens import Token

PASSWORD = "a horse that staples"  # noqa: S105 - of nobody
KEPT = hash_of(PASSWORD)


def enrol(engine: Engine, name: str, role: Role = Role.RADIOLOGIST) -> None:
    """Give somebody an account with PASSWORD."""
    with writing(engine) as connection:
        accounts.add(connection, Account(name, name.title(), role, is_active=True, created_at=NOW, password_hash=KEPT))


def sign_in(client: TestClient, name: str) -> TestClient:
    """Let a browser hold the session and show its CSRF token with each request."""
    me = of(client.post("/api/session", json={"name": name, "password": PASSWORD}))
    client.headers[CSRF_HEADER] = me["csrf_token"]
    return client


def hand_out(engine: Engine, secret: str, *permissions: Permission, days: float = 1) -> None:
    """Make a token that is this secret."""
    token = Token(secret, "RIS", frozenset(permissions), "maria", NOW, NOW + timedelta(days=days))
    with writing(engine) as connection:
        tokens.add(connection, token, digest_of(secret))
