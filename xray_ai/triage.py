"""How soon: scores and a policy make a priority with its reasons."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xray_ai.domain.finding import ABNORMALITY, FindingKey, Score
from xray_ai.domain.priority import Priority
from xray_ai.errors import OperatorNeeded


class PolicyUnsound(OperatorNeeded):
    """A triage policy cannot be used as it stands."""

    def __init__(self, found: str) -> None:
        super().__init__(f"The triage policy is unsound: {found}", remedy="Mend the file that triage.policy names.")


@dataclass(frozen=True, slots=True)
class TriagePolicy:
    """Which finding makes a study how urgent. A finding that is not listed is ROUTINE with its reason."""

    name: str
    digest: str  # SHA-256 of the policy's text: the version that results carry
    priorities: Mapping[FindingKey, Priority]

    def priority_of(self, key: FindingKey) -> Priority:
        return self.priorities.get(key, Priority.ROUTINE)

    @classmethod
    def parse(cls, text: str) -> "TriagePolicy":
        """Read a policy's TOML. Raises PolicyUnsound."""
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise PolicyUnsound(f"it is no TOML ({error}).") from error
        unknown = tree.keys() - {"name", "priorities"}
        if unknown or not isinstance(tree.get("priorities"), dict):
            raise PolicyUnsound(f"it needs name and [priorities], and has {sorted(tree)}.")
        priorities = {FindingKey(key): _priority(key, word) for key, word in tree["priorities"].items()}
        if priorities.get(ABNORMALITY, Priority.ROUTINE) > Priority.HIGH:
            raise PolicyUnsound("abnormality alone may not be above HIGH.")
        return cls(str(tree.get("name", "")), hashlib.sha256(text.encode()).hexdigest(), MappingProxyType(priorities))


@dataclass(frozen=True, slots=True)
class Triage:
    """The decision: how soon, and why."""

    priority: Priority
    because: tuple[Score, ...]  # every finding at or above its operating point, the most urgent first


def triage(scores: Iterable[Score], policy: TriagePolicy, ordered: Priority = Priority.ROUTINE) -> Triage:
    """Decide how soon a radiologist should see the study; never later than it was ordered."""
    because = sorted(
        (score for score in scores if score.is_positive),
        key=lambda score: (policy.priority_of(score.finding.key), score.finding.key != ABNORMALITY, score.probability),
        reverse=True,
    )
    found = max((policy.priority_of(score.finding.key) for score in because), default=Priority.ROUTINE)
    return Triage(max(found, ordered), tuple(because))


def _priority(key: str, word: object) -> Priority:
    if not isinstance(word, str) or word not in Priority.__members__:
        raise PolicyUnsound(f"{key} is {word!r}; it must be one of {', '.join(Priority.__members__)}.")
    return Priority[word]
