"""Sees when a study's flag is committed, by looking into the service's database beside it."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Self

LOOK_EACH_S = 0.002
NEWLY_FLAGGED = """SELECT hops.number, hops.study_instance_uid FROM hops JOIN studies USING (study_instance_uid)
    WHERE hops.number > ? AND hops.what = 'read' AND studies.status = 'read' ORDER BY hops.number"""


class Watcher:
    """Looks into the service's database, as a reader of its own, and notes when it first sees each study's flag."""

    def __init__(self, records: Path) -> None:
        self._records = f"file:{records}?mode=ro"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.seen: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        last, version = 0, -1
        with closing(sqlite3.connect(self._records, uri=True, isolation_level=None)) as records:
            while not self._stop.wait(LOOK_EACH_S):
                (newest,) = records.execute("PRAGMA data_version").fetchone()
                if newest == version:
                    continue
                version = newest
                for hop, study in records.execute(NEWLY_FLAGGED, (last,)).fetchall():
                    self.seen.setdefault(study, time.time())
                    last = hop
