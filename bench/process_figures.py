"""What a tree of processes costs, from /proc: its members, their processor time and their memory."""

import os
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree_of(pid: int) -> list[int]:
    """A process and all its descendants that live."""
    parents = {child: _stat(child)[1] for child in _pids()}
    tree = [pid]
    for member in tree:
        tree += [child for child, parent in parents.items() if parent == str(member)]
    return tree


def processor_s(pids: list[int]) -> float:
    """Seconds of a core that they have used."""
    return sum((int(stat[11]) + int(stat[12])) / TICKS_A_SECOND for stat in map(_stat, pids) if len(stat) > 12)  # noqa: PLR2004


def memory_mb(pids: list[int]) -> float:
    """Their resident memory, what they share counted once (PSS)."""
    return sum(map(_pss_kb, pids)) / 1000


def _pids() -> list[int]:
    return [int(folder.name) for folder in PROC.iterdir() if folder.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on; none of a process that is gone. Source: proc(5)."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["", ""]


def _pss_kb(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
