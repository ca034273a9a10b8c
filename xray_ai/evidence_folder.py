"""Writes what was found into a folder: heatmap pictures, structured reports, secondary captures.

The folder remembers when each radiograph was read. So a second run over the same files writes the same
objects again, byte for byte, and nothing reaches a PACS twice under two names.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from xray_ai import log
from xray_ai.domain.evidence import ResultOptions
from xray_ai.domain.uid import SOPInstanceUID, StudyInstanceUID
from xray_ai.errors import OperatorNeeded, StudyRejected
from xray_ai.reading_room import ReadingRoom, TriagedRadiograph, UnreadRadiograph, report_study, result_image
from xray_ai.results.evidence import Evidence
from xray_ai.results.heatmap_image import HeatmapCaption, heatmap_png
from xray_ai.results.study_result import ReadImage, StudyImage, UnreadImage

READING_TIMES = "reading-times.json"


@dataclass(frozen=True, slots=True, eq=False)
class Filed:
    """One file that was triaged, and where the results about it lie."""

    path: Path
    outcome: TriagedRadiograph | UnreadRadiograph
    files: dict[str, Path] = field(default_factory=dict)  # kind of result -> file


def write_evidence(
    room: ReadingRoom, filed: Sequence[Filed], folder: Path, options: ResultOptions, now: datetime
) -> None:
    """Write the results of every study among `filed` into `folder`, and name them in each one's `files`.

    Raises: OperatorNeeded, when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        times = ReadingTimes(folder / READING_TIMES)
        for study_uid, members in _by_study(filed).items():
            _write_study(room, study_uid, members, _Sheaf(folder, options, times, now))
    except OSError as error:
        raise OperatorNeeded(
            f"The results cannot be written into {folder} ({type(error).__name__}).",
            remedy="Name a folder with --out that may be written and has room.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Sheaf:
    """Where and how the results of one call are written."""

    folder: Path
    options: ResultOptions
    times: "ReadingTimes"
    now: datetime


def _write_study(
    room: ReadingRoom, study_uid: StudyInstanceUID, members: Sequence[tuple[int, Filed]], sheaf: _Sheaf
) -> None:
    """Write one study's pictures, file by file, and its objects, in which an image that came twice counts once."""
    images: dict[SOPInstanceUID, StudyImage] = {}
    for number, one in members:
        image = _opened(one, sheaf.options)
        if image is None:
            continue
        one.files.update(_write_pictures(sheaf.folder, number, image))
        known = images.setdefault(image.header.sop_instance_uid, image)
        if isinstance(known, UnreadImage) and isinstance(image, ReadImage):  # a damaged copy hides no reading
            images[image.header.sop_instance_uid] = image
    if not images:
        return
    read_at = max(sheaf.times.of(image, room, sheaf.now) for image in images.values())
    sheaf.times.save()  # before the objects that carry it: an unfinished run is finished with the same ones
    evidence = report_study(room, list(images.values()), read_at, sheaf.options)
    for _, one in members:
        if one.outcome.header is not None:
            one.files.update(_write_objects(sheaf.folder, study_uid, one.outcome.header.sop_instance_uid, evidence))


def _opened(one: Filed, options: ResultOptions) -> StudyImage | None:
    try:
        return result_image(one.path, one.outcome, options)
    except StudyRejected as gone:  # between the two readings; what was read stays in the table and in the JSON
        log.warning("radiograph.not_reported", reason=gone.code.value)
        return None


class ReadingTimes:
    """When each radiograph of a folder was first read by each pair of models; a result's dates are never 'now'."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            stored = json.loads(file.read_text("utf-8")) if file.exists() else {}
            self._times = {str(key): datetime.fromisoformat(time) for key, time in stored.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise OperatorNeeded(f"{file} is damaged.", remedy="Choose another folder, or remove this file.") from error

    def of(self, image: StudyImage, room: ReadingRoom, now: datetime) -> datetime:
        """The recorded time of this reading, or `now`, which is then recorded."""
        scope = room.reader.scope_identity
        models = (room.reader.pack.identity, scope) if scope else (room.reader.pack.identity,)
        key = " ".join((log.key_of(image.header.sop_instance_uid), *(model.digest[:16] for model in models)))
        return self._times.setdefault(key, now.replace(microsecond=0))

    def save(self) -> None:
        unfinished = self._file.with_suffix(".unfinished")
        times = {key: time.isoformat() for key, time in self._times.items()}
        unfinished.write_text(json.dumps(times, indent=1), "utf-8")
        unfinished.replace(self._file)


def _by_study(filed: Iterable[Filed]) -> dict[StudyInstanceUID, list[tuple[int, Filed]]]:
    """Group by study, each file with its number, from 1; what has no header belongs to none."""
    studies: dict[StudyInstanceUID, list[tuple[int, Filed]]] = {}
    for number, one in enumerate(filed, 1):
        if one.outcome.header is not None:
            studies.setdefault(one.outcome.header.study_instance_uid, []).append((number, one))
    return studies


def _write_objects(
    folder: Path, study_uid: StudyInstanceUID, sop_instance_uid: SOPInstanceUID, evidence: Evidence
) -> dict[str, Path]:
    files = {}
    if evidence.structured_report is not None:
        files["sr"] = _write(folder / f"{log.key_of(study_uid)}-sr.dcm", evidence.structured_report)
    capture = evidence.secondary_captures.get(sop_instance_uid)
    if capture is not None:
        files["sc"] = _write(folder / f"{log.key_of(sop_instance_uid)}-sc.dcm", capture)
    return files


def _write_pictures(folder: Path, number: int, image: StudyImage) -> dict[str, Path]:
    """A picture for each flagged finding; the most urgent one's is the radiograph's heatmap."""
    if isinstance(image, UnreadImage) or image.display is None or image.source_shape is None:
        return {}
    pictures = []
    for score in image.decision.because:
        key = score.finding.key
        caption = HeatmapCaption(score, image.reading.model)
        picture = heatmap_png(image.display, image.reading.heatmap_of(key), caption, image.source_shape)
        name = f"{number:04d}-{log.key_of(image.header.sop_instance_uid)}-{key}.png"
        pictures.append(_write(folder / name, picture))
    return {"heatmap": pictures[0]}


def _write(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file
