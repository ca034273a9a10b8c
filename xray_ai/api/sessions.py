"""/api/session: sign in, who am I, how I want my pages, sign out; /api/setup: choose a password by invitation."""

import math
from datetime import timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from xray_ai.api.access import COOKIE, SignedIn, come_from_here
from xray_ai.api.problems import Refused
from xray_ai.api.service import Operations, Service
from xray_ai.api.sign_in_limit import SignInLimit
from xray_ai.credentials import LONGEST_PASSWORD, SHORTEST_PASSWORD, digest_of, hash_of, is_right, new_secret
from xray_ai.domain.access import GRANTS, Permission, Role
from xray_ai.records import accounts, audit, sessions
from xray_ai.records.accounts import Account
from xray_ai.records.audit import AuditEntry
from xray_ai.records.database import reading, writing
from xray_ai.records.sessions import Session
from xray_ai.records.words import AuditAction

router = APIRouter(prefix="/api", tags=["session"])

WRONG = ((401, "wrong_password", "Not signed in"), "The name or the password is wrong.")
NO_INVITATION = (
    (410, "invitation_over", "Gone"),
    "This invitation was used, or has expired.",
    "Ask an administrator for another.",
)
Name = Annotated[str, Field(max_length=64)]
Password = Annotated[str, Field(max_length=LONGEST_PASSWORD, repr=False)]
NewPassword = Annotated[str, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD, repr=False)]


class Credentials(BaseModel):
    """What one signs in with."""

    name: Name
    password: Password


class Me(BaseModel):
    """Who is signed in."""

    name: str
    display_name: str
    role: Role
    permissions: tuple[Permission, ...]
    language: str | None  # null: as the browser asks for it
    blind_mode: bool
    alerts: bool
    csrf_token: str = Field(repr=False)  # what each change must show as X-CSRF-Token

    @classmethod
    def of(cls, session: Session, account: Account) -> Self:
        return cls(
            name=account.name,
            display_name=account.display_name,
            role=account.role,
            permissions=tuple(sorted(GRANTS[account.role])),
            language=account.language,
            blind_mode=account.blind_mode,
            alerts=account.alerts,
            csrf_token=session.csrf_token,
        )


class Wishes(BaseModel):
    """How somebody wants the pages; what is absent stays."""

    language: Annotated[str | None, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=16)] = None
    blind_mode: bool | None = None
    alerts: bool | None = None


class PasswordChange(BaseModel):
    """The old one, and the new one."""

    old: Password
    new: NewPassword


class Setup(BaseModel):
    """Whether the first administrator is still to be made."""

    is_needed: bool


class TakenUp(BaseModel):
    """An invitation, and the password that was chosen."""

    token: Annotated[str, Field(max_length=128, repr=False)]
    password: NewPassword


def limit_of(request: Request) -> SignInLimit:
    limit: SignInLimit = request.app.state.sign_in_limit
    return limit


@router.get("/session", summary="Who is signed in")
def session(signed_in: SignedIn) -> Me:
    return Me.of(*signed_in)


@router.post("/session", summary="Sign in")
def sign_in(
    service: Service,
    request: Request,
    response: Response,
    shown: Credentials,
    limit: Annotated[SignInLimit, Depends(limit_of)],
) -> Me:
    come_from_here(request)
    name, address = shown.name.lower(), request.client.host if request.client else ""
    wait_s = math.ceil(limit.wait_s(name, address))
    if wait_s:
        kind = (429, "too_many_attempts", "Too many attempts")
        raise Refused(kind, "Too many failed attempts.", f"Wait {wait_s} seconds.", {"Retry-After": str(wait_s)})
    with reading(service.engine) as connection:
        account = accounts.find(connection, name)
    if not is_right(shown.password, account.password_hash if account and account.is_active else None) or not account:
        limit.failed(name, address)
        with writing(service.engine) as connection:
            who = account.name if account else "unknown"  # never what was typed: it may be a password
            audit.note(connection, AuditEntry(service.now(), who, AuditAction.SIGN_IN_FAILED))
        raise Refused(*WRONG)
    limit.succeeded(name, address)
    return _opened(service, request, response, account)


@router.delete("/session", status_code=status.HTTP_204_NO_CONTENT, summary="Sign out")
def sign_out(service: Service, signed_in: SignedIn, response: Response) -> None:
    with writing(service.engine) as connection:
        sessions.close(connection, signed_in[0].digest)
        audit.note(connection, AuditEntry(service.now(), signed_in[0].account, AuditAction.SIGNED_OUT))
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.patch("/session", summary="Choose language, blind mode and alerts")
def wish(service: Service, signed_in: SignedIn, wishes: Wishes) -> Me:
    session, account = signed_in
    with writing(service.engine) as connection:
        accounts.change(connection, account.name, wishes.model_dump(exclude_none=True))
        changed = accounts.find(connection, account.name)
    return Me.of(session, changed or account)


@router.post("/session/password", status_code=status.HTTP_204_NO_CONTENT, summary="Choose another password")
def change_password(service: Service, signed_in: SignedIn, change: PasswordChange) -> None:
    session, account = signed_in
    if not is_right(change.old, account.password_hash):
        raise Refused((403, "wrong_password", "Forbidden"), "The old password is wrong.")
    kept = hash_of(change.new)
    with writing(service.engine) as connection:
        accounts.change(connection, account.name, {"password_hash": kept})
        sessions.close_all_of(connection, account.name, but=session.digest)
        audit.note(connection, AuditEntry(service.now(), account.name, AuditAction.PASSWORD_CHANGED))


@router.get("/setup", summary="Whether the first administrator is still to be made")
def setup(service: Service) -> Setup:
    with reading(service.engine) as connection:
        return Setup(is_needed=accounts.administrators(connection) == 0)


@router.post("/setup", summary="Take up an invitation: choose a password, and be signed in")
def take_up(service: Service, request: Request, response: Response, taken_up: TakenUp) -> Me:
    come_from_here(request)
    kept = hash_of(taken_up.password)
    with writing(service.engine) as connection:
        account = _invited(connection, taken_up.token, service)
        accounts.change(connection, account.name, {"password_hash": kept})
        sessions.close_all_of(connection, account.name)
        audit.note(connection, AuditEntry(service.now(), account.name, AuditAction.PASSWORD_CHANGED))
    return _opened(service, request, response, account)


def _invited(connection: Connection, token: str, service: Operations) -> Account:
    name = sessions.redeem(connection, digest_of(token), service.now())
    account = accounts.find(connection, name) if name is not None else None
    if account is None or not account.is_active:
        raise Refused(*NO_INVITATION)
    return account


def _opened(service: Operations, request: Request, response: Response, account: Account) -> Me:
    """Open a session under a new secret, whatever cookie the browser showed before."""
    secret, now = new_secret(), service.now()
    opened = Session(digest_of(secret), account.name, new_secret(), now, now)
    with writing(service.engine) as connection:
        sessions.forget_ended(connection, now, service.lasting)
        sessions.close(connection, digest_of(request.cookies.get(COOKIE, "")))
        sessions.open_session(connection, opened)
        accounts.change(connection, account.name, {"last_seen_at": now})
        audit.note(connection, AuditEntry(now, account.name, AuditAction.SIGNED_IN))
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(service.lasting.at_most / timedelta(seconds=1)),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return Me.of(opened, account)
