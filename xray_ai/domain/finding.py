"""Findings, their codes, and how likely a model holds them."""

import math
from dataclasses import dataclass
from typing import NewType

from xray_ai.errors import OperatorNeeded

FindingKey = NewType("FindingKey", str)  # snake case, for example pleural_effusion

ABNORMALITY = FindingKey("abnormality")  # any finding at all; always the last of a model's outputs


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (PS3.16): code value, coding scheme designator, code meaning."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a model looks for."""

    key: FindingKey
    name: str
    code: Code


class ScoreOutOfRange(OperatorNeeded):
    """A model gave a number that is no probability."""

    def __init__(self, key: str, probability: float) -> None:
        super().__init__(
            f"The model scored {key} at {probability}, outside 0 to 1.",
            remedy="Check `calibration` in the pack with `xray-ai models verify`.",
        )


@dataclass(frozen=True, slots=True)
class Score:
    """How likely one finding is on one radiograph, by one model."""

    finding: Finding
    probability: float  # calibrated for the pack's stated prevalence, 0.0 to 1.0; never a logit
    operating_point: float  # at or above: present
    rule_out_point: float  # below: absent; between the two: undetermined

    def __post_init__(self) -> None:
        if math.isnan(self.probability) or not 0.0 <= self.probability <= 1.0:
            raise ScoreOutOfRange(self.finding.key, self.probability)

    @property
    def is_positive(self) -> bool:
        return self.probability >= self.operating_point
