"""Errors as the HTTP edge tells them: application/problem+json (RFC 9457)."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from xray_ai import log
from xray_ai.errors import OperatorNeeded, PeerUnavailable, StudyRejected, XrayAiError

MEDIA_TYPE = "application/problem+json"
STATUSES = {StudyRejected: (422, "Not read"), PeerUnavailable: (503, "Try later"), OperatorNeeded: (500, "Not sound")}


class NotHere(Exception):
    """What was asked for does not exist, or no longer; the sentence says what."""


def tell_problems(app: FastAPI) -> None:
    """Turn each error that leaves a route into a problem; a defect is logged and told without its innards."""
    app.add_exception_handler(NotHere, _not_here)
    app.add_exception_handler(XrayAiError, _ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(Exception, _defect)


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def _not_here(_request: Request, error: Exception) -> JSONResponse:
    return problem(404, "Not found", str(error))


def _ours(_request: Request, error: Exception) -> JSONResponse:
    status, title = next((told for kind, told in STATUSES.items() if isinstance(error, kind)), (500, "Defect"))
    return problem(status, title, str(error))


def _of_http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return problem(500, "Defect", "")
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, "Refused", str(error.detail), headers)


def _wrong_request(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        return problem(500, "Defect", "")
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(422, "Wrong request", f"{where}: {first['msg']}.")


def _defect(_request: Request, error: Exception) -> JSONResponse:
    log.warning("request.failed", error=type(error).__name__)
    return problem(500, "Defect", "The service made a mistake; its log says where.")
