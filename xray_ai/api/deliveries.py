"""GET /api/deliveries: which result is on its way to which destination, and what the destination said."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from xray_ai.api.service import Service
from xray_ai.api.wire import Limit, Offset
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.records import deliveries
from xray_ai.records.database import reading
from xray_ai.records.deliveries import DeliveryPage
from xray_ai.records.evidence import EvidenceKey
from xray_ai.records.words import DeliveryStatus

router = APIRouter(prefix="/api/deliveries", tags=["deliveries"])

Status = Annotated[DeliveryStatus | None, Query(description="pending, delivered or dead; absent: all.")]


class ListedDelivery(BaseModel):
    """One result on its way to one destination."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    study_instance_uid: StudyInstanceUID
    evidence_key: EvidenceKey
    item: str  # 'sr', or 'sc' and the image that it shows
    destination: str
    status: DeliveryStatus
    attempts: int
    last_error: str | None
    planned_at: datetime
    next_try_at: datetime | None  # null: not tried again by itself
    delivered_at: datetime | None
    delivered_uid: SOPInstanceUID | None  # SOP Instance UID of the form that the destination took


class Deliveries(BaseModel):
    """A part of all deliveries, and how many the whole has."""

    total: int
    items: tuple[ListedDelivery, ...]

    @classmethod
    def of(cls, page: DeliveryPage) -> Self:
        return cls(total=page.total, items=tuple(ListedDelivery.model_validate(one) for one in page.items))


@router.get("", summary="Deliveries, the newest first")
def list_deliveries(service: Service, limit: Limit = 50, offset: Offset = 0, status: Status = None) -> Deliveries:
    with reading(service.engine) as connection:
        page = deliveries.page(connection, limit, offset, status)
    return Deliveries.of(page)
