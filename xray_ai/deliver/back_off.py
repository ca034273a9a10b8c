"""When a delivery that failed is tried again, and when it is given up: exponential back-off with full jitter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from xray_ai.errors import PeerUnavailable, XrayAiError


@dataclass(frozen=True, slots=True)
class BackOff:
    """How patient we are. As it stands, about two days go by before a delivery is given up."""

    first_wait_s: float = 10.0  # the longest wait after the first failure; each further failure doubles it
    longest_wait_s: float = 900.0  # so that a PACS that is back has its results soon
    most_attempts: int = 400

    def longest_after(self, attempt: int) -> float:
        """How long at most to wait after this many failures, in seconds."""
        return float(min(self.longest_wait_s, self.first_wait_s * 2 ** min(attempt - 1, 64)))


def next_try(now: datetime, attempt: int, draw: float, back_off: BackOff = BackOff()) -> datetime | None:
    """When to try again after `attempt` failures, from 1; None: it is a dead letter.

    `draw` is a random number from 0.0 to 1.0: deliveries that failed together do not come back together.
    """
    if attempt >= back_off.most_attempts:
        return None
    return now + timedelta(seconds=draw * back_off.longest_after(attempt))


def next_try_after(
    failure: XrayAiError, now: datetime, attempt: int, draw: float, back_off: BackOff = BackOff()
) -> datetime | None:
    """As `next_try`; what no later attempt can mend is a dead letter at once, for a person to look at."""
    return next_try(now, attempt, draw, back_off) if isinstance(failure, PeerUnavailable) else None
