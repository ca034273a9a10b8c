"""What happens to a step of the path that failed: it is tried again later, and after too many failures it is told."""

import traceback
from dataclasses import replace
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from xray_ai import log, outbox
from xray_ai.deliver.back_off import next_try
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.durable import Job, ProcessesDied, Workflow
from xray_ai.errors import OperatorNeeded, PeerUnavailable, RejectionCode, StudyRejected
from xray_ai.pipeline import Site, place_on_worklist
from xray_ai.reading_room import UnreadRadiograph
from xray_ai.records import deliveries, hops, received_instances, studies
from xray_ai.records.database import reading, writing
from xray_ai.records.evidence import EvidenceKey
from xray_ai.records.hops import Hop
from xray_ai.records.words import HopKind

PASSING = (PeerUnavailable, OperatorNeeded, OSError, SQLAlchemyError)  # a full disk, a database that is away
MOST_DEFECTS = 5  # failures of any other kind, after which a person must look
MOST_DEATHS = 10  # each of them of several processes
REMEDY = "Have a radiologist read it without the model; the log says where the defect is."


def take_up_again(site: Site, job: Job, failure: Exception) -> None:
    """Enqueue a failed step for later; give it up when it has failed too often."""
    place = traceback.extract_tb(failure.__traceback__)[-1:]
    where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in place)
    log.warning("step.failed", step=job.workflow.value, attempt=job.attempt, error=type(failure).__name__, where=where)
    now = site.now()
    again_at = next_try(now, job.attempt, site.draw(), replace(site.back_off, most_attempts=_most(site, failure)))
    if again_at is None:
        _give_up(site, job, failure)
    else:
        site.jobs.enqueue(job.again(again_at - now))


def take_up_what_was_left(site: Site) -> None:
    """Take up steps under which processes died too often, or whose failure could not be noted."""
    for job in site.jobs.given_up():
        take_up_again(site, job, ProcessesDied())
        site.jobs.forget(job)


def _most(site: Site, failure: Exception) -> int:
    if isinstance(failure, PASSING):
        return site.back_off.most_attempts
    return MOST_DEATHS if isinstance(failure, ProcessesDied) else MOST_DEFECTS


def _give_up(site: Site, job: Job, failure: Exception) -> None:
    log.warning("step.given_up", step=job.workflow.value, error=type(failure).__name__)
    first = str(job.arguments[0])
    match job.workflow:
        case Workflow.READ_RADIOGRAPH:
            _list_as_not_read(site, SOPInstanceUID(first), failure)
        case Workflow.REPORT_STUDY:
            _note_report_failed(site, StudyInstanceUID(first), failure)
        case Workflow.DELIVER_EVIDENCE:
            _make_dead_letters(site, first, EvidenceKey(str(job.arguments[1])), failure)


def _list_as_not_read(site: Site, uid: SOPInstanceUID, failure: Exception) -> None:
    with reading(site.engine) as connection:
        version = received_instances.newest_version(connection, uid)
    if version is not None:
        found = f"Reading this image failed again and again ({type(failure).__name__})."
        rejection = StudyRejected(RejectionCode.DEFECT, found, remedy=REMEDY)
        place_on_worklist(site, version, UnreadRadiograph(None, rejection), seconds=0.0)


def _note_report_failed(site: Site, study: StudyInstanceUID, failure: Exception) -> None:
    told = f"The report could not be composed ({type(failure).__name__})."
    with writing(site.engine) as connection:
        if studies.hold(connection, study):
            hops.add(connection, Hop(study, site.now(), HopKind.REPORT_FAILED, told))


def _make_dead_letters(site: Site, destination: str, key: EvidenceKey, failure: Exception) -> None:
    with writing(site.engine) as connection:
        for delivery in deliveries.pending_at(connection, key, destination):
            outbox.give_up(connection, delivery, f"Sending failed by a defect ({type(failure).__name__}).", site.now())
