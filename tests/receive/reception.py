"""An intake on an empty disk and SQLite, and what tests ask of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, select

from tests.factories import as_part10
from tests.records.databases import upgraded
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Receipt, Route, Sender
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.objects import LocalObjects
from xray_ai.receive.intake import Intake, IntakeRefusalCode, IntakeRefused, ReadQueue, Watermark
from xray_ai.records import hops, received_instances, studies
from xray_ai.records.database import reading, writing
from xray_ai.records.received_instances import ReceivedInstance
from xray_ai.records.studies import Study
from xray_ai.records.words import HopKind

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
IMAGE = SOPInstanceUID("1.2.826.0.1.3680043.10.1")  # what `a_dataset` makes
STUDY = StudyInstanceUID("1.2.826.0.1.3680043.10.2")
MODALITY = Sender("MODALITY", "XRAY_AI", "10.0.0.5", Route.C_STORE)
NO_WATERMARK = Watermark(0.0, 0)

enqueued = Table("enqueued", MetaData(), Column("uid", String), Column("priority", Integer))


def enqueue(connection: Connection, uid: SOPInstanceUID, priority: Priority) -> None:
    connection.execute(enqueued.insert().values(uid=uid, priority=int(priority)))


@dataclass(frozen=True, slots=True)
class Reception:
    """An intake and what it works on."""

    root: Path
    engine: Engine
    objects: LocalObjects
    intake: Intake

    def send(self, content: Dataset | bytes, sender: Sender = MODALITY) -> Receipt:
        whole = content if isinstance(content, bytes) else as_part10(content)
        with self.intake.open() as incoming:
            for start in range(0, len(whole), 100_000):
                incoming.write(memoryview(whole)[start : start + 100_000])
            return self.intake.take(incoming, sender)

    def enqueued(self) -> list[tuple[str, int]]:
        with reading(self.engine) as connection:
            return [(uid, priority) for uid, priority in connection.execute(select(enqueued))]

    def versions(self, uid: SOPInstanceUID = IMAGE) -> tuple[ReceivedInstance, ...]:
        with reading(self.engine) as connection:
            return received_instances.versions_of(connection, uid)

    def study(self, uid: StudyInstanceUID = STUDY) -> Study | None:
        with reading(self.engine) as connection:
            return studies.find(connection, uid)

    def way(self, uid: StudyInstanceUID = STUDY) -> list[HopKind]:
        with reading(self.engine) as connection:
            return [hop.what for hop in hops.way_of(connection, uid)]

    def kept(self) -> set[str]:
        return {path.name for path in (self.root / "objects").rglob("*") if path.is_file()}

    def leftovers(self) -> list[str]:
        return [path.name for path in (self.root / "incoming").iterdir()]


@contextmanager
def a_reception(root: Path, url: str | None = None, watermark: Watermark = NO_WATERMARK) -> Iterator[Reception]:
    """Open an intake; the clock stands still."""
    with upgraded(url or f"sqlite:///{root}/records.sqlite") as engine:
        with writing(engine) as connection:
            enqueued.create(connection, checkfirst=True)
        objects = LocalObjects(root)
        intake = Intake(objects, engine, ReadQueue(enqueue, lambda: None), lambda: NOW, watermark)
        yield Reception(root, engine, objects, intake)
        intake.close()
        objects.close()


def refusal_of(send: Callable[[], Receipt]) -> IntakeRefusalCode:
    with pytest.raises(IntakeRefused) as refusal:
        send()
    return refusal.value.code
