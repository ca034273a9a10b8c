"""/api/accounts, /api/tokens and /api/audit: who may come in, and what was done."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, status
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from xray_ai.api.access import May
from xray_ai.api.problems import NotHere, Refused
from xray_ai.api.service import Operations, Service
from xray_ai.api.wire import Limit, Offset
from xray_ai.credentials import digest_of, new_secret
from xray_ai.domain.access import Caller, Permission, Role
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records import accounts, audit, sessions, tokens
from xray_ai.records.accounts import Account, NameTaken
from xray_ai.records.audit import AuditEntry, AuditPage, AuditQuery
from xray_ai.records.database import reading, writing
from xray_ai.records.tokens import Token
from xray_ai.records.words import AuditAction

router = APIRouter(prefix="/api", tags=["accounts"])

Manager = Annotated[Caller, Depends(May(Permission.MANAGE_ACCOUNTS))]
Auditor = Annotated[Caller, Depends(May(Permission.SEE_AUDIT))]
NAME = r"^[a-z0-9][a-z0-9._@-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME, description="Small letters, digits and . _ @ -")]
NameInPath = Annotated[str, Path(pattern=NAME, description="Of the account.")]
TokenId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="As GET /api/tokens tells it.")]
DisplayName = Annotated[str, Field(min_length=1, max_length=128)]
MOST_DAYS = 3660
NO_ACCOUNT = "There is no such account."


class _Told(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ListedAccount(_Told):
    """One person."""

    name: str
    display_name: str
    role: Role
    is_active: bool
    created_at: datetime
    last_seen_at: datetime | None


class Accounts(BaseModel):
    """All of them, by name."""

    items: tuple[ListedAccount, ...]


class NewAccount(BaseModel):
    """Whom to let in."""

    name: Name
    display_name: DisplayName
    role: Annotated[Role, Field(description="radiologist, administrator or researcher; programs get tokens.")]


class Invited(BaseModel):
    """Somebody who may choose a password, once, with this token."""

    account: ListedAccount
    token: str = Field(repr=False)  # shown now and never again
    expires_at: datetime


class AccountChange(BaseModel):
    """What to change; what is absent stays."""

    display_name: DisplayName | None = None
    role: Role | None = None
    is_active: bool | None = None


class ListedToken(_Told):
    """What a program may do, and until when."""

    token_id: str
    name: str
    permissions: frozenset[Permission]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class Tokens(BaseModel):
    """All of them, the newest first."""

    items: tuple[ListedToken, ...]


class NewToken(BaseModel):
    """What a program needs."""

    name: DisplayName
    permissions: Annotated[frozenset[Permission], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = 365


class MadeToken(ListedToken):
    """A token, shown now and never again."""

    token: str = Field(repr=False)


class ListedEntry(_Told):
    """One line of the audit trail."""

    at: datetime
    who: str
    action: AuditAction
    study_instance_uid: StudyInstanceUID | None
    detail: str


class Trail(BaseModel):
    """A part of the audit trail, and how many lines the whole has."""

    total: int
    items: tuple[ListedEntry, ...]

    @classmethod
    def of(cls, page: AuditPage) -> "Trail":
        return cls(total=page.total, items=tuple(ListedEntry.model_validate(one) for one in page.items))


@router.get("/accounts", summary="Who has an account")
def listed(service: Service, _manager: Manager) -> Accounts:
    with reading(service.engine) as connection:
        return Accounts(items=tuple(ListedAccount.model_validate(one) for one in accounts.listed(connection)))


@router.post("/accounts", status_code=status.HTTP_201_CREATED, summary="Let somebody in, by invitation")
def add(service: Service, manager: Manager, new: NewAccount) -> Invited:
    _be_of_a_person(new.role)
    account = Account(new.name, new.display_name, new.role, is_active=True, created_at=service.now())
    with writing(service.engine) as connection:
        try:
            accounts.add(connection, account)
        except NameTaken as error:
            kind = (409, "name_taken", "Conflict")
            raise Refused(kind, "An account of this name is there already.", "Choose another name.") from error
        _note(connection, service, manager, AuditAction.ACCOUNT_ADDED, f"{account.name} {account.role}")
        return _invited(connection, service, account)


@router.patch("/accounts/{name}", summary="Change a role or a display name; close an account or open it again")
def change(service: Service, manager: Manager, name: NameInPath, wanted: AccountChange) -> ListedAccount:
    changes: Mapping[str, object] = wanted.model_dump(exclude_none=True)
    if wanted.role is not None:
        _be_of_a_person(wanted.role)
    with writing(service.engine) as connection:
        accounts.hold(connection)
        before = accounts.administrators(connection)
        if not accounts.change(connection, name, changes):
            raise NotHere(NO_ACCOUNT)
        if before and not accounts.administrators(connection):
            raise Refused(
                (409, "last_administrator", "Conflict"), "Nobody could administer any more.", "Name another one first."
            )
        if wanted.role is not None or wanted.is_active is False:
            sessions.close_all_of(connection, name)
        _note(connection, service, manager, AuditAction.ACCOUNT_CHANGED, f"{name} {' '.join(sorted(changes))}")
        return ListedAccount.model_validate(accounts.find(connection, name))


@router.post("/accounts/{name}/invitation", status_code=status.HTTP_201_CREATED, summary="Let somebody choose anew")
def invite(service: Service, manager: Manager, name: NameInPath) -> Invited:
    with writing(service.engine) as connection:
        account = accounts.find(connection, name)
        if account is None:
            raise NotHere(NO_ACCOUNT)
        _note(connection, service, manager, AuditAction.ACCOUNT_INVITED, name)
        return _invited(connection, service, account)


@router.get("/tokens", summary="Which programs may ask")
def listed_tokens(service: Service, _manager: Manager) -> Tokens:
    with reading(service.engine) as connection:
        return Tokens(items=tuple(ListedToken.model_validate(one) for one in tokens.listed(connection)))


@router.post("/tokens", status_code=status.HTTP_201_CREATED, summary="Make a token for a program; shown once")
def make_token(service: Service, manager: Manager, new: NewToken) -> MadeToken:
    if not new.permissions <= manager.permissions:
        raise Refused((403, "forbidden", "Forbidden"), "A token may do no more than who makes it.")
    secret, now = new_secret(), service.now()
    expires_at = now + timedelta(days=new.days)
    token = Token(secrets.token_hex(8), new.name, new.permissions, manager.name, now, expires_at)
    with writing(service.engine) as connection:
        tokens.add(connection, token, digest_of(secret))
        _note(connection, service, manager, AuditAction.TOKEN_MADE, token.token_id)
    return MadeToken(**ListedToken.model_validate(token).model_dump(), token=secret)


@router.delete("/tokens/{token_id}", status_code=status.HTTP_204_NO_CONTENT, summary="Revoke a token")
def revoke_token(service: Service, manager: Manager, token_id: TokenId) -> None:
    with writing(service.engine) as connection:
        if tokens.revoke(connection, token_id) is None:
            raise NotHere("There is no such token.")
        _note(connection, service, manager, AuditAction.TOKEN_REVOKED, token_id)


@router.get("/audit", summary="Who did what, and saw which study; the newest first")
def trail(
    service: Service,
    _auditor: Auditor,
    limit: Limit = 50,
    offset: Offset = 0,
    study: Annotated[str | None, Query(pattern=r"^[0-9.]{1,64}$", description="Study Instance UID.")] = None,
    who: Annotated[str | None, Query(max_length=128, description="An account, or the name of a token.")] = None,
) -> Trail:
    uid = None if study is None else StudyInstanceUID(study)
    with reading(service.engine) as connection:
        return Trail.of(audit.page(connection, AuditQuery(limit, offset, uid, who)))


def _be_of_a_person(role: Role) -> None:
    if role is Role.SERVICE:
        raise Refused((422, "wrong_request", "Wrong request"), "Programs have no accounts.", "Make a token for it.")


def _invited(connection: Connection, service: Operations, account: Account) -> Invited:
    secret, expires_at = new_secret(), service.now() + service.invitation_lasts
    sessions.invite(connection, account.name, digest_of(secret), expires_at)
    return Invited(account=ListedAccount.model_validate(account), token=secret, expires_at=expires_at)


def _note(connection: Connection, service: Operations, who: Caller, action: AuditAction, detail: str) -> None:
    audit.note(connection, AuditEntry(service.now(), who.name, action, detail=detail))
