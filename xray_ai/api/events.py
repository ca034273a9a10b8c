"""GET /api/events: a page hears of every study that comes, is read, is claimed or rises (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from xray_ai.api.changes import Changes

router = APIRouter(prefix="/api/events", tags=["worklist"])

LASTS_S = 300.0  # then the page comes again, and is asked again who it is
COMES_AGAIN_MS = 1000


@router.get("", summary="What changes on the worklist, as it changes", response_class=EventSourceResponse)
async def events(request: Request) -> AsyncIterator[ServerSentEvent]:
    changes: Changes = request.app.state.changes
    listener, version = changes.listen()
    try:
        yield ServerSentEvent(event="hello", data={"version": version}, id=str(version), retry=COMES_AGAIN_MS)
        async with asyncio.timeout(LASTS_S):
            while (event := await listener.queue.get()) is not None:
                yield event
    except TimeoutError:
        return
    finally:
        changes.leave(listener)
