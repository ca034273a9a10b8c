"""Structured report of one study: Comprehensive 3D SR or Comprehensive SR after TID 1500, as IHE AI Results asks."""

import re
from collections.abc import Sequence
from types import MappingProxyType

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import Comprehensive3DSR, ComprehensiveSR, ContainerContentItem
from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from xray_ai import __version__
from xray_ai.acceptance import CHEST_BUT_UNREADABLE
from xray_ai.domain.evidence import SRForm
from xray_ai.domain.uid import SOPClassUID, derived_uid
from xray_ai.imaging.attributes import text_of
from xray_ai.imaging.header import LONGEST_UID, UID_PATTERN
from xray_ai.results import coded_concepts as concept
from xray_ai.results.content_items import container, reference
from xray_ai.results.identity import REQUIRED, carry_identity
from xray_ai.results.measurement_report import MANUFACTURER, measurement_report
from xray_ai.results.plain_text import plain
from xray_ai.results.reading_time import stamp_reading_time
from xray_ai.results.referenced_request import requests_of
from xray_ai.results.result_uids import series_instance_uid, sop_instance_uid
from xray_ai.results.study_result import StudyImage, StudyResult, UnreadImage

SERIES_DESCRIPTION = "XRAY_AI report - RESEARCH USE - NOT FOR DIAGNOSIS"
CHEST_WORDS = frozenset({"CHEST", "THORAX", "LUNG"})


class _OnlyOurs:
    """Keeps highdicom from saying more than it is told."""

    def copy_patient_and_study_information(self, dataset: Dataset) -> None:
        """Leave patient and study as they are: `carry_identity` brings their bytes."""

    def _add_contributing_equipment(self, *_: object) -> None:
        """It would say highdicom, and now."""


class _Comprehensive3DSR(_OnlyOurs, Comprehensive3DSR):
    pass


class _ComprehensiveSR(_OnlyOurs, ComprehensiveSR):
    pass


SOP_CLASSES = MappingProxyType(
    {
        SRForm.COMPREHENSIVE_3D: (SOPClassUID(Comprehensive3DSRStorage), _Comprehensive3DSR),
        SRForm.COMPREHENSIVE: (SOPClassUID(ComprehensiveSRStorage), _ComprehensiveSR),
    }
)


def structured_report(study: StudyResult) -> Dataset | None:
    """Report a study; None where nothing was read and nothing says that it shows a chest.

    The same study gives the same bytes. The report is Explicit VR Little Endian, with its file meta information.
    Source: PS3.3 A.35.3, A.35.13; PS3.16 TID 1500.
    """
    if not study.read and not any(_says_chest(image) for image in study.unread):
        return None
    everything: list[StudyImage] = [*study.read, *study.unread]
    images = sorted(everything, key=_place)
    bearer = min(study.read or study.unread, key=_place)
    report = _document(study, images, bearer)
    carry_identity(bearer.source, report)
    return report


def _says_chest(image: UnreadImage) -> bool:
    """Whether the header says so, or else the pixels."""
    return image.rejection.code in CHEST_BUT_UNREADABLE or not CHEST_WORDS.isdisjoint(
        re.split(r"[ _]+", image.header.body_part_examined)
    )


def _place(image: StudyImage) -> str:
    return image.header.sop_instance_uid


def _document(study: StudyResult, images: Sequence[StudyImage], bearer: StudyImage) -> Dataset:
    sop_class_uid, document = SOP_CLASSES[study.options.sr_form]
    sop_uid = sop_instance_uid(study, sop_class_uid)
    built = document(
        evidence=[_evidence(image) for image in sorted(images, key=lambda image: image is not bearer)],
        content=_references_of(images),
        series_instance_uid=series_instance_uid(sop_uid),
        series_number=study.options.sr_series_number,
        series_description=SERIES_DESCRIPTION,
        sop_instance_uid=sop_uid,
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=plain(study.model.name, 64),
        device_serial_number=plain(study.model.digest, 64),
        software_versions=_versions(study),
        is_complete=True,
        coding_schemes=[
            CodingSchemeIdentificationItem(concept.LOCAL, "Codes of xray_ai", responsible_organization="xray_ai")
        ],
        requested_procedures=requests_of(bearer.source) or None,
        previous_versions=_predecessors(study, sop_class_uid, bearer),
    )
    report = Dataset(built)  # without highdicom's own view of the tree
    report.file_meta = built.file_meta
    report.ContentSequence = measurement_report(study, images).ContentSequence
    stamp_reading_time(report, study.read_at, bearer.source)
    return report


def _versions(study: StudyResult) -> list[str]:
    scope = [f"scope {study.scope.version}"] if study.scope else []
    return [plain(version, 64) for version in (f"xray_ai {__version__}", f"model {study.model.version}", *scope)]


def _references_of(images: Sequence[StudyImage]) -> ContainerContentItem:
    """A tree of references alone, for the document to check against its evidence.

    highdicom checks each item when it is built. The document would copy the whole tree and check it once more,
    at twice the cost of building it.
    """
    items = [reference(concept.SOURCE, image.header) for image in images]
    return container(concept.IMAGING_MEASUREMENT_REPORT, items, template="1500", relationship=None)


def _evidence(image: StudyImage) -> Dataset:
    """What highdicom needs of an image; `carry_identity` replaces the empty patient."""
    header = image.header
    evidence = Dataset()
    evidence.SOPClassUID, evidence.SOPInstanceUID = header.sop_class_uid, header.sop_instance_uid
    evidence.StudyInstanceUID = header.study_instance_uid
    evidence.SeriesInstanceUID = _series_of(image)
    for keyword in REQUIRED:
        setattr(evidence, keyword, "")
    return evidence


def _series_of(image: StudyImage) -> str:
    """No archive holds an image without a series, and no reference may be without one: so one is made up here."""
    stated = text_of(image.source, "SeriesInstanceUID")
    is_sound = UID_PATTERN.fullmatch(stated) and len(stated) <= LONGEST_UID
    return stated if is_sound else derived_uid("No series", image.header.study_instance_uid)


def _predecessors(study: StudyResult, sop_class_uid: SOPClassUID, bearer: StudyImage) -> list[Dataset] | None:
    """The report that this one revises: written by us, in the same form."""
    if study.predecessor is None:
        return None
    predecessor = Dataset()
    predecessor.SOPClassUID, predecessor.SOPInstanceUID = sop_class_uid, study.predecessor
    predecessor.StudyInstanceUID = bearer.header.study_instance_uid
    predecessor.SeriesInstanceUID = series_instance_uid(study.predecessor)
    return [predecessor]
