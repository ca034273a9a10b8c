"""The tokens of programs: what each allows, and until when; a token itself is known by its digest alone."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from xray_ai.domain.access import Permission
from xray_ai.records.tables import tokens as table


@dataclass(frozen=True, slots=True)
class Token:
    """What a program shows."""

    token_id: str
    name: str
    permissions: frozenset[Permission]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None


COLUMNS = tuple(table.c[name] for name in Token.__dataclass_fields__)


def add(connection: Connection, token: Token, digest: str) -> None:
    connection.execute(table.insert(), asdict(token) | {"digest": digest})


def find(connection: Connection, digest: str, now: datetime) -> Token | None:
    """The token of this digest; None where it is unknown, revoked or has expired."""
    wanted = table.c.digest == digest, table.c.expires_at > now
    row = connection.execute(select(*COLUMNS).where(*wanted)).one_or_none()
    return None if row is None else Token(**row._asdict())


def listed(connection: Connection) -> tuple[Token, ...]:
    """All of them, the newest first; those that have expired too."""
    order = table.c.created_at.desc(), table.c.token_id
    return tuple(Token(**row._asdict()) for row in connection.execute(select(*COLUMNS).order_by(*order)))


def note_use(connection: Connection, token_id: str, now: datetime) -> None:
    connection.execute(update(table).where(table.c.token_id == token_id).values(last_used_at=now))


def revoke(connection: Connection, token_id: str) -> str | None:
    """Remove a token; its name, or None where there is none."""
    removed = connection.execute(delete(table).where(table.c.token_id == token_id).returning(table.c.name))
    return removed.scalar_one_or_none()
