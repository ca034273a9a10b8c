"""GET /api/worklist: the studies, most urgent first, as a radiologist's page lists them."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from xray_ai.api.listed_study import ListedStudy, list_studies
from xray_ai.api.service import Service
from xray_ai.api.wire import Limit, Offset, PriorityWord
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.records import worklist as records
from xray_ai.records.database import reading
from xray_ai.records.words import StudyStatus
from xray_ai.records.worklist import ReaderState, Scope, WorklistFilter, WorklistQuery, WorklistSort

router = APIRouter(prefix="/api/worklist", tags=["worklist"])

DATE = r"^[0-9]{8}$"
SORTS = "|".join(WorklistSort)
Sort = Annotated[str, Query(pattern=f"^-?({SORTS})$", description="A word of the list; '-' before it turns it round.")]


class Asked(BaseModel):
    """Which part of the worklist, as it is written in a request."""

    limit: Limit = 50
    offset: Offset = 0
    sort: Sort = WorklistSort.URGENCY.value
    status: StudyStatus | None = None
    state: ReaderState | None = None
    priority: PriorityWord | None = None
    finding: Annotated[str | None, Query(pattern=r"^[a-z_]{1,64}$")] = None
    station: Annotated[str, Query(max_length=64)] = ""
    date_from: Annotated[str | None, Query(pattern=DATE)] = None
    date_to: Annotated[str | None, Query(pattern=DATE)] = None
    text: Annotated[str, Query(max_length=128)] = ""
    scope: Scope = Scope.ALL

    def query(self) -> WorklistQuery:
        """The same, as the records are asked."""
        only = WorklistFilter(
            status=self.status,
            state=self.state,
            priority=None if self.priority is None else Priority[self.priority],
            finding=None if self.finding is None else FindingKey(self.finding),
            station=self.station,
            date_from=self.date_from or "",
            date_to=self.date_to or "",
            text=self.text,
            scope=self.scope,
        )
        order = WorklistSort(self.sort.removeprefix("-"))
        return WorklistQuery(self.limit, self.offset, order, self.sort.startswith("-"), only)


class Worklist(BaseModel):
    """A part of the worklist, and how many studies the whole has."""

    total: int
    items: tuple[ListedStudy, ...]


@router.get("", summary="Studies, most urgent first, then longest waiting")
def worklist(service: Service, asked: Annotated[Asked, Query()]) -> Worklist:
    with reading(service.engine) as connection:
        page = records.page(connection, asked.query())
        items = list_studies(connection, page.items, service.caps, service.now())
    return Worklist(total=page.total, items=items)
