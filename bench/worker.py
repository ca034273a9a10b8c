"""One side of a comparison: a process of its own, on one thread, that answers one question at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
)
Job = Callable[[Path], object]


class Worker:
    """A side's process as the driver sees it."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env=os.environ | ONE_THREAD,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, job: str, path: Path = Path()) -> Any:  # noqa: ANN401 - JSON
        """Have one job done on one file; returns what the side answered."""
        if self._process.stdin is None or self._process.stdout is None:
            raise BrokenPipeError
        self._process.stdin.write(f"{job} {path}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            message = f"{self._module} ended at {job} {path}."
            raise RuntimeError(message)
        return json.loads(answer)

    def close(self) -> None:
        """End the process, and wait for it."""
        self._process.communicate()


def answer(jobs: Mapping[str, Job]) -> None:
    """Answer each line `job path` with one line of JSON, until the driver closes the pipe."""
    for line in sys.stdin:
        job, _, path = line.rstrip("\n").partition(" ")
        print(json.dumps(jobs[job](Path(path))), flush=True)


def peak_memory_mb(_: Path) -> float:
    """The most memory that this process ever held, in 10**6 bytes (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6
