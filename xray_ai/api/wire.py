"""How parts of requests and answers are written: which part of a list, UIDs, priorities."""

from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import PlainSerializer

from xray_ai.domain.priority import Priority

MOST_LISTED = 200
LARGEST_OFFSET = 10**9

Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=LARGEST_OFFSET, description="How many to pass over.")]
StudyUid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$", description="Study Instance UID.")]


PriorityWord = Literal["STAT", "HIGH", "ROUTINE"]


def _name(priority: Priority) -> PriorityWord:
    names: dict[Priority, PriorityWord]
    names = {Priority.STAT: "STAT", Priority.HIGH: "HIGH", Priority.ROUTINE: "ROUTINE"}
    return names[priority]


PriorityName = Annotated[Priority, PlainSerializer(_name)]
