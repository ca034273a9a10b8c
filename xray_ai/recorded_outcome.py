"""What was made of a radiograph, as a row of the records and as a step on its study's way."""

from dataclasses import dataclass, replace
from datetime import datetime

from xray_ai.domain.priority import Priority
from xray_ai.domain.reading import Reading
from xray_ai.domain.received import ObjectDigest
from xray_ai.reading_room import TriagedRadiograph, UnreadRadiograph
from xray_ai.records.column_types import Json, RecordedScore
from xray_ai.records.hops import Hop
from xray_ai.records.readings import RecordedReading
from xray_ai.records.received_instances import ReceivedInstance
from xray_ai.records.words import HopKind, ReadingStatus


@dataclass(frozen=True, slots=True)
class Judged:
    """One radiograph that was read or refused, and when, by what, from which bytes."""

    version: ReceivedInstance
    outcome: TriagedRadiograph | UnreadRadiograph
    kept_as: ObjectDigest  # the stored outcome
    model_digest: str
    at: datetime
    seconds: float

    @property
    def priority(self) -> Priority:
        return Priority.ROUTINE if isinstance(self.outcome, UnreadRadiograph) else self.outcome.decision.priority

    def reading(self) -> RecordedReading:
        """The row of this judgement."""
        outcome = self.outcome
        unread = RecordedReading(
            sop_instance_uid=self.version.sop_instance_uid,
            model_digest=self.model_digest,
            study_instance_uid=self.version.study_instance_uid,
            source_digest=self.version.digest,
            status=ReadingStatus.NOT_READ,
            read_at=self.at,
            seconds=self.seconds,
            detail={"notes": [], "model": None},
            heatmap_digest=self.kept_as,
        )
        if isinstance(outcome, UnreadRadiograph):
            return replace(unread, reason_code=outcome.rejection.code.value, reason_text=str(outcome.rejection))
        return replace(
            unread,
            status=ReadingStatus.READ,
            scores=_scores(outcome.reading),
            because=tuple(score.finding.key for score in outcome.decision.because),
            priority=outcome.decision.priority,
            abnormality=outcome.reading.abnormality.probability,
            detail=_detail(outcome),
        )

    def hop(self) -> Hop:
        """The step on the study's way."""
        outcome = self.outcome
        if isinstance(outcome, UnreadRadiograph):
            what, reason = HopKind.NOT_READ, str(outcome.rejection)
        else:
            because = ", ".join(score.finding.name for score in outcome.decision.because)
            what, reason = HopKind.READ, f"{outcome.decision.priority.name}: {because or 'no finding flagged'}."
        return Hop(self.version.study_instance_uid, self.at, what, reason, self.version.sop_instance_uid)


def _scores(reading: Reading) -> tuple[RecordedScore, ...]:
    return tuple(
        RecordedScore(score.finding.key, score.probability, score.operating_point, score.rule_out_point)
        for score in reading.scores
    )


def _detail(outcome: TriagedRadiograph) -> Json:
    model = outcome.reading.model
    return {
        "notes": [{"code": note.code, "text": note.text} for note in outcome.notes],
        "model": {"name": model.name, "version": model.version},
    }
