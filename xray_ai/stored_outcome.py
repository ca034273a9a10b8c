"""What was made of a radiograph, as bytes that a later process takes up again: the report is composed from it."""

import base64
from collections.abc import Mapping
from types import MappingProxyType
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from xray_ai.domain.finding import FindingKey, Score
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import Note, RadiographHeader
from xray_ai.domain.reading import Heatmap, ModelIdentity, Reading, ScopeReading, SourceBox
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.reading_room import TriagedRadiograph, UnreadRadiograph
from xray_ai.triage import Triage, TriagePolicy


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _StoredHeatmap(_Stored):
    finding: FindingKey
    rows: int
    columns: int
    float32_little_endian: str  # base64
    box: SourceBox

    @classmethod
    def of(cls, heatmap: Heatmap) -> Self:
        rows, columns = heatmap.values.shape
        values = base64.b64encode(heatmap.values.astype("<f4").tobytes()).decode("ascii")
        return cls(finding=heatmap.finding, rows=rows, columns=columns, float32_little_endian=values, box=heatmap.box)

    def heatmap(self) -> Heatmap:
        values = np.frombuffer(base64.b64decode(self.float32_little_endian), "<f4").reshape(self.rows, self.columns)
        return Heatmap(self.finding, values.astype(np.float32), self.box)


class _StoredReading(_Stored):
    model: ModelIdentity
    scores: tuple[Score, ...]
    heatmaps: tuple[_StoredHeatmap, ...]
    notes: tuple[Note, ...]
    scope: ScopeReading | None
    pixel_notes: tuple[Note, ...]

    @classmethod
    def of(cls, reading: Reading) -> Self:
        return cls(
            model=reading.model,
            scores=reading.scores,
            heatmaps=tuple(_StoredHeatmap.of(heatmap) for heatmap in reading.heatmaps),
            notes=reading.notes,
            scope=reading.scope,
            pixel_notes=reading.pixel_notes,
        )

    def reading(self) -> Reading:
        heatmaps = tuple(heatmap.heatmap() for heatmap in self.heatmaps)
        return Reading(self.model, self.scores, heatmaps, self.notes, self.scope, self.pixel_notes)


class _StoredTriaged(_Stored):
    header: RadiographHeader
    reading: _StoredReading
    policy_name: str
    policy_digest: str
    policy_priorities: Mapping[FindingKey, Priority]
    priority: Priority
    because: tuple[Score, ...]
    notes: tuple[Note, ...]

    @classmethod
    def of(cls, outcome: TriagedRadiograph) -> Self:
        return cls(
            header=outcome.header,
            reading=_StoredReading.of(outcome.reading),
            policy_name=outcome.policy.name,
            policy_digest=outcome.policy.digest,
            policy_priorities=dict(outcome.policy.priorities),
            priority=outcome.decision.priority,
            because=outcome.decision.because,
            notes=outcome.notes,
        )

    def outcome(self) -> TriagedRadiograph:
        priorities = MappingProxyType(dict(self.policy_priorities))
        policy = TriagePolicy(self.policy_name, self.policy_digest, priorities)
        decision = Triage(self.priority, self.because)
        return TriagedRadiograph(self.header, self.reading.reading(), policy, decision, self.notes)


class _StoredUnread(_Stored):
    header: RadiographHeader | None
    code: RejectionCode
    found: str
    remedy: str
    refused_by: ModelIdentity | None

    @classmethod
    def of(cls, outcome: UnreadRadiograph) -> Self:
        rejection = outcome.rejection
        return cls(
            header=outcome.header,
            code=rejection.code,
            found=rejection.found,
            remedy=rejection.remedy,
            refused_by=outcome.refused_by,
        )

    def outcome(self) -> UnreadRadiograph:
        rejection = StudyRejected(self.code, self.found, remedy=self.remedy)
        return UnreadRadiograph(self.header, rejection, self.refused_by)


class _StoredOutcome(_Stored):
    """One of the two is there."""

    triaged: _StoredTriaged | None = None
    unread: _StoredUnread | None = None


def as_bytes(outcome: TriagedRadiograph | UnreadRadiograph) -> bytes:
    """The same outcome gives the same bytes."""
    if isinstance(outcome, UnreadRadiograph):
        stored = _StoredOutcome(unread=_StoredUnread.of(outcome))
    else:
        stored = _StoredOutcome(triaged=_StoredTriaged.of(outcome))
    return stored.model_dump_json(exclude_none=False).encode()


def from_bytes(content: bytes) -> TriagedRadiograph | UnreadRadiograph:
    """Take up again what `as_bytes` wrote. Raises ValueError where it is something else."""
    stored = _StoredOutcome.model_validate_json(content)
    chosen = stored.triaged or stored.unread
    if chosen is None:
        message = "A stored outcome holds neither a reading nor a refusal."
        raise ValueError(message)
    return chosen.outcome()
