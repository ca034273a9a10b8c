"""The audit trail: who did what, and saw which study. Rows are added, never changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records.tables import LONGEST_DISPLAY_NAME
from xray_ai.records.tables import audit as table
from xray_ai.records.words import AuditAction


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail."""

    at: datetime
    who: str  # an account, or a token's name
    action: AuditAction
    study_instance_uid: StudyInstanceUID | None = None
    detail: str = ""  # whom or what it was done to; never a patient


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A part of the trail, and how many lines the whole has."""

    total: int
    items: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which part of the trail; the newest first."""

    limit: int
    offset: int = 0
    study: StudyInstanceUID | None = None
    who: str | None = None


COLUMNS = tuple(table.c[name] for name in AuditEntry.__dataclass_fields__)


def note(connection: Connection, entry: AuditEntry) -> None:
    """Add a line."""
    values = {
        "at": entry.at,
        "who": entry.who[:LONGEST_DISPLAY_NAME],
        "action": entry.action,
        "study_instance_uid": entry.study_instance_uid,
        "detail": entry.detail,
    }
    connection.execute(table.insert(), values)


def page(connection: Connection, query: AuditQuery) -> AuditPage:
    """List lines, the newest first."""
    wanted = []
    if query.study is not None:
        wanted.append(table.c.study_instance_uid == query.study)
    if query.who is not None:
        wanted.append(table.c.who == query.who)
    total = connection.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one()
    rows = connection.execute(
        select(*COLUMNS).where(*wanted).order_by(table.c.number.desc()).limit(query.limit).offset(query.offset)
    )
    return AuditPage(total, tuple(AuditEntry(**row._asdict()) for row in rows))
