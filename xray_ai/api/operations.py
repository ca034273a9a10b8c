"""For those who run the service: /healthz, /readyz and /metrics."""

from typing import Literal

from fastapi import APIRouter, Response, status
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from xray_ai.api.metrics import CONTENT_TYPE, metrics_text
from xray_ai.api.service import Service

open_to_all = APIRouter(tags=["operations"])
guarded = APIRouter(tags=["operations"])


class Health(BaseModel):
    """This process answers."""

    status: Literal["up"] = "up"


class Readiness(BaseModel):
    """Whether the service takes, reads and delivers radiographs; if not, a sentence for each thing that is missing."""

    ready: bool
    not_ready: tuple[str, ...]


@open_to_all.get("/healthz", summary="Whether this process answers")
def healthz() -> Health:
    return Health()


@open_to_all.get("/readyz", summary="Whether the whole service is ready; 503 says what is not")
def readyz(service: Service, response: Response) -> Readiness:
    missing = tuple(service.not_ready())
    response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE if missing else status.HTTP_200_OK
    return Readiness(ready=not missing, not_ready=missing)


@guarded.get("/metrics", summary="Numbers for Prometheus", response_class=PlainTextResponse)
def metrics(service: Service) -> Response:
    return Response(metrics_text(service), media_type=CONTENT_TYPE)
