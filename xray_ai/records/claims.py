"""Who reads a study: one reader claims it, gives it back or finishes it; two never have it at once."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, select, update
from sqlalchemy.sql.elements import ColumnElement

from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records.studies import NEXT_VERSION
from xray_ai.records.tables import accounts
from xray_ai.records.tables import studies as table


def claim(connection: Connection, uid: StudyInstanceUID, account: str, now: datetime) -> bool:
    """Give a study to a reader; False: somebody else has it, or it is finished."""
    is_free = table.c.reader.is_(None)
    values = {"reader": account, "reader_since": now, "version": NEXT_VERSION}
    return _changed(connection, uid, is_free, values) or _is_held(connection, uid, account)


def release(connection: Connection, uid: StudyInstanceUID, account: str | None) -> bool:
    """Let a study wait again; with an account, only where that one has it."""
    is_theirs = table.c.reader.is_not(None) if account is None else table.c.reader == account
    values = {"reader": None, "reader_since": None, "is_finished": False, "version": NEXT_VERSION}
    return _changed(connection, uid, is_theirs, values)


def finish(connection: Connection, uid: StudyInstanceUID, account: str, now: datetime) -> bool:
    """Note that the reader who has a study is done with it; False: they do not have it."""
    values = {"is_finished": True, "reader_since": now, "version": NEXT_VERSION}
    is_theirs = and_(table.c.reader == account, table.c.is_finished.is_(False))
    return _changed(connection, uid, is_theirs, values)


def display_names(connection: Connection, readers: Iterable[str]) -> dict[str, str]:
    """What those accounts call themselves."""
    wanted = accounts.c.name.in_(tuple(set(readers)))
    rows = connection.execute(select(accounts.c.name, accounts.c.display_name).where(wanted))
    return {row.name: row.display_name for row in rows}


def _changed(
    connection: Connection, uid: StudyInstanceUID, is_so: ColumnElement[bool], values: Mapping[str, object]
) -> bool:
    changed = update(table).where(table.c.study_instance_uid == uid, is_so).values(**values)
    return connection.execute(changed).rowcount == 1


def _is_held(connection: Connection, uid: StudyInstanceUID, account: str) -> bool:
    held = table.c.study_instance_uid == uid, table.c.reader == account, table.c.is_finished.is_(False)
    return connection.execute(select(table.c.reader).where(*held)).first() is not None
