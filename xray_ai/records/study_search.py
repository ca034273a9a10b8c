"""Studies as a viewer searches them, and the object that stands for each instance."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from xray_ai.domain.received import ObjectDigest
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID, TransferSyntaxUID
from xray_ai.records import evidence, received_instances
from xray_ai.records.tables import studies as table


@dataclass(frozen=True, slots=True)
class Held:
    """One instance of a study: its newest version, or a result of ours."""

    sop_instance_uid: SOPInstanceUID
    transfer_syntax_uid: TransferSyntaxUID
    digest: ObjectDigest


@dataclass(frozen=True, slots=True)
class StudyFilter:
    """What the records themselves can tell apart; empty: any."""

    uids: tuple[str, ...] = ()
    patient_id: str = ""
    accession_number: str = ""


def uids_of(connection: Connection, wanted: StudyFilter) -> tuple[StudyInstanceUID, ...]:
    """The studies that may match, the newest first."""
    query = select(table.c.study_instance_uid)
    if wanted.uids:
        query = query.where(table.c.study_instance_uid.in_(wanted.uids))
    if wanted.patient_id:
        query = query.where(table.c.patient_id == wanted.patient_id)
    if wanted.accession_number:
        query = query.where(table.c.accession_number == wanted.accession_number)
    found = connection.execute(query.order_by(table.c.received_at.desc(), table.c.study_instance_uid))
    return tuple(StudyInstanceUID(uid) for uid in found.scalars())


def held_of(connection: Connection, study: StudyInstanceUID) -> tuple[Held, ...]:
    """The newest version of each image, and the newest results, each in one form."""
    came = received_instances.instances_of_study(connection, study)
    newest = evidence.newest(connection, study)
    made = sorted(newest.objects if newest else (), key=lambda one: (not one.localisation, one.form == "uncompressed"))
    by_item = {one.item: one for one in reversed(made)}
    images = [Held(one.sop_instance_uid, one.transfer_syntax_uid, one.digest) for one in came]
    results = [Held(one.sop_instance_uid, one.transfer_syntax_uid, one.digest) for one in by_item.values()]
    return (*images, *results)
