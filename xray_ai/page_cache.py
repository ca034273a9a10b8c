"""What the kernel holds in memory of the files that pass through: written out while they grow, let go after a while.

A radiograph is looked at twice within seconds, then seldom. Its pages serve the next ones better than the host of a
virtual machine, to which Linux gives what lies free: to get a page back costs ten times what it costs to fill it
(docs/decisions/0029).
"""

import ctypes
import os
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

SYNC_FILE_RANGE_WRITE = 2  # of glibc's fcntl.h
_C_LIBRARY = ctypes.CDLL(None)


def start_writing_out(file: int, start: int, count: int) -> None:
    """Have these bytes written to the medium from now on, so that a later flush finds little left; a hint only.

    Source: sync_file_range(2), which is Linux's.
    """
    sync_file_range = getattr(_C_LIBRARY, "sync_file_range", None)
    if sync_file_range is not None:
        sync_file_range(file, ctypes.c_int64(start), ctypes.c_int64(count), SYNC_FILE_RANGE_WRITE)


class RecentFiles:
    """The files that were used last; what they crowd out is let go from memory, and stays on disk."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[Path, int] = OrderedDict()  # the oldest first
        self._lock = Lock()

    def use(self, path: Path) -> None:
        """Count a file in as the last one used."""
        with suppress(FileNotFoundError):  # it expired meanwhile
            size = path.stat().st_size
            with self._lock:
                self._sizes[path] = size
                self._sizes.move_to_end(path)
            for old in self._crowded_out():
                _let_go(old)

    def _crowded_out(self) -> list[Path]:
        with self._lock:
            too_much = sum(self._sizes.values()) - self._most_bytes
            crowded_out = []
            while too_much > 0 and len(self._sizes) > 1:
                path, size = self._sizes.popitem(last=False)
                crowded_out.append(path)
                too_much -= size
            return crowded_out


def _let_go(path: Path) -> None:
    """Drop the pages of a file that lie on the medium too; those still to be written stay."""
    if not hasattr(os, "posix_fadvise"):
        return
    with suppress(FileNotFoundError), path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
