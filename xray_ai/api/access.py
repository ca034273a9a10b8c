"""Who may ask: those on this machine, or those who hold the token; each route names what one must be allowed."""

import secrets
from dataclasses import dataclass

from fastapi import HTTPException, Request, Response

from xray_ai.config import is_loopback
from xray_ai.domain.access import Caller, Permission, Role

UNAUTHORIZED, FORBIDDEN = 401, 403
BEARER = "Bearer "


def hold_token(request: Request) -> None:
    """Let pass who shows the token in `Authorization: Bearer`; without a configured token, who asks this machine.

    A page from elsewhere that has a name of its own lead here (DNS rebinding) asks for that name, not for this machine.
    """
    token: str | None = request.app.state.token
    if token is None:
        if not is_loopback(request.url.hostname or ""):
            raise HTTPException(FORBIDDEN, "Without http.token only localhost is served. Ask for it by that name.")
        return
    shown = request.headers.get("Authorization", "")
    is_right = secrets.compare_digest(shown.removeprefix(BEARER).encode(), token.encode())
    if not shown.startswith(BEARER) or not is_right:
        raise HTTPException(
            UNAUTHORIZED, "Show the token of http.token as 'Authorization: Bearer'.", {"WWW-Authenticate": "Bearer"}
        )


def caller_of(request: Request) -> Caller:
    """Say who asks. Raises HTTPException for whom nobody knows."""
    hold_token(request)
    return Caller("local", Role.SERVICE, frozenset(Permission))


@dataclass(frozen=True, slots=True)
class May:
    """A dependency of a route: who asks must be allowed this."""

    permission: Permission

    def __call__(self, request: Request) -> Caller:
        caller = caller_of(request)
        if self.permission not in caller.permissions:
            raise HTTPException(FORBIDDEN, f"This needs the permission {self.permission}.")
        return caller


def keep_out_of_caches(response: Response) -> None:
    """Let nobody between keep what names patients."""
    response.headers["Cache-Control"] = "no-store"
