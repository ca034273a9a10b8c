"""How long a study may wait before it rises on the worklist, so that none is passed over for ever."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from xray_ai.domain.priority import Priority


@dataclass(frozen=True, slots=True)
class Rise:
    """Studies of one priority that stand at one level go one up when they have waited so long."""

    priority: Priority
    level: Priority  # where they stand
    after: timedelta  # since their first image came


@dataclass(frozen=True, slots=True)
class WaitingCaps:
    """How long a study of each priority may wait; past its cap it rises by one, past the next one's too by one more."""

    longest: Mapping[Priority, timedelta]

    def is_passed(self, priority: Priority, waited: timedelta) -> bool:
        """Whether a study of this priority has waited too long."""
        return waited > self.longest[priority]

    def rises(self) -> Iterator[Rise]:
        """Every step up that there is."""
        for priority in Priority:
            waited = timedelta(0)
            for level in (one for one in Priority if priority <= one < Priority.STAT):
                waited += self.longest[level]
                yield Rise(priority, level, waited)


DEFAULT_CAPS = WaitingCaps(
    {
        Priority.STAT: timedelta(minutes=30),
        Priority.HIGH: timedelta(hours=2),
        Priority.ROUTINE: timedelta(hours=24),
    }
)
