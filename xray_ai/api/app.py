"""Puts the HTTP edge together: routes, who may ask, and how errors are told."""

from collections.abc import Sequence

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from xray_ai import __version__
from xray_ai.api import accounts, claims, deliveries, docs_page, events, operations, sessions, studies, worklist
from xray_ai.api.access import May, keep_out_of_caches
from xray_ai.api.changes import Changes
from xray_ai.api.dicom_web import qido, wado
from xray_ai.api.problems import MEDIA_TYPE, Problem, tell_problems
from xray_ai.api.service import Operations
from xray_ai.api.sign_in_limit import SignInLimit
from xray_ai.domain.access import Permission

GUARDED = (
    (worklist.router, Permission.SEE_STUDIES),
    (events.router, Permission.SEE_STUDIES),
    (studies.router, Permission.SEE_STUDIES),
    (deliveries.router, Permission.SEE_OPERATIONS),
    (operations.guarded, Permission.SEE_OPERATIONS),
    (qido.router, Permission.VIEW_IMAGES),
    (wado.router, Permission.VIEW_IMAGES),
)
DESCRIPTION = "Triage of chest radiographs. Research use only, not for diagnosis."


def create_app(operations_of_site: Operations, token: str | None, cors_origins: Sequence[str] = ()) -> FastAPI:
    """Make the edge of a service; whoever asks for patients or numbers must be known."""
    app = FastAPI(
        title="xray_ai",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        responses={"4XX": _error("What was asked is wrong."), "5XX": _error("The service cannot answer.")},
    )
    app.state.operations, app.state.token = operations_of_site, token
    app.state.sign_in_limit, app.state.changes = SignInLimit(), Changes(operations_of_site)
    tell_problems(app)
    if cors_origins:
        asked, told = ["Authorization", "Accept", "Range"], ["Warning", "Content-Location"]
        app.add_middleware(
            CORSMiddleware, allow_origins=cors_origins, allow_methods=["GET"], allow_headers=asked, expose_headers=told
        )
    for router, permission in GUARDED:
        app.include_router(router, dependencies=[Depends(May(permission)), Depends(keep_out_of_caches)])
    for router in (accounts.router, claims.router, sessions.router):
        app.include_router(router, dependencies=[Depends(keep_out_of_caches)])
    for router in (operations.open_to_all, docs_page.router):
        app.include_router(router)
    return app


def _error(description: str) -> dict[str, object]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
