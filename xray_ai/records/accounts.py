"""The accounts of people: who they are, what they are here for, how they want their pages."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from xray_ai.domain.access import Role
from xray_ai.records.database import one_at_a_time
from xray_ai.records.tables import accounts as table


class NameTaken(Exception):
    """An account of this name is there already."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person."""

    name: str  # lower case; what one signs in with
    display_name: str
    role: Role
    is_active: bool
    created_at: datetime
    password_hash: str | None = field(default=None, repr=False)  # None: the invitation was not taken up yet
    language: str | None = None
    blind_mode: bool = False
    alerts: bool = False
    last_seen_at: datetime | None = None


COLUMNS = tuple(table.c[name] for name in Account.__dataclass_fields__)


def add(connection: Connection, account: Account) -> None:
    """Keep a new account. Raises NameTaken."""
    try:
        with connection.begin_nested():
            connection.execute(table.insert(), asdict(account))
    except IntegrityError as error:
        raise NameTaken from error


def are_none(connection: Connection) -> bool:
    """Whether nobody has an account yet."""
    return connection.execute(select(table.c.name).limit(1)).first() is None


def find(connection: Connection, name: str) -> Account | None:
    row = connection.execute(select(*COLUMNS).where(table.c.name == name.lower())).one_or_none()
    return None if row is None else Account(**row._asdict())


def listed(connection: Connection) -> tuple[Account, ...]:
    """All of them, by name."""
    return tuple(Account(**row._asdict()) for row in connection.execute(select(*COLUMNS).order_by(table.c.name)))


def change(connection: Connection, name: str, changes: Mapping[str, object]) -> bool:
    """Change some fields; False: there is no such account."""
    if not changes:
        return find(connection, name) is not None
    done = connection.execute(update(table).where(table.c.name == name.lower()).values(dict(changes)))
    return done.rowcount == 1


def hold(connection: Connection) -> None:
    """Let no one else change accounts until the transaction ends."""
    one_at_a_time(connection, table)


def administrators(connection: Connection) -> int:
    """How many can administer: active ones with a password."""
    able = table.c.role == Role.ADMINISTRATOR, table.c.is_active, table.c.password_hash.is_not(None)
    return connection.execute(select(func.count()).select_from(table).where(*able)).scalar_one()
