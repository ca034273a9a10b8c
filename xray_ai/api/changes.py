"""What has changed on the worklist, looked up once for all who listen."""

import asyncio
from dataclasses import dataclass

from fastapi.sse import ServerSentEvent

from xray_ai.api.listed_study import list_studies
from xray_ai.api.service import Operations
from xray_ai.domain.uid import StudyInstanceUID
from xray_ai.records import worklist
from xray_ai.records.database import reading, writing
from xray_ai.records.worklist import Mark

MOST_AT_ONCE = 200  # beyond it a page asks for its rows anew
MOST_UNREAD = 1000  # a page that is so far behind is let go, and comes again
OVERLAP = 64  # versions: a transaction may end after a later one, so the last are looked at again


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """A page that wants to know; its queue ends with None."""

    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[ServerSentEvent | None]

    def tell(self, event: ServerSentEvent | None) -> None:
        """Hand over an event from any thread."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: ServerSentEvent | None) -> None:
        if self.queue.qsize() == MOST_UNREAD:
            self.queue.put_nowait(None)
        elif self.queue.qsize() < MOST_UNREAD:
            self.queue.put_nowait(event)


class Changes:
    """Looks for changes while anybody listens, and lifts what has waited too long whether they do or not."""

    def __init__(self, service: Operations) -> None:
        self._service = service
        self._listeners: set[Listener] = set()
        self._seen: frozenset[Mark] | None = None  # none: nobody listened
        self._since = 0
        self._is_over = False

    def listen(self) -> tuple[Listener, int]:
        """Tell a page of all that changes from now on, and which version that is."""
        listener = Listener(asyncio.get_running_loop(), asyncio.Queue())
        self._listeners.add(listener)
        if self._is_over:
            listener.tell(None)
        with reading(self._service.engine) as connection:
            return listener, worklist.newest_version(connection)

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    def close(self) -> None:
        """Let all who listen go."""
        self._is_over = True
        self._tell(None)

    def lift(self) -> None:
        """Lift what has waited too long."""
        with reading(self._service.engine) as connection:
            is_to_rise = worklist.is_to_rise(connection, self._service.caps, self._service.now())
        if is_to_rise:
            with writing(self._service.engine) as connection:
                worklist.let_rise(connection, self._service.caps, self._service.now())

    def look(self) -> None:
        """Tell all who listen what has changed since the last look."""
        if not self._listeners:
            self._seen = None
            return
        with reading(self._service.engine) as connection:
            since = worklist.newest_version(connection) if self._seen is None else self._since
            marks = worklist.marks_since(connection, since - OVERLAP, MOST_AT_ONCE + OVERLAP)
            news = [] if self._seen is None else [mark.uid for mark in marks if mark not in self._seen]
            events = self._told(news)
        self._seen = frozenset(marks)
        self._since = max([since, *(mark.version for mark in marks)])
        for event in events:
            self._tell(event)

    def _told(self, news: list[StudyInstanceUID]) -> list[ServerSentEvent]:
        if len(news) > MOST_AT_ONCE:
            return [ServerSentEvent(event="reload", raw_data="{}")]
        if not news:
            return []
        with reading(self._service.engine) as connection:
            studies = worklist.these(connection, news)
            listed = list_studies(connection, studies, self._service.caps, self._service.now())
        return [
            ServerSentEvent(event="study", raw_data=one.model_dump_json(by_alias=True), id=str(one.version))
            for one in listed
        ]

    def _tell(self, event: ServerSentEvent | None) -> None:
        for listener in tuple(self._listeners):
            listener.tell(event)
