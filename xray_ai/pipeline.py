"""The path of a study, from top to bottom: read what came, report it once the study is quiet, deliver the report.

Each function is a durable workflow (`durable`), which is begun again from its top when its process dies. So each first
does what may be done twice, then ends in one transaction, which records the step, notes it on the study's way
and enqueues what follows.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from xray_ai import log, outbox
from xray_ai.composition import Composer, Draft, draft
from xray_ai.deliver.back_off import BackOff
from xray_ai.deliver.destinations import Destination, localises
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.durable import Job, Jobs, Workflow
from xray_ai.objects import LocalObjects
from xray_ai.outbox import Patience
from xray_ai.reading_room import ReadingRoom, TriagedRadiograph, UnreadRadiograph, triage_file
from xray_ai.recorded_outcome import Judged
from xray_ai.records import deliveries, evidence, hops, readings, received_instances, studies
from xray_ai.records.database import reading, writing
from xray_ai.records.evidence import EvidenceKey, EvidenceObject
from xray_ai.records.hops import Hop
from xray_ai.records.received_instances import ReceivedInstance
from xray_ai.records.words import HopKind
from xray_ai.stored_outcome import as_bytes


@dataclass(frozen=True, slots=True)
class Site:
    """What the path works with."""

    engine: Engine  # of the records
    objects: LocalObjects
    jobs: Jobs
    room: ReadingRoom
    destinations: Mapping[str, Destination]  # by name
    options: ResultOptions
    study_quiet: timedelta
    back_off: BackOff
    now: Callable[[], datetime]
    draw: Callable[[], float]  # a random number, 0.0 to 1.0

    @property
    def composer(self) -> Composer:
        return Composer(self.engine, self.objects, self.room)


def read_radiograph(site: Site, sop_instance_uid: SOPInstanceUID) -> None:
    """Read one radiograph as soon as it is safe on disk, and put its study on the worklist; the report comes later."""
    with reading(site.engine) as connection:
        version = received_instances.newest_version(connection, sop_instance_uid)
        study = studies.find(connection, version.study_instance_uid) if version else None
    if version is None or study is None:  # it expired meanwhile
        return
    started = time.perf_counter()
    room = replace(site.room, ordered_priority=max(site.room.ordered_priority, study.ordered_priority))
    outcome = triage_file(room, site.objects.path(version.digest))  # accept, decode, infer, triage
    site.objects.used(version.digest)
    place_on_worklist(site, version, outcome, time.perf_counter() - started)


def place_on_worklist(
    site: Site, version: ReceivedInstance, outcome: TriagedRadiograph | UnreadRadiograph, seconds: float
) -> None:
    """Record what was made of a radiograph; the flag is visible now, the report waits until the study is quiet."""
    kept_as = site.objects.put(as_bytes(outcome))
    judged = Judged(version, outcome, kept_as, site.room.reader.pack.identity.digest, site.now(), seconds)
    study = version.study_instance_uid
    with writing(site.engine) as connection:
        if not studies.hold(connection, study):  # it expired meanwhile
            return
        readings.record(connection, judged.reading())
        step = hops.add(connection, judged.hop())
        report = Job(Workflow.REPORT_STUDY, (study, step), priority=judged.priority, delay=site.study_quiet)
        site.jobs.enqueue_in(connection, report)
    log.event("radiograph.judged", study=log.key_of(study), priority=judged.priority.name, seconds=round(seconds, 4))


def report_study(site: Site, study_uid: StudyInstanceUID, step: int) -> None:
    """Compose a quiet study's evidence for whoever wants it; later images make a revised one.

    It leaves the report to a later step, where the study has one: each image that is read or refused brings its own.
    """
    with reading(site.engine) as connection:
        about = None if _is_overtaken(connection, study_uid, step) else draft(connection, study_uid)
    if about is None:
        return
    wishes = [(one, localises(one, localisation=site.options.localisation)) for one in site.destinations.values()]
    switches = {site.options.localisation, *(localisation for _, localisation in wishes)}
    forms = [replace(site.options, localisation=switch) for switch in sorted(switches)]
    made = [one for form in forms for one in site.composer.compose(about, form)]
    with writing(site.engine) as connection:
        if studies.hold(connection, study_uid) and not _is_overtaken(connection, study_uid, step):
            _hand_over(site, connection, about, made, wishes)


def _hand_over(
    site: Site,
    connection: Connection,
    about: Draft,
    made: list[EvidenceObject],
    wishes: list[tuple[Destination, bool]],
) -> None:
    """Record the evidence, and enqueue its delivery to every destination that wants some of it."""
    uid, now = about.study_instance_uid, site.now()
    recorded = evidence.record(connection, about.key, uid, about.read_at, made, about.images)
    study = studies.find(connection, uid)
    told = f"Revision {recorded.revision}." if made else "Nothing was read, and no header says that it is a chest."
    hops.add(connection, Hop(uid, now, HopKind.REPORTED, told))
    for wish in wishes:
        if study is not None and outbox.plan(connection, recorded, study, wish, now):
            delivery = Job(Workflow.DELIVER_EVIDENCE, (wish[0].name, recorded.evidence_key), priority=study.priority)
            site.jobs.enqueue_in(connection, delivery)
    log.event("study.reported", study=log.key_of(uid), revision=recorded.revision, objects=len(made))


def deliver_evidence(site: Site, destination_name: str, key: EvidenceKey) -> None:
    """Send one study's evidence to one destination; what it does not take now is tried again later."""
    with reading(site.engine) as connection:
        pending = deliveries.pending_at(connection, key, destination_name)
        study = studies.find(connection, pending[0].study_instance_uid) if pending else None
    if study is None:  # delivered, given up or expired
        return
    tried = outbox.try_to_deliver(site.composer, site.destinations.get(destination_name), site.options, pending)
    patience = Patience(site.back_off, site.now(), site.draw)
    with writing(site.engine) as connection:
        again = [at for at in (outbox.note(connection, one, patience) for one in tried) if at is not None]
        if again:
            job = outbox.deliver_job(pending[0], study.priority, min(again) - patience.now)
            site.jobs.enqueue_in(connection, job)
    delivered = sum(one.delivered_uid is not None for one in tried)
    key_of_study = log.key_of(study.study_instance_uid)
    log.event("evidence.sent", study=key_of_study, destination=destination_name, delivered=delivered, of=len(tried))


def _is_overtaken(connection: Connection, study: StudyInstanceUID, step: int) -> bool:
    """Whether another image of the study waits to be read, or was read or refused since."""
    return readings.awaits_reading(connection, study) or hops.last_judgement(connection, study) > step
