"""The triage of one file as one JSON object, the contract of `xray-ai triage --json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from xray_ai.domain.finding import ABNORMALITY, Score
from xray_ai.domain.radiograph import Note, RadiographHeader
from xray_ai.domain.reading import ModelIdentity, Reading, ScopeReading
from xray_ai.domain.scope import LIMITED_QUALITY, QUALITY_FINDINGS, ScopeAnswer
from xray_ai.errors import StudyRejected
from xray_ai.triage import Triage, TriagePolicy

JsonObject = dict[str, object]
FILE_KINDS = ("heatmap", "sr", "sc", "gsps")


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """What became of a file that was read."""

    reading: Reading
    decision: Triage
    policy: TriagePolicy
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TriagedFile:
    """What became of one file: it was read, or rejected."""

    path: Path
    header: RadiographHeader | None
    seconds: float
    files: Mapping[str, Path] | None  # None: no output folder was asked for
    read: Read | None = None
    rejection: StudyRejected | None = None
    refused_by: ModelIdentity | None = None  # the scope pack, where the pixels were the reason


def as_json(triaged: TriagedFile) -> JsonObject:
    """One JSON object; keys are only ever added, never renamed."""
    header, read, rejection = triaged.header, triaged.read, triaged.rejection
    scores = read.reading.scores if read else ()
    tree: JsonObject = {
        "path": str(triaged.path),
        "sop_instance_uid": header and header.sop_instance_uid,
        "study_instance_uid": header and header.study_instance_uid,
        "status": "read" if read else "not_read",
        "reason": rejection and {"code": rejection.code.value, "text": str(rejection)},
        "view_position": header and header.view_position.value,
        "model": read and asdict(read.reading.model),
        "scope": _scope(read.reading.scope) if read else triaged.refused_by and asdict(triaged.refused_by),
        "policy": read and {"name": read.policy.name, "digest": read.policy.digest},
        "abnormality": read and _scored(read.reading.abnormality),
        "findings": [_named(score) | _scored(score) for score in scores if score.finding.key != ABNORMALITY],
        "priority": read and read.decision.priority.name,
        "because": [score.finding.key for score in read.decision.because] if read else [],
        "image_quality": read and _image_quality(read.reading.scope),
        "notes": [asdict(note) for note in read.notes] if read else [],
        "seconds": round(triaged.seconds, 4),
    }
    if triaged.files is not None:
        tree["files"] = {kind: str(triaged.files[kind]) if kind in triaged.files else None for kind in FILE_KINDS}
    return tree


def _scope(scope: ScopeReading | None) -> JsonObject | None:
    """Which model accepted the pixels, and by which answers; None where nobody asked."""
    if scope is None:
        return None
    return asdict(scope.model) | {"answers": [_answered(answer) for answer in scope.answers]}


def _image_quality(scope: ScopeReading | None) -> JsonObject:
    """The rating (CID 7036) is 'Limited' or none; the findings are those of CID 6135."""
    faults = scope.quality_findings if scope else ()
    findings = [_answered(fault) | {"code": asdict(QUALITY_FINDINGS[fault.question])} for fault in faults]
    return {"rating": asdict(LIMITED_QUALITY) if faults else None, "findings": findings}


def _answered(answer: ScopeAnswer) -> JsonObject:
    return {"key": answer.question.value, "probability": answer.probability, "point": answer.point}


def _named(score: Score) -> JsonObject:
    return asdict(score.finding)


def _scored(score: Score) -> JsonObject:
    return {
        "probability": round(score.probability, 6),
        "operating_point": score.operating_point,
        "positive": score.is_positive,
    }
