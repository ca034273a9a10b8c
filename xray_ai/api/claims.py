"""POST /api/studies/{uid}/claim, release and finish: who reads a study; two readers never have it at once."""

from typing import Annotated

from fastapi import APIRouter, Depends

from xray_ai.api.access import May
from xray_ai.api.listed_study import StateOfReading
from xray_ai.api.problems import NotHere, Refused
from xray_ai.api.service import Operations, Service
from xray_ai.api.wire import StudyUid
from xray_ai.domain.access import Caller, Permission
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records import audit, claims, studies
from xray_ai.records.audit import AuditEntry
from xray_ai.records.database import writing
from xray_ai.records.words import AuditAction

router = APIRouter(prefix="/api/studies", tags=["worklist"])

Reader = Annotated[Caller, Depends(May(Permission.CLAIM_STUDIES))]
Releaser = Annotated[Caller, Depends(May(Permission.RELEASE_STUDIES))]


@router.post("/{uid}/claim", summary="Take a study to read", responses={409: {"description": "Somebody has it."}})
def claim(service: Service, uid: StudyUid, caller: Reader) -> StateOfReading:
    return _change(service, StudyInstanceUID(uid), caller, AuditAction.STUDY_CLAIMED)


@router.post("/{uid}/release", summary="Give a study back", responses={409: {"description": "Nobody has it."}})
def release(service: Service, uid: StudyUid, caller: Releaser) -> StateOfReading:
    return _change(service, StudyInstanceUID(uid), caller, AuditAction.STUDY_RELEASED)


@router.post("/{uid}/finish", summary="Be done with a study", responses={409: {"description": "It is not yours."}})
def finish(service: Service, uid: StudyUid, caller: Reader) -> StateOfReading:
    return _change(service, StudyInstanceUID(uid), caller, AuditAction.STUDY_FINISHED)


def _change(service: Operations, uid: StudyInstanceUID, caller: Caller, action: AuditAction) -> StateOfReading:
    now = service.now()
    with writing(service.engine) as connection:
        if action is AuditAction.STUDY_CLAIMED:
            is_done = claims.claim(connection, uid, caller.name, now)
        elif action is AuditAction.STUDY_FINISHED:
            is_done = claims.finish(connection, uid, caller.name, now)
        else:  # whoever reads gives back their own; an administrator anybody's
            whose = caller.name if Permission.CLAIM_STUDIES in caller.permissions else None
            is_done = claims.release(connection, uid, whose)
        study = studies.find(connection, uid)
        if study is None:
            raise NotHere("There is no such study here: it never came, or it has expired.")
        name = claims.display_names(connection, [study.reader or ""]).get(study.reader or "")
        if is_done:
            audit.note(connection, AuditEntry(now, caller.name, action, uid))
    state = StateOfReading.of(study, name)
    if not is_done:
        raise _not_done(state, action)
    return state


def _not_done(state: StateOfReading, action: AuditAction) -> Refused:
    who = state.by_display_name or state.by
    found = "Nobody has claimed this study." if who is None else f"This study is {state.is_} by {who}."
    if action is AuditAction.STUDY_CLAIMED:
        remedy = "Take another one, or ask them to release it."
        return Refused((409, "already_claimed", "Conflict"), found, remedy)
    return Refused((409, "not_yours", "Conflict"), found, "Claim it first.")
