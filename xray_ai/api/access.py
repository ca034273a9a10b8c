"""Who may ask: those on this machine, or those who hold the token."""

import secrets
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response

from xray_ai.config import is_loopback

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


def keep_out_of_caches(response: Response) -> None:
    """Let nobody between keep what names patients."""
    response.headers["Cache-Control"] = "no-store"


Holder = Annotated[None, Depends(hold_token)]
