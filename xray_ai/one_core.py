"""What a process sets for itself: one thread, memory that stays at hand, and who goes first where cores are scarce."""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import cv2

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
LARGEST_KEPT_ARRAY = 32 * 2**20  # the most that glibc takes for M_MMAP_THRESHOLD; a radiograph's 15 MB lie below it
MOST_KEPT = 256 * 2**20
PATIENCE = 19  # nice value, 0 to 19
AUTOGROUP = Path("/proc/self/autogroup")


def settle_on_one_core() -> None:
    """Keep to one thread, as one process a core serves best (docs/decisions/0006), and keep memory from image to image.

    glibc gives the memory of large arrays back at once, and Linux hands it out again page by page, cleared: up to a
    tenth of the time of an uncompressed radiograph, and a third of that of an RLE one. All threads share what is kept:
    an arena a thread took 370 MB more under load. Without glibc nothing is kept.
    Source: mallopt(3).
    """
    cv2.setNumThreads(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_ARRAY)
        mallopt(M_TRIM_THRESHOLD, MOST_KEPT)
        mallopt(M_ARENA_MAX, 1)


def let_others_go_first() -> None:
    """Take what the processes that receive and read leave: a flag is waited for, a report less so.

    Linux weighs sessions before it weighs the processes in them, where autogroups are on. Source: sched(7).
    """
    os.nice(PATIENCE)
    with suppress(OSError):  # elsewhere there are none
        AUTOGROUP.write_text(str(PATIENCE))
