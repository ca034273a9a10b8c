"""The triage of one file as one JSON object, the contract of `xray-ai triage --json`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xray_ai.domain.finding import ABNORMALITY, Score
from xray_ai.domain.radiograph import Note, RadiographHeader
from xray_ai.domain.reading import Reading
from xray_ai.errors import StudyRejected
from xray_ai.triage import Triage, TriagePolicy

FILE_KINDS = ("heatmap", "sr", "sc", "gsps")


@dataclass(frozen=True, slots=True, eq=False)
class TriagedFile:
    """What became of one file: a reading with its priority, or a rejection."""

    path: Path
    header: RadiographHeader | None
    rejection: StudyRejected | None
    reading: Reading | None
    decision: Triage | None
    policy: TriagePolicy | None
    notes: tuple[Note, ...]
    seconds: float
    files: Mapping[str, Path] | None  # None: no output folder was asked for


def as_json(triaged: TriagedFile) -> dict[str, Any]:
    """One JSON object; keys are only ever added, never renamed."""
    header, reading, rejection = triaged.header, triaged.reading, triaged.rejection
    decision, policy = triaged.decision, triaged.policy
    tree: dict[str, Any] = {
        "path": str(triaged.path),
        "sop_instance_uid": header and header.sop_instance_uid,
        "study_instance_uid": header and header.study_instance_uid,
        "status": "read" if reading else "not_read",
        "reason": rejection and {"code": rejection.code.value, "text": str(rejection)},
        "view_position": header and header.view_position.value,
        "model": reading and asdict(reading.model),
        "policy": policy and {"name": policy.name, "digest": policy.digest},
        "abnormality": reading and _scored(reading.abnormality),
        "findings": [
            _named(score) | _scored(score)
            for score in (reading.scores if reading else ())
            if score.finding.key != ABNORMALITY
        ],
        "priority": decision and decision.priority.name,
        "because": [score.finding.key for score in decision.because] if decision else [],
        "notes": [asdict(note) for note in triaged.notes],
        "seconds": round(triaged.seconds, 4),
    }
    if triaged.files is not None:
        tree["files"] = {kind: str(triaged.files[kind]) if kind in triaged.files else None for kind in FILE_KINDS}
    return tree


def _named(score: Score) -> dict[str, Any]:
    return asdict(score.finding)


def _scored(score: Score) -> dict[str, Any]:
    return {
        "probability": round(score.probability, 6),
        "operating_point": score.operating_point,
        "positive": score.is_positive,
    }
