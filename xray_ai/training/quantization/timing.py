"""What two networks take, timed in turns so that both meet the same machine."""

import statistics
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.session import Session

PAIRS = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds of one image on one thread, medians, and how many times faster the second is."""

    first: float
    second: float
    times_faster: float  # median of the pairs' ratios


def paired_pace(first: Session, second: Session, image: NDArray[np.float32], pairs: int = PAIRS) -> Pace:
    """Run both in turns: (1, 1, rows, columns)."""
    for session in (first, second):
        session.run(image)
    seconds = [(_seconds(first, image), _seconds(second, image)) for _ in range(pairs)]
    return Pace(
        1000 * statistics.median(one for one, _ in seconds),
        1000 * statistics.median(other for _, other in seconds),
        statistics.median(one / other for one, other in seconds),
    )


def _seconds(session: Session, image: NDArray[np.float32]) -> float:
    started = time.perf_counter()
    session.run(image)
    return time.perf_counter() - started
