"""What the HTTP edge knows of the service behind it; whoever starts the edge hands it over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine

from xray_ai.domain.waiting import DEFAULT_CAPS, WaitingCaps
from xray_ai.records.sessions import Lasting

A_SHIFT = Lasting(unused=timedelta(hours=1), at_most=timedelta(hours=12))


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Operations:
    """What may be asked of the service."""

    engine: Engine  # of the records
    storage_root: Path
    device: str  # that the network runs on
    queue_depths: Callable[[], Mapping[str, int]]  # by queue: what waits to be done, or is being done
    not_ready: Callable[[], Sequence[str]]  # a sentence for each thing that is not; none: ready
    now: Callable[[], datetime] = utc_now
    lasting: Lasting = A_SHIFT  # of sessions
    invitation_lasts: timedelta = timedelta(hours=24)
    caps: WaitingCaps = DEFAULT_CAPS


def operations_of(request: Request) -> Operations:
    operations: Operations = request.app.state.operations
    return operations


Service = Annotated[Operations, Depends(operations_of)]
