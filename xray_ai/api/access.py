"""Who asks, and whether they may: people by their session, programs by their token; each route names a permission."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Response

from xray_ai.api.problems import Refused
from xray_ai.api.service import Operations, operations_of
from xray_ai.config import is_loopback
from xray_ai.credentials import digest_of
from xray_ai.domain.access import GRANTS, LOCAL, UNATTENDED, Caller, Permission, Role
from xray_ai.records import accounts, sessions, tokens
from xray_ai.records.accounts import Account
from xray_ai.records.database import reading, writing
from xray_ai.records.sessions import Session

UNAUTHORIZED, FORBIDDEN = 401, 403
BEARER = "Bearer "
COOKIE = "xray_ai_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
NOTED_AFTER = timedelta(minutes=1)  # so that not each request writes
LISTENING = "/api/events"  # a page that is left open listens on; that is no use of the session
SIGN_IN = "Sign in, or show a token as 'Authorization: Bearer'."
FROM_ELSEWHERE = ((403, "from_elsewhere", "Forbidden"), "A page of another site asked for this.")
CSRF_MISSING = (
    (403, "csrf_token", "Forbidden"),
    f"The header {CSRF_HEADER} is missing or is another.",
    "Take csrf_token from GET /api/session.",
)


def caller_of(request: Request) -> Caller:
    """Say who asks. Raises HTTPException for whom nobody knows, and Refused for who was led here by another site."""
    if "Authorization" in request.headers:
        return _by_token(request, operations_of(request))
    if COOKIE in request.cookies:
        session, account = signed_in(request)
        return Caller(session.account, account.role, GRANTS[account.role])
    return _local(request, operations_of(request))


@dataclass(frozen=True, slots=True)
class May:
    """A dependency of a route: who asks must be allowed this."""

    permission: Permission

    def __call__(self, request: Request) -> Caller:
        caller = caller_of(request)
        if self.permission not in caller.permissions:
            raise HTTPException(FORBIDDEN, f"This needs the permission {self.permission}.")
        return caller


def signed_in(request: Request) -> tuple[Session, Account]:
    """Tell whose session the cookie is; what changes something must show its CSRF token. Raises as caller_of does."""
    operations = operations_of(request)
    now = operations.now()
    with reading(operations.engine) as connection:
        found = sessions.find(connection, digest_of(request.cookies.get(COOKIE, "")), now, operations.lasting)
    if found is None:
        raise HTTPException(UNAUTHORIZED, SIGN_IN)
    session, account = found
    if request.method not in SAFE_METHODS:
        come_from_here(request)
        shown = request.headers.get(CSRF_HEADER, "")
        if not secrets.compare_digest(shown.encode(), session.csrf_token.encode()):
            raise Refused(*CSRF_MISSING)
    if now - session.used_at > NOTED_AFTER and request.url.path != LISTENING:
        with writing(operations.engine) as connection:
            sessions.note_use(connection, session, now)
    return session, account


SignedIn = Annotated[tuple[Session, Account], Depends(signed_in)]


def come_from_here(request: Request) -> None:
    """Let no page of another site change anything. Raises Refused."""
    origin = request.headers.get("Origin")
    is_other = origin is not None and urlsplit(origin).netloc != request.headers.get("Host")
    if is_other or request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise Refused(*FROM_ELSEWHERE)


def keep_out_of_caches(response: Response) -> None:
    """Let nobody between keep what names patients."""
    response.headers["Cache-Control"] = "no-store"


def _by_token(request: Request, operations: Operations) -> Caller:
    given = request.headers["Authorization"]
    shown = given.removeprefix(BEARER)
    configured: str | None = request.app.state.token
    if given.startswith(BEARER) and configured and secrets.compare_digest(shown.encode(), configured.encode()):
        return Caller("http.token", Role.SERVICE, UNATTENDED)
    now = operations.now()
    with reading(operations.engine) as connection:
        token = tokens.find(connection, digest_of(shown), now) if given.startswith(BEARER) else None
    if token is None:
        raise HTTPException(UNAUTHORIZED, SIGN_IN, {"WWW-Authenticate": "Bearer"})
    if token.last_used_at is None or now - token.last_used_at > NOTED_AFTER:
        with writing(operations.engine) as connection:
            tokens.note_use(connection, token.token_id, now)
    return Caller(token.name, Role.SERVICE, token.permissions)


def _local(request: Request, operations: Operations) -> Caller:
    """Let this machine in while nobody has an account and no token is set.

    A page from elsewhere that has a name of its own lead here (DNS rebinding) asks for that name, not for this machine.
    """
    with reading(operations.engine) as connection:
        is_closed = request.app.state.token is not None or not accounts.are_none(connection)
    if is_closed:
        raise HTTPException(UNAUTHORIZED, SIGN_IN, {"WWW-Authenticate": "Bearer"})
    if not is_loopback(request.url.hostname or ""):
        raise HTTPException(FORBIDDEN, "Without accounts and http.token only localhost is served, by that name.")
    if request.method not in SAFE_METHODS:
        come_from_here(request)
    return Caller("local", Role.SERVICE, LOCAL)
