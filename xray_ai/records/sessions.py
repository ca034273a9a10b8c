"""Who is signed in, and who was invited to choose a password; secrets are known here by their digests alone."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from xray_ai.records import accounts
from xray_ai.records.accounts import Account
from xray_ai.records.tables import invitations
from xray_ai.records.tables import sessions as table


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in."""

    digest: str  # SHA-256 of the secret in the cookie
    account: str
    csrf_token: str = field(repr=False)
    opened_at: datetime
    used_at: datetime


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long a session lasts."""

    unused: timedelta
    at_most: timedelta


COLUMNS = tuple(table.c[name] for name in Session.__dataclass_fields__)


def open_session(connection: Connection, session: Session) -> None:
    connection.execute(table.insert(), asdict(session))


def find(connection: Connection, digest: str, now: datetime, lasting: Lasting) -> tuple[Session, Account] | None:
    """The session and whose it is; None where it has ended or the account is closed."""
    valid = table.c.used_at > now - lasting.unused, table.c.opened_at > now - lasting.at_most
    row = connection.execute(select(*COLUMNS).where(table.c.digest == digest, *valid)).one_or_none()
    if row is None:
        return None
    session = Session(**row._asdict())
    account = accounts.find(connection, session.account)
    return (session, account) if account is not None and account.is_active else None


def note_use(connection: Connection, session: Session, now: datetime) -> None:
    """Let the session last on from now."""
    connection.execute(update(table).where(table.c.digest == session.digest).values(used_at=now))
    accounts.change(connection, session.account, {"last_seen_at": now})


def close(connection: Connection, digest: str) -> None:
    connection.execute(delete(table).where(table.c.digest == digest))


def close_all_of(connection: Connection, account: str, *, but: str = "") -> None:
    """Sign somebody out everywhere, but in one session perhaps."""
    connection.execute(delete(table).where(table.c.account == account, table.c.digest != but))


def forget_ended(connection: Connection, now: datetime, lasting: Lasting) -> None:
    """Remove sessions and invitations that nobody can use any more."""
    ended = (table.c.used_at <= now - lasting.unused) | (table.c.opened_at <= now - lasting.at_most)
    connection.execute(delete(table).where(ended))
    connection.execute(delete(invitations).where(invitations.c.expires_at <= now))


def invite(connection: Connection, account: str, digest: str, expires_at: datetime) -> None:
    """Let somebody choose a password, once; an earlier invitation no longer holds."""
    connection.execute(delete(invitations).where(invitations.c.account == account))
    connection.execute(invitations.insert(), {"account": account, "digest": digest, "expires_at": expires_at})


def redeem(connection: Connection, digest: str, now: datetime) -> str | None:
    """Use up an invitation; the name of the account, or None where it is unknown, used or too old."""
    wanted = invitations.c.digest == digest, invitations.c.expires_at > now
    used = connection.execute(delete(invitations).where(*wanted).returning(invitations.c.account))
    return used.scalar_one_or_none()
