"""Who may ask: those on this machine, or those who hold the token."""

import ipaddress
import secrets
from typing import Annotated

from fastapi import Depends, HTTPException, Request

UNAUTHORIZED = 401


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hold_token(request: Request) -> None:
    """Let pass who shows the token in `Authorization: Bearer`; without a configured token everyone who gets here."""
    token: str | None = request.app.state.token
    if token is None:
        return
    shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(shown.encode(), token.encode()):
        raise HTTPException(
            UNAUTHORIZED, "Show the token of http.token as 'Authorization: Bearer'.", {"WWW-Authenticate": "Bearer"}
        )


Holder = Annotated[None, Depends(hold_token)]
