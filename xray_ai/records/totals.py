"""Numbers that only grow: how much was received, read, refused and delivered, and how long each stage took.

They are counted from the rows, so that all processes say the same. What retention deletes is carried over, so that
no number falls.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Float,
    Select,
    Table,
    case,
    cast,
    extract,
    func,
    literal,
    select,
)

from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records.database import insert_into
from xray_ai.records.tables import carried_totals as carried
from xray_ai.records.tables import deliveries, hops, readings, received_instances
from xray_ai.records.words import DeliveryStatus, HopKind, ReadingStatus

BOUNDS_S = (0.05, 0.1, 0.15, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
ABOVE = "above"  # the label of what took longer than the last bound
SUM = "sum"  # the label of a stage's seconds
SECONDS_A_DAY = 86_400.0


class Counted(StrEnum):
    """What is counted, each by a label."""

    RECEIVED = "received"  # versions of images, by what each was beside those before it
    RECEIVED_AGAIN = "received_again"  # the same bytes
    READ = "read"
    REFUSED = "refused"  # by the code of the reason
    DELIVERED = "delivered"  # by destination


class Stage(StrEnum):
    """What takes a study's time; the words stand in metrics."""

    RECEIVE_TO_READ = "receive_to_read"  # from an image's arrival to its flag on the worklist
    READ = "read"  # the reading alone
    READ_TO_REPORT = "read_to_report"  # further images of the study are waited for
    REPORT_TO_DELIVERY = "report_to_delivery"


@dataclass(frozen=True, slots=True)
class Durations:
    """How long a stage took, as a histogram."""

    at_most: tuple[int, ...]  # how many took at most BOUNDS_S[i]
    count: int
    sum_s: float


Key = tuple[str, str]  # what is counted, and its label


@dataclass(frozen=True, slots=True)
class Totals:
    """All of them, at one moment."""

    values: Mapping[Key, float]

    def of(self, counted: Counted) -> dict[str, int]:
        """How many, by label."""
        return {label: int(value) for (name, label), value in self.values.items() if name == counted.value}

    def durations(self, stage: Stage) -> Durations:
        labels = (*map(str, BOUNDS_S), ABOVE)
        each = [int(self.values.get((_name(stage), label), 0)) for label in labels]
        return Durations(tuple(accumulate(each[:-1])), sum(each), self.values.get((_name(stage), SUM), 0.0))


def totals(connection: Connection) -> Totals:
    """Count what is recorded, and add what was."""
    values = _values(connection, None)
    for counted, label, total in connection.execute(select(carried.c.counted, carried.c.label, carried.c.total)):
        values[counted, label] = values.get((counted, label), 0.0) + total
    return Totals(values)


def carry_over(connection: Connection, study: StudyInstanceUID) -> None:
    """Keep the numbers of a study whose rows are about to be deleted."""
    for (counted, label), value in sorted(_values(connection, study).items()):
        new = insert_into(carried, connection.dialect.name).values(counted=counted, label=label, total=value)
        sums = {"total": carried.c.total + new.excluded.total}
        connection.execute(new.on_conflict_do_update(index_elements=["counted", "label"], set_=sums))


def _name(stage: Stage) -> str:
    return f"seconds_{stage.value}"


def _values(connection: Connection, study: StudyInstanceUID | None) -> dict[Key, float]:
    values: dict[Key, float] = {}
    for counted, counts in _counts(study):
        for label, value in connection.execute(counts):
            if value:
                values[counted.value, str(label)] = float(value)
    for stage, spans in _spans(connection.dialect.name, study):
        sum_s = 0.0
        for label, count, seconds in connection.execute(_histogram(spans)):
            values[_name(stage), label] = float(count)
            sum_s += float(seconds)
        if sum_s:
            values[_name(stage), SUM] = sum_s
    return values


def _counts(study: StudyInstanceUID | None) -> Iterator[tuple[Counted, Executable]]:
    came, made, sent = received_instances.c, readings.c, deliveries.c
    everything = literal("all")
    was_read = made.status == ReadingStatus.READ
    of_study = _of(received_instances, study)
    yield Counted.RECEIVED, select(came.repeat, func.count()).where(*of_study).group_by(came.repeat)
    yield Counted.RECEIVED_AGAIN, select(everything, func.sum(came.times_received - 1)).where(*of_study)
    of_study = made.is_listed, *_of(readings, study)
    yield Counted.READ, select(everything, func.count()).where(was_read, *of_study)
    yield Counted.REFUSED, select(made.reason_code, func.count()).where(~was_read, *of_study).group_by(made.reason_code)
    of_study = sent.status == DeliveryStatus.DELIVERED, *_of(deliveries, study)
    yield Counted.DELIVERED, select(sent.destination, func.count()).where(*of_study).group_by(sent.destination)


def _spans(dialect: str, study: StudyInstanceUID | None) -> Iterator[tuple[Stage, Select[float]]]:
    """Seconds of each that went through a stage."""
    came, made, step, sent = received_instances.c, readings.c, hops.c, deliveries.c
    listed = made.is_listed, *_of(readings, study)
    came_as = (came.sop_instance_uid == made.sop_instance_uid) & (came.digest == made.source_digest)
    to_read = select(_seconds(dialect, came.first_received_at, made.read_at)).where(*listed)
    yield Stage.RECEIVE_TO_READ, to_read.join_from(readings, received_instances, came_as)
    yield Stage.READ, select(made.seconds).where(*listed)
    was_before = (made.study_instance_uid == step.study_instance_uid) & (made.read_at <= step.at)
    last_read = select(func.max(made.read_at)).where(was_before).correlate(hops).scalar_subquery()
    reported = step.what == HopKind.REPORTED, *_of(hops, study)
    yield Stage.READ_TO_REPORT, select(_seconds(dialect, last_read, step.at)).where(*reported)
    to_delivery = select(_seconds(dialect, sent.planned_at, sent.delivered_at)).where(*_of(deliveries, study))
    yield Stage.REPORT_TO_DELIVERY, to_delivery


def _of(table: Table, study: StudyInstanceUID | None) -> tuple[ColumnElement[bool], ...]:
    return () if study is None else (table.c.study_instance_uid == study,)


def _histogram(spans: Select[float]) -> Executable:
    """How many by the least bound that holds them, and their seconds; a clock that was put back counts as none."""
    named = spans.subquery("named")
    (span,) = named.c
    held = select(case((span < 0.0, 0.0), else_=span).label("seconds")).where(span.is_not(None))
    seconds = held.cte("held").prefix_with("MATERIALIZED").c.seconds  # else each bound computes it anew
    bound = case(*((seconds <= bound, str(bound)) for bound in BOUNDS_S), else_=ABOVE).label("bound")
    return select(bound, func.count(), func.sum(seconds)).group_by(bound)


def _seconds(dialect: str, earlier: ColumnElement[object], later: ColumnElement[object]) -> ColumnElement[float]:
    """Seconds between two moments; each database has a way of its own."""
    if dialect == "postgresql":
        return cast(extract("epoch", later - earlier), Float)
    return (func.julianday(later) - func.julianday(earlier)) * SECONDS_A_DAY
