"""Where a study has been, with time and reason: 'where is my study?'."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.records.tables import hops as table
from xray_ai.records.words import HopKind


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a study; its reason knows no patient."""

    study_instance_uid: StudyInstanceUID
    at: datetime
    what: HopKind
    reason: str
    sop_instance_uid: SOPInstanceUID | None = None  # None: it concerns the whole study


COLUMNS = tuple(table.c[name] for name in Hop.__dataclass_fields__)
JUDGEMENTS = (HopKind.READ, HopKind.NOT_READ)
INSERT = table.insert().returning(table.c.number)


def add(connection: Connection, hop: Hop) -> int:
    """Note a step; answers with its number, higher than that of each earlier one."""
    number: int = connection.execute(INSERT, asdict(hop)).scalar_one()
    return number


def last_judgement(connection: Connection, study: StudyInstanceUID) -> int:
    """The number of the last step at which an image of the study was read or refused; 0 where none was."""
    wanted = table.c.study_instance_uid == study, table.c.what.in_(JUDGEMENTS)
    return int(connection.execute(select(func.coalesce(func.max(table.c.number), 0)).where(*wanted)).scalar_one())


def way_of(connection: Connection, study: StudyInstanceUID) -> tuple[Hop, ...]:
    """A study's steps in the order in which they were recorded, whatever the clock said."""
    query = select(*COLUMNS).where(table.c.study_instance_uid == study).order_by(table.c.number)
    return tuple(Hop(**row._asdict()) for row in connection.execute(query))
