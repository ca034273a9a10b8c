"""Our receiver as a process: objects kept durably and digested, one SQLite row each, committed before its answer."""

import sqlite3
import sys
import threading
from pathlib import Path

from xray_ai.domain.received import Receipt, Repeat, Sender
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.objects import Incoming, LocalObjects
from xray_ai.receive.application_entity import StorageScpSettings, listening


class DurableDoor:
    """What intake does at least: bytes and row on the medium."""

    def __init__(self, root: Path) -> None:
        self._objects = LocalObjects(root)
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(root / "rows.sqlite", check_same_thread=False, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE objects (digest TEXT PRIMARY KEY, caller TEXT)")

    def open(self) -> Incoming:
        return self._objects.incoming()

    def take(self, incoming: Incoming, sender: Sender) -> Receipt:
        digest = self._objects.keep(incoming)
        with self._lock:
            self._rows.execute("INSERT OR IGNORE INTO objects VALUES (?, ?)", (digest, sender.calling_ae_title))
        return Receipt(SOPInstanceUID("1.2.3"), StudyInstanceUID("1.2"), Repeat.NEW)


def main() -> None:
    """Serve on the port and in the folder that are named, until standard input ends."""
    port, root = int(sys.argv[1]), Path(sys.argv[2])
    with listening(StorageScpSettings(port=port), DurableDoor(root)):
        print("listening", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
