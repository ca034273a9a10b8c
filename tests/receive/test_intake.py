"""One door: what is answered with success is durable, recorded once, and read where it should be."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread, uid
from pydicom.config import disable_value_validation

from tests.factories import MARKED_NAME, a_dataset, a_demo_file, as_part10, some_pixels
from tests.readings import a_read_image, a_study_result
from tests.receive.reception import IMAGE, MODALITY, NOW, STUDY, Reception, a_reception, refusal_of
from xray_ai.domain.priority import Priority
from xray_ai.domain.received import ObjectDigest, Receipt, Repeat
from xray_ai.domain.uid import SOPClassUID, SOPInstanceUID, StudyInstanceUID, TransferSyntaxUID
from xray_ai.receive.intake import IntakeRefusalCode, Watermark
from xray_ai.records import evidence, readings, retention
from xray_ai.records.database import writing
from xray_ai.records.evidence import EvidenceKey, EvidenceObject
from xray_ai.records.readings import RecordedReading
from xray_ai.records.words import HopKind, ReadingStatus, StudyStatus
from xray_ai.results.evidence import compose

OTHER_PIXELS = some_pixels()[::-1].copy()
RENAMED = "Quimby^Zzyzx"


@pytest.fixture
def reception(tmp_path: Path) -> Iterator[Reception]:
    with a_reception(tmp_path) as reception:
        yield reception


def judged(reception: Reception, status: ReadingStatus) -> None:
    """Let the model have read the image, or refused it."""
    made = RecordedReading(IMAGE, "ab" * 32, STUDY, ObjectDigest("cd" * 32), status, NOW, 0.04, reason_text="why")
    with writing(reception.engine) as connection:
        readings.record(connection, made)


# ---- what comes for the first time


def test_a_new_image_is_kept_recorded_listed_and_enqueued(reception: Reception) -> None:
    content = as_part10(a_dataset())

    receipt = reception.send(content)

    (version,) = reception.versions()
    study = reception.study()
    assert receipt == Receipt(IMAGE, STUDY, Repeat.NEW)
    assert reception.objects.path(version.digest).read_bytes() == content
    assert (version.size_bytes, version.host, version.first_received_at) == (len(content), "10.0.0.5", NOW)
    assert study is not None
    assert (study.demographics.patient_name, study.status) == (MARKED_NAME, StudyStatus.RECEIVED)
    assert reception.enqueued() == [(IMAGE, Priority.ROUTINE)]
    assert reception.way() == [HopKind.RECEIVED]
    assert reception.leftovers() == []


def test_a_real_radiograph_is_taken_by_its_head_alone(reception: Reception) -> None:
    receipt = reception.send(a_demo_file("RG1_UNCR").read_bytes())

    assert receipt.repeat is Repeat.NEW


def test_a_header_longer_than_any_radiographs_is_read_to_its_end(reception: Reception) -> None:
    dataset = a_dataset(StudyInstanceUID=None)
    block = dataset.private_block(0x0009, "A VENDOR", create=True)
    block.add_new(0x01, "OB", bytes(300_000))
    dataset.StudyInstanceUID = STUDY

    assert reception.send(dataset).study_instance_uid == STUDY


@pytest.mark.parametrize("syntax", [uid.DeflatedExplicitVRLittleEndian, uid.JPEG2000Lossless, uid.ExplicitVRBigEndian])
def test_any_transfer_syntax_is_taken_as_it_comes(reception: Reception, syntax: uid.UID) -> None:
    reception.send(a_dataset(syntax=syntax))

    assert reception.versions()[0].transfer_syntax_uid == str(syntax)


def test_the_ordered_priority_is_the_studys_and_the_queues(reception: Reception) -> None:
    reception.send(a_dataset(), replace(MODALITY, ordered_priority=Priority.STAT))
    reception.send(a_dataset(SOPInstanceUID="1.2.3.4"))

    study = reception.study()
    assert study is not None
    assert study.priority is Priority.STAT
    assert [priority for _, priority in reception.enqueued()] == [Priority.STAT, Priority.STAT]


@pytest.mark.parametrize("character_set", ["ISO_IR 192", "ISO_IR 999", "ISO 2022 IR 87", "ISO_IR 6"])
def test_no_study_fails_over_a_name_or_a_character_set(reception: Reception, character_set: str) -> None:
    dataset = a_dataset(SpecificCharacterSet=character_set, PatientName="MARKED")
    content = as_part10(dataset).replace(b"MARKED", b"A\xff\x1b\x00\xfeB")

    reception.send(content)

    study = reception.study()
    assert study is not None
    assert study.demographics.patient_name.startswith("A")
    assert study.demographics.patient_name.endswith("B")
    assert reception.objects.path(reception.versions()[0].digest).read_bytes() == content


def test_a_name_without_end_is_cut_where_it_is_shown(reception: Reception) -> None:
    reception.send(a_dataset(PatientName="A" * 5000))

    study = reception.study()
    assert study is not None
    assert study.demographics.patient_name == "A" * 256


# ---- what is refused


@pytest.mark.parametrize(
    "hostile",
    ["../../../../etc/passwd", "/etc/passwd", "1.2/../3", "", "1." * 40 + "1", "a.b", "1..2", "%s"],
)
@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID"])
def test_what_is_no_uid_is_refused_and_leaves_nothing(reception: Reception, keyword: str, hostile: str) -> None:
    dataset = a_dataset()
    with disable_value_validation():
        setattr(dataset, keyword, hostile)
        content = as_part10(dataset)

    code = refusal_of(lambda: reception.send(content))

    assert code is IntakeRefusalCode.HEADER_INCOMPLETE
    assert reception.kept() == set()
    assert reception.leftovers() == []


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SOPClassUID"])
def test_an_object_without_its_identifiers_is_refused(reception: Reception, keyword: str) -> None:
    dataset = a_dataset()
    del dataset[keyword]
    content = as_part10(dataset)

    assert refusal_of(lambda: reception.send(content)) is IntakeRefusalCode.HEADER_INCOMPLETE


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"GET / HTTP/1.1\r\n\r\n" * 50_000])
def test_what_is_no_dicom_is_refused(reception: Reception, content: bytes) -> None:
    assert refusal_of(lambda: reception.send(content)) is IntakeRefusalCode.NOT_DICOM
    assert reception.kept() == set()


@pytest.mark.parametrize("watermark", [Watermark(free_share=1.0, free_bytes=0), Watermark(0.0, 2**62)])
def test_below_the_watermark_nothing_is_begun(tmp_path: Path, watermark: Watermark) -> None:
    with a_reception(tmp_path, watermark=watermark) as reception:
        assert refusal_of(lambda: reception.send(a_dataset())) is IntakeRefusalCode.OUT_OF_RESOURCES
        assert reception.leftovers() == []


# ---- what comes again


def test_the_same_bytes_count_once(reception: Reception) -> None:
    reception.send(a_dataset())

    receipt = reception.send(a_dataset())

    (version,) = reception.versions()
    assert receipt.repeat is Repeat.SAME_BYTES
    assert version.times_received == 2
    assert len(reception.enqueued()) == 1


def test_the_same_dataset_by_another_sender_counts_once(reception: Reception) -> None:
    again = dcmread(BytesIO(as_part10(a_dataset())))
    again.file_meta.SourceApplicationEntityTitle = "ANOTHER"
    reception.send(a_dataset())

    receipt = reception.send(again)

    (version,) = reception.versions()
    assert receipt.repeat is Repeat.SAME_BYTES
    assert reception.kept() == {version.digest}


def test_the_same_pixels_under_a_corrected_name_show_the_name_and_are_not_read_again(reception: Reception) -> None:
    reception.send(a_dataset())

    receipt = reception.send(a_dataset(PatientName=RENAMED))

    study = reception.study()
    assert receipt.repeat is Repeat.NEW_HEADER
    assert study is not None
    assert study.demographics.patient_name == RENAMED
    assert len(reception.kept()) == len(reception.versions()) == 2
    assert len(reception.enqueued()) == 1


def test_the_first_name_sent_once_more_does_not_come_back(reception: Reception) -> None:
    for name in (MARKED_NAME, RENAMED, MARKED_NAME):
        reception.send(a_dataset(PatientName=name))

    study = reception.study()
    assert study is not None
    assert study.demographics.patient_name == RENAMED


def test_the_same_pixels_in_another_syntax_are_a_repeat(reception: Reception) -> None:
    reception.send(a_dataset())

    receipt = reception.send(a_dataset(syntax=uid.JPEG2000Lossless))

    assert receipt.repeat is Repeat.NEW_SYNTAX
    assert len(reception.kept()) == 2
    assert len(reception.enqueued()) == 1


def test_other_pixels_are_a_conflict_that_is_kept_and_visible_and_not_read(reception: Reception) -> None:
    reception.send(a_dataset())

    receipt = reception.send(a_dataset(OTHER_PIXELS, PatientName=RENAMED))

    study = reception.study()
    assert receipt.repeat is Repeat.CONFLICT
    assert study is not None
    assert (study.conflicts, study.demographics.patient_name) == (1, MARKED_NAME)
    assert len(reception.kept()) == 2
    assert len(reception.enqueued()) == 1
    assert reception.way() == [HopKind.RECEIVED, HopKind.CONFLICT]


def test_a_conflict_in_another_study_lists_that_study_as_not_read(reception: Reception) -> None:
    reception.send(a_dataset())

    reception.send(a_dataset(OTHER_PIXELS, StudyInstanceUID="1.2.3.9"))

    study = reception.study(StudyInstanceUID("1.2.3.9"))
    assert study is not None
    assert study.status is StudyStatus.NOT_READ
    assert study.reason is not None


def test_a_conflict_sent_again_with_another_header_stays_one(reception: Reception) -> None:
    reception.send(a_dataset())
    reception.send(a_dataset(OTHER_PIXELS))

    assert reception.send(a_dataset(OTHER_PIXELS, PatientName=RENAMED)).repeat is Repeat.CONFLICT


def test_a_corrected_header_is_read_where_the_first_was_refused(reception: Reception) -> None:
    reception.send(a_dataset(BodyPartExamined="HAND"))
    judged(reception, ReadingStatus.NOT_READ)

    reception.send(a_dataset(BodyPartExamined="CHEST"))

    study = reception.study()
    assert study is not None
    assert study.status is StudyStatus.RECEIVED
    assert len(reception.enqueued()) == 2


def test_an_image_that_now_shows_otherwise_is_read_again(reception: Reception) -> None:
    reception.send(a_dataset(photometric="MONOCHROME1"))
    judged(reception, ReadingStatus.READ)

    reception.send(a_dataset(photometric="MONOCHROME2"))

    assert len(reception.enqueued()) == 2


def test_an_image_that_moved_to_another_study_is_read_for_that_study(reception: Reception) -> None:
    reception.send(a_dataset())
    judged(reception, ReadingStatus.READ)

    receipt = reception.send(a_dataset(StudyInstanceUID="1.2.3.9"))

    assert receipt.repeat is Repeat.NEW_HEADER
    assert len(reception.enqueued()) == 2


def test_a_whole_image_takes_the_place_of_a_damaged_one(reception: Reception) -> None:
    whole = as_part10(a_dataset())
    reception.send(whole[: len(whole) // 2])
    judged(reception, ReadingStatus.NOT_READ)

    receipt = reception.send(whole)

    assert receipt.repeat is Repeat.NEW_HEADER
    assert len(reception.enqueued()) == 2


def test_after_its_study_has_expired_an_image_is_new(reception: Reception) -> None:
    reception.send(a_dataset())
    with writing(reception.engine) as connection:
        for digest in retention.forget_study(connection, STUDY):
            reception.objects.delete(digest)
    assert reception.kept() == set()

    assert reception.send(a_dataset()).repeat is Repeat.NEW
    assert reception.kept() == {reception.versions()[0].digest}


# ---- our own results


def test_our_results_that_come_back_are_recognised_and_not_read(reception: Reception) -> None:
    composed = compose(a_study_result(a_read_image()))
    assert composed.structured_report is not None

    repeats = {
        reception.send(content).repeat
        for content in (composed.structured_report, *composed.secondary_captures.values())
    }

    assert repeats == {Repeat.OWN_RESULT}
    assert reception.enqueued() == []
    assert reception.study() is None


def test_a_result_of_ours_whose_words_were_changed_is_recognised_by_its_identifier(reception: Reception) -> None:
    ours = SOPInstanceUID("2.25.123456789")
    made = EvidenceObject(
        "sr", "comprehensive", True, ours, SOPClassUID("1.2.3"), TransferSyntaxUID("1.2.4"), ObjectDigest("ab" * 32)
    )
    with writing(reception.engine) as connection:
        evidence.record(connection, EvidenceKey("key"), STUDY, NOW, [made])

    assert reception.send(a_dataset(SOPInstanceUID=ours)).repeat is Repeat.OWN_RESULT
