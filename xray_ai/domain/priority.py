"""How soon a radiologist should see a study."""

from enum import IntEnum


class Priority(IntEnum):
    """Worklist priority; a higher number goes first."""

    ROUTINE = 0
    HIGH = 1
    STAT = 2
