"""What a scope model answers about the pixels: whether they show an upright frontal chest, and how well taken."""

import math
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from xray_ai.domain.finding import Code, ScoreOutOfRange


class ScopeQuestion(StrEnum):
    """What is asked of a radiograph as displayed, in the order in which an answer refuses it."""

    NOT_FRONTAL_CHEST = "not_frontal_chest"
    TURNED_90 = "turned_90"  # clockwise, degrees
    TURNED_180 = "turned_180"
    TURNED_270 = "turned_270"
    INVERTED = "inverted"
    CLIPPED = "clipped"
    MOTION = "motion"
    UNDEREXPOSED = "underexposed"
    OVEREXPOSED = "overexposed"

    @property
    def is_about_quality(self) -> bool:
        """Whether the answer is a note; any other refuses the radiograph."""
        return self in QUALITY_FINDINGS


QUALITY_FINDINGS = MappingProxyType(  # CID 6135
    {
        ScopeQuestion.CLIPPED: Code("DCM", "111209", "Positioning"),
        ScopeQuestion.MOTION: Code("DCM", "111210", "Motion blur"),
        ScopeQuestion.UNDEREXPOSED: Code("DCM", "111211", "Under exposed"),
        ScopeQuestion.OVEREXPOSED: Code("DCM", "111212", "Over exposed"),
    }
)
LIMITED_QUALITY = Code("RADLEX", "RID13", "Limited quality")  # CID 7036; 'Diagnostic' is never claimed


@dataclass(frozen=True, slots=True)
class ScopeAnswer:
    """How likely one question is answered with yes."""

    question: ScopeQuestion
    probability: float  # 0.0 to 1.0
    point: float  # at or above: yes

    def __post_init__(self) -> None:
        if math.isnan(self.probability) or not 0.0 <= self.probability <= 1.0:
            raise ScoreOutOfRange(self.question, self.probability)

    @property
    def is_yes(self) -> bool:
        return self.probability >= self.point
