"""Records what came, inside one transaction: the version, its study, the way, and that it is to be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import Connection

from xray_ai.domain.priority import Priority
from xray_ai.domain.received import ObjectDigest, Repeat, Sender
from xray_ai.domain.uid import SOPInstanceUID
from xray_ai.objects import LocalObjects
from xray_ai.receive.received_header import ReceivedHeader
from xray_ai.receive.repeats import Comparison, Judgement, judge
from xray_ai.records import evidence, hops, readings, received_instances, retention, studies
from xray_ai.records.hops import Hop
from xray_ai.records.received_instances import ReceivedInstance
from xray_ai.records.studies import StudyArrival
from xray_ai.records.words import HopKind

Enqueue = Callable[[Connection, SOPInstanceUID, Priority], None]

WAY = MappingProxyType(
    {
        Repeat.NEW: (HopKind.RECEIVED, "A new image"),
        Repeat.NEW_HEADER: (HopKind.REPEATED, "The same pixels with another header"),
        Repeat.NEW_SYNTAX: (HopKind.REPEATED, "The same pixels in another transfer syntax"),
        Repeat.CONFLICT: (HopKind.CONFLICT, "Other pixels under the identifier of another image: kept, not read"),
        Repeat.OWN_RESULT: (HopKind.OWN_RESULT, "A result of this service came back: not read"),
    }
)
DERIVED_UID = "2.25."  # all of ours begin so; most others do not, and need no look


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object whose bytes are durable and whose row is not written yet."""

    header: ReceivedHeader
    digest: ObjectDigest
    size: int
    sender: Sender
    at: datetime
    compared: Mapping[ObjectDigest, Comparison] = field(default_factory=dict)

    def compared_with(self, version: ReceivedInstance, comparison: Comparison) -> "Arrival":
        return replace(self, compared={**self.compared, version.digest: comparison})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an arrival."""

    repeat: Repeat
    is_kept: bool  # a row names its bytes


class ArrivalRecorder:
    """Writes what arrivals mean."""

    def __init__(self, objects: LocalObjects, enqueue: Enqueue) -> None:
        self._objects = objects
        self._enqueue = enqueue

    def record_all(self, connection: Connection, arrivals: Sequence[Arrival]) -> list[Recorded | ReceivedInstance]:
        """Record each, or answer with the version that it must first be compared with."""
        received_instances.receive_alone(connection)
        return [self._record(connection, arrival) for arrival in arrivals]

    def _record(self, connection: Connection, arrival: Arrival) -> Recorded | ReceivedInstance:
        uid = arrival.header.radiograph.sop_instance_uid
        versions = received_instances.versions_of(connection, uid)
        if not versions and _is_own_result(connection, arrival.header):
            return self._add(connection, arrival, Judgement(Repeat.OWN_RESULT))
        judged = judge(arrival.digest, versions, arrival.compared)
        if isinstance(judged, ReceivedInstance):
            return judged
        if judged.repeat is Repeat.SAME_BYTES and judged.beside is not None:
            return self._count_again(connection, arrival, judged.beside)
        return self._add(connection, arrival, judged)

    def _count_again(self, connection: Connection, arrival: Arrival, version: ReceivedInstance) -> Recorded:
        received_instances.count_again(connection, version.sop_instance_uid, version.digest, arrival.at)
        is_kept = arrival.digest == version.digest
        if not is_kept and not retention.is_recorded(connection, arrival.digest):
            self._objects.delete(arrival.digest)  # it differed in its File Meta Information alone
        return Recorded(Repeat.SAME_BYTES, is_kept)

    def _add(self, connection: Connection, arrival: Arrival, judged: Judgement) -> Recorded:
        received_instances.add(connection, _instance(arrival, judged.repeat))
        is_to_be_read = self._is_to_be_read(connection, arrival, judged)
        about = arrival.header.radiograph
        ordered = arrival.sender.ordered_priority
        study = StudyArrival(about.study_instance_uid, arrival.header.demographics, ordered, arrival.at)
        if judged.repeat is Repeat.CONFLICT:
            studies.note_conflict(connection, study)
        elif judged.repeat.is_image_of_study:
            ordered = studies.receive(connection, study, is_to_be_read=is_to_be_read)
        hops.add(connection, _hop(arrival, judged.repeat))
        if is_to_be_read:
            self._enqueue(connection, about.sop_instance_uid, ordered)
        return Recorded(judged.repeat, is_kept=True)

    @staticmethod
    def _is_to_be_read(connection: Connection, arrival: Arrival, judged: Judgement) -> bool:
        """A first version, and a later one only where it reads otherwise or where no earlier one could be read."""
        if judged.beside is None or not judged.repeat.is_image_of_study:
            return judged.repeat is Repeat.NEW
        return not judged.reads_alike or readings.was_refused(connection, arrival.header.radiograph.sop_instance_uid)


def _is_own_result(connection: Connection, header: ReceivedHeader) -> bool:
    uid = header.radiograph.sop_instance_uid
    return header.says_it_is_ours or (uid.startswith(DERIVED_UID) and evidence.is_ours(connection, uid))


def _instance(arrival: Arrival, repeat: Repeat) -> ReceivedInstance:
    about, sender = arrival.header.radiograph, arrival.sender
    return ReceivedInstance(
        sop_instance_uid=about.sop_instance_uid,
        study_instance_uid=about.study_instance_uid,
        sop_class_uid=about.sop_class_uid,
        transfer_syntax_uid=arrival.header.transfer_syntax_uid,
        digest=arrival.digest,
        size_bytes=arrival.size,
        repeat=repeat,
        calling_ae_title=sender.calling_ae_title,
        called_ae_title=sender.called_ae_title,
        host=sender.host,
        via=sender.via,
        first_received_at=arrival.at,
        last_received_at=arrival.at,
    )


def _hop(arrival: Arrival, repeat: Repeat) -> Hop:
    what, reason = WAY[repeat]
    about, sender = arrival.header.radiograph, arrival.sender
    came = f"{reason}; by {sender.via.value} from {sender.calling_ae_title or 'an unnamed sender'} at {sender.host}."
    return Hop(about.study_instance_uid, arrival.at, what, came, about.sop_instance_uid)
