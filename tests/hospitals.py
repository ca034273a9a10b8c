"""A whole site on an empty disk and SQLite, whose steps run one after the other, by a clock of its own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from pydicom.dataset import Dataset
from sqlalchemy import JSON, Column, Connection, Engine, Float, Integer, MetaData, String, Table, select

from tests.factories import an_acceptance, as_part10
from tests.packs import TinyFinding, a_pack, absent, present
from tests.receive.reception import NOW, STUDY
from tests.records.databases import upgraded
from tests.scope_packs import ALL_IS_WELL, a_gated_reader
from xray_ai.deliver.back_off import BackOff
from xray_ai.deliver.destinations import Destination
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import Receipt, Route, Sender
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.durable import Job, Jobs, Workflow
from xray_ai.objects import LocalObjects
from xray_ai.pipeline import Site
from xray_ai.reading_room import ReadingRoom
from xray_ai.receive.intake import Intake, ReadQueue, Watermark
from xray_ai.records import deliveries, evidence, hops, studies
from xray_ai.records.database import reading, writing
from xray_ai.records.deliveries import Delivery
from xray_ai.records.evidence import RecordedEvidence
from xray_ai.records.hops import Hop
from xray_ai.records.studies import Study
from xray_ai.service import PATH
from xray_ai.setbacks import take_up_again
from xray_ai.triage import TriagePolicy

MODALITY = Sender("MODALITY", "XRAY_AI", "10.0.0.5", Route.C_STORE)
POLICY = TriagePolicy.parse('name = "test"\n[priorities]\nmass = "HIGH"\npneumothorax = "STAT"')
SEES_A_MASS = (present("mass"), absent("pneumothorax"))

enqueued = Table(
    "enqueued",
    MetaData(),
    Column("identity", String, primary_key=True),
    Column("workflow", String),
    Column("arguments", JSON),
    Column("priority", Integer),
    Column("attempt", Integer),
    Column("due_s", Float),
)


class KeptJobs(Jobs):
    """Jobs in a table beside the records, as the engine keeps them, which run when the test says so."""

    def __init__(self, engine: Engine, clock: "Clock") -> None:
        self._engine, self._clock = engine, clock
        self.left: list[Job] = []
        self.taken_over: list[str] = []
        with writing(engine) as connection:
            enqueued.create(connection, checkfirst=True)

    def enqueue_in(self, transaction: Connection, job: Job) -> None:
        due = (self._clock.now + job.delay - NOW).total_seconds()
        transaction.execute(
            enqueued.insert().values(
                identity=job.identity,
                workflow=job.workflow.value,
                arguments=list(job.arguments),
                priority=int(job.priority),
                attempt=job.attempt,
                due_s=due,
            )
        )

    def enqueue(self, job: Job) -> None:
        with writing(self._engine) as connection:
            self.enqueue_in(connection, job)

    def take_over(self, dead_executors: Iterable[str]) -> list[str]:
        self.taken_over += dead_executors
        return []

    def given_up(self) -> list[Job]:
        return list(self.left)

    def forget(self, job: Job) -> None:
        self.left.remove(job)

    def take_first(self) -> tuple[Job, datetime] | None:
        """What is due first, and when."""
        with writing(self._engine) as connection:
            row = connection.execute(select(enqueued).order_by(enqueued.c.due_s).limit(1)).one_or_none()
            if row is None:
                return None
            connection.execute(enqueued.delete().where(enqueued.c.identity == row.identity))
        job = Job(Workflow(row.workflow), tuple(row.arguments), row.identity, Priority(row.priority))
        return replace(job, attempt=row.attempt), NOW + timedelta(seconds=row.due_s)


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: datetime = NOW


@dataclass
class Hospital:
    """A site, its door, and what a test asks of it."""

    site: Site
    intake: Intake
    jobs: KeptJobs
    clock: Clock = field(default_factory=Clock)

    def receive(self, dataset: Dataset | bytes, sender: Sender = MODALITY) -> Receipt:
        with self.intake.open() as incoming:
            incoming.write(dataset if isinstance(dataset, bytes) else as_part10(dataset))
            return self.intake.take(incoming, sender)

    def work(self, most: int = 1000) -> list[Workflow]:
        """Do what is enqueued, each when it is due, failures included; what was done."""
        done: list[Workflow] = []
        while len(done) < most and (first := self.jobs.take_first()):
            job, due = first
            self.clock.now = max(self.clock.now, due)
            self.run(job)
            done.append(job.workflow)
        return done

    def run(self, job: Job) -> None:
        try:
            partial(PATH[job.workflow], self.site)(*job.arguments)
        except Exception as failure:  # noqa: BLE001 - as the worker does
            take_up_again(self.site, job, failure)

    def study(self, uid: StudyInstanceUID = STUDY) -> Study:
        with reading(self.site.engine) as connection:
            found = studies.find(connection, uid)
        assert found is not None
        return found

    def evidence(self, uid: StudyInstanceUID = STUDY) -> tuple[RecordedEvidence, ...]:
        with reading(self.site.engine) as connection:
            return evidence.of_study(connection, uid)

    def object(self, made: RecordedEvidence, item: str = "sr") -> Path:
        """Where the first object of an item lies."""
        return next(self.site.objects.path(one.digest) for one in made.objects if one.item.split()[0] == item)

    def deliveries(self, uid: StudyInstanceUID = STUDY) -> tuple[Delivery, ...]:
        with reading(self.site.engine) as connection:
            return deliveries.of_study(connection, uid)

    def way(self, uid: StudyInstanceUID = STUDY) -> tuple[Hop, ...]:
        with reading(self.site.engine) as connection:
            return hops.way_of(connection, uid)


def a_room(folder: Path, findings: Sequence[TinyFinding] = SEES_A_MASS) -> ReadingRoom:
    reader = a_gated_reader(a_pack(folder, findings), ALL_IS_WELL)
    return ReadingRoom(reader, an_acceptance(), POLICY, Priority.ROUTINE)


@contextmanager
def a_hospital(
    folder: Path, destinations: Sequence[Destination] = (), *, findings: Sequence[TinyFinding] = SEES_A_MASS
) -> Iterator[Hospital]:
    """Open a site with these destinations; results localise, attempts wait as long as they may."""
    clock = Clock()
    with upgraded(f"sqlite:///{folder}/records.sqlite") as engine:
        objects, jobs = LocalObjects(folder), KeptJobs(engine, clock)

        def enqueue(connection: Connection, uid: SOPInstanceUID, priority: Priority) -> None:
            jobs.enqueue_in(connection, Job(Workflow.READ_RADIOGRAPH, (uid,), priority=priority))

        intake = Intake(objects, engine, ReadQueue(enqueue, lambda: None), lambda: clock.now, Watermark(0.0, 0))
        site = Site(
            engine=engine,
            objects=objects,
            jobs=jobs,
            room=a_room(folder, findings),
            destinations={one.name: one for one in destinations},
            options=ResultOptions(),
            study_quiet=timedelta(seconds=10),
            back_off=BackOff(),
            now=lambda: clock.now,
            draw=lambda: 1.0,
        )
        yield Hospital(site, intake, jobs, clock)
        intake.close()
        objects.close()
