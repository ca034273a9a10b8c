"""Errors as the HTTP edge tells them: application/problem+json (RFC 9457), each with a code and what to do."""

import logging
import traceback
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from xray_ai import log
from xray_ai.errors import OperatorNeeded, PeerUnavailable, StudyRejected, XrayAiError

MEDIA_TYPE = "application/problem+json"
KINDS = {
    StudyRejected: (422, "study_rejected", "Not read"),
    PeerUnavailable: (503, "peer_unavailable", "Try later"),
    OperatorNeeded: (500, "operator_needed", "Not sound"),
}
SEE_DOCS = "See /docs for what can be asked."


class Problem(BaseModel):
    """An error, for programs and for people."""

    type: str = "about:blank"
    title: str
    status: int
    code: str  # a stable word
    detail: str  # what was found, and what to do
    remedy: str  # what to do


class NotHere(Exception):
    """What was asked for does not exist, or no longer; the sentence says what."""


class Refused(Exception):
    """A request that is understood and not done; its kind is status, code and title."""

    def __init__(
        self, kind: tuple[int, str, str], found: str, remedy: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{found} {remedy}".strip())
        self.kind, self.found, self.remedy, self.headers = kind, found, remedy, headers


def tell_problems(app: FastAPI) -> None:
    """Turn each error that leaves a route into a problem; a defect is logged and told without its innards."""
    app.add_exception_handler(NotHere, _not_here)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(XrayAiError, _ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    for unreachable in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(unreachable, _no_records)
    app.add_exception_handler(Exception, _defect)
    logging.getLogger("uvicorn.error").addFilter(_tells_no_values)


def problem(
    kind: tuple[int, str, str], found: str, remedy: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    """Answer with a problem; its kind is status, code and title."""
    status, code, title = kind
    told = Problem(title=title, status=status, code=code, detail=f"{found} {remedy}".strip(), remedy=remedy)
    return JSONResponse(told.model_dump(), status, headers=headers, media_type=MEDIA_TYPE)


def _not_here(_request: Request, error: Exception) -> JSONResponse:
    return problem((404, "not_found", "Not found"), str(error))


def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refused):
        return problem((500, "defect", "Defect"), "")
    return problem(error.kind, error.found, error.remedy, error.headers)


def _ours(_request: Request, error: Exception) -> JSONResponse:
    kind = next((told for kind, told in KINDS.items() if isinstance(error, kind)), (500, "defect", "Defect"))
    found, remedy = (error.found, error.remedy) if isinstance(error, XrayAiError) else ("", "")
    return problem(kind, found, remedy)


def _of_http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return problem((500, "defect", "Defect"), "")
    headers = dict(error.headers) if error.headers else None
    status = HTTPStatus(error.status_code)
    is_plain = error.detail == status.phrase  # nobody said more
    code = status.phrase.lower().replace(" ", "_")
    return problem((status, code, status.phrase), f"{error.detail}.".replace("..", "."), SEE_DOCS * is_plain, headers)


def _wrong_request(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        return problem((500, "defect", "Defect"), "")
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem((422, "wrong_request", "Wrong request"), f"{where}: {first['msg']}.", SEE_DOCS)


def _no_records(_request: Request, error: Exception) -> JSONResponse:
    log.warning("records.unreachable", error=type(error).__name__)
    kind = (503, "records_unavailable", "Try later")
    return problem(kind, "The records cannot be reached.", "Ask again; if it lasts, look into the database.")


def _defect(_request: Request, error: Exception) -> JSONResponse:
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.warning("request.failed", error=type(error).__name__, where=f"{Path(place.filename).name}:{place.lineno}")
    return problem((500, "defect", "Defect"), "The service made a mistake.", "Its log says where.")


def _tells_no_values(record: logging.LogRecord) -> bool:
    """Leave out what the web server says of a defect: all that the error holds, which may be a patient's."""
    return not record.exc_info
