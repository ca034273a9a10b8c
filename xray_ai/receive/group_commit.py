"""Many threads record at once, one transaction commits for all that wait: the flush to the medium is shared."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine

from xray_ai.records.database import writing

Entry = TypeVar("Entry")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Batch(Generic[Entry, Answer]):
    """What one transaction will record, and what it will answer to each."""

    entries: list[Entry]
    answers: Future[list[Answer]]


class GroupCommit(Generic[Entry, Answer]):
    """Hands entries to one thread, which records all that came while it was busy in its next transaction."""

    def __init__(
        self,
        engine: Engine,
        record_all: Callable[[Connection, list[Entry]], list[Answer]],
        committed: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._record_all = record_all
        self._committed = committed
        self._lock = Lock()
        self._open: _Batch[Entry, Answer] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="group-commit")

    def record(self, entry: Entry) -> Answer:
        """Return the answer once the entry is committed; whatever the transaction raises, all of its callers get."""
        with self._lock:
            if self._open is None:
                entries: list[Entry] = []
                self._open = _Batch(entries, self._thread.submit(self._commit, entries))
            batch = self._open
            place = len(batch.entries)
            batch.entries.append(entry)
        return batch.answers.result()[place]

    def close(self) -> None:
        """Commit what waits, and end the thread."""
        self._thread.shutdown()

    def _commit(self, entries: list[Entry]) -> list[Answer]:
        try:
            with writing(self._engine) as connection:
                self._take_no_more(entries)  # only now: what came while another process wrote is in
                answers = self._record_all(connection, entries)
        finally:
            self._take_no_more(entries)  # the transaction may not have begun
        self._committed()
        return answers

    def _take_no_more(self, entries: list[Entry]) -> None:
        with self._lock:
            if self._open is not None and self._open.entries is entries:
                self._open = None
