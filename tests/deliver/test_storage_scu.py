"""Results and files reach a peer unchanged, and each object's answer is told."""

import re
from pathlib import Path

import pytest
from pydicom import dcmread, uid
from pynetdicom import AllStoragePresentationContexts
from pynetdicom.dsutils import split_dataset

from tests.deliver.peers import (
    EVERYTHING,
    Contexts,
    a_destination,
    a_part10_file,
    a_peer,
    a_storage_scp,
    negotiated_forms,
    results,
    send,
)
from tests.factories import a_dataset, as_part10, some_pixels
from xray_ai.deliver.destinations import Forms
from xray_ai.deliver.storage_scu import send_files
from xray_ai.domain.delivery import DeliveryRefused
from xray_ai.domain.evidence import SCForm, SRForm
from xray_ai.errors import PeerUnavailable, StudyRejected

SC, SR, SR_3D = uid.SecondaryCaptureImageStorage, uid.ComprehensiveSRStorage, uid.Comprehensive3DSRStorage
EXPLICIT, IMPLICIT = uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian
VERIFICATION: Contexts = {uid.UID("1.2.840.10008.1.1"): [IMPLICIT]}
BEST = Forms(SRForm.COMPREHENSIVE_3D, SCForm.JPEG)
PLAINEST = Forms(SRForm.COMPREHENSIVE, SCForm.UNCOMPRESSED)


def without(*sop_classes: uid.UID) -> Contexts:
    return {sop_class: syntaxes for sop_class, syntaxes in EVERYTHING.items() if sop_class not in sop_classes}


def dataset_of(file: Path) -> bytes:
    """Give the bytes behind the File Meta Information."""
    return file.read_bytes()[split_dataset(file)[1] :]


def of_class(sop_class: str) -> bytes:
    dataset = a_dataset(some_pixels(8, 8), SOPClassUID=sop_class)
    dataset.file_meta.MediaStorageSOPClassUID = uid.UID(sop_class)
    return as_part10(dataset)


@pytest.mark.parametrize(
    ("contexts", "forms"),
    [
        (EVERYTHING, BEST),
        (without(SR_3D), Forms(SRForm.COMPREHENSIVE, SCForm.JPEG)),
        (EVERYTHING | {SC: [uid.RLELossless, EXPLICIT]}, Forms(SRForm.COMPREHENSIVE_3D, SCForm.RLE)),
        (EVERYTHING | {SC: [EXPLICIT]}, Forms(SRForm.COMPREHENSIVE_3D, SCForm.UNCOMPRESSED)),
        (without(SR_3D) | {SC: [IMPLICIT], SR: [IMPLICIT]}, PLAINEST),
        (without(SR_3D, SR, SC), PLAINEST),
    ],
)
def test_the_best_form_that_the_peer_takes_is_chosen(contexts: Contexts, forms: Forms) -> None:
    with a_storage_scp(contexts) as pacs:
        assert negotiated_forms(a_destination(pacs.port)) == forms


def test_a_form_that_the_site_has_set_stays() -> None:
    with a_storage_scp() as pacs:
        forms = negotiated_forms(a_destination(pacs.port, sr_form=SRForm.COMPREHENSIVE, sc_form=SCForm.RLE))

    assert forms == Forms(SRForm.COMPREHENSIVE, SCForm.RLE)


@pytest.mark.parametrize("sc_form", SCForm)
def test_results_arrive_byte_for_byte(tmp_path: Path, sc_form: SCForm) -> None:
    files = results(tmp_path, sc_form=sc_form)

    with a_storage_scp() as pacs:
        outcomes = send(a_destination(pacs.port), files)

    assert [(outcome.path, outcome.status, outcome.failure) for outcome in outcomes] == [
        (file, 0x0000, None) for file in files
    ]
    assert pacs.datasets == [dataset_of(file) for file in files]


def test_a_peer_that_takes_only_the_default_transfer_syntax_gets_the_same_dataset_in_it(tmp_path: Path) -> None:
    report = results(tmp_path, sr_form=SRForm.COMPREHENSIVE)[0]

    with a_storage_scp({SR: [IMPLICIT]}) as pacs:
        outcome = send(a_destination(pacs.port), [report])[0]

    assert outcome.is_stored
    received = a_part10_file(tmp_path / "received.dcm", pacs.datasets[0])
    assert dcmread(received, force=True) == dcmread(report)


def test_an_object_that_the_peer_takes_in_no_form_is_refused_alone(tmp_path: Path) -> None:
    report, capture = results(tmp_path)

    with a_storage_scp(without(SC)) as pacs:
        sent, refused = send(a_destination(pacs.port), [report, capture])

    assert sent.is_stored
    assert isinstance(refused.failure, DeliveryRefused)
    assert "does not take Secondary Capture Image Storage" in str(refused.failure)


def test_a_refused_transfer_syntax_is_named(tmp_path: Path) -> None:
    with a_storage_scp(EVERYTHING | {SC: [EXPLICIT]}) as pacs:
        refused = send(a_destination(pacs.port), results(tmp_path)[1:])[0]

    assert "Secondary Capture Image Storage in JPEG Baseline" in str(refused.failure)


@pytest.mark.parametrize("status", [0x0000, 0xB000, 0xB006, 0xB007, 0x0107, 0x0116, 0x0111])
def test_success_warnings_and_a_duplicate_mean_that_the_peer_has_it(tmp_path: Path, status: int) -> None:
    with a_storage_scp(statuses=[status]) as pacs:
        outcome = send(a_destination(pacs.port), results(tmp_path)[:1])[0]

    assert (outcome.status, outcome.failure) == (status, None)


@pytest.mark.parametrize("status", [0xA700, 0xA7FF, 0x0110, 0x0213])
def test_what_may_pass_is_tried_again(tmp_path: Path, status: int) -> None:
    with a_storage_scp(statuses=[status]) as pacs:
        failure = send(a_destination(pacs.port), results(tmp_path)[:1])[0].failure

    assert isinstance(failure, PeerUnavailable)
    assert f"0x{status:04X}" in failure.found


@pytest.mark.parametrize("status", [0xA900, 0xA9FF, 0xC000, 0xC123, 0x0122, 0x0124, 0x0117, 0xD001])
def test_what_does_not_pass_is_for_a_person(tmp_path: Path, status: int) -> None:
    with a_storage_scp(statuses=[status]) as pacs:
        failure = send(a_destination(pacs.port), results(tmp_path)[:1])[0].failure

    assert isinstance(failure, DeliveryRefused)
    assert f"0x{status:04X}" in failure.found


def test_each_object_has_its_own_status(tmp_path: Path) -> None:
    with a_storage_scp(statuses=[0xA700, 0x0000]) as pacs:
        outcomes = send(a_destination(pacs.port), results(tmp_path))

    assert [outcome.status for outcome in outcomes] == [0xA700, 0x0000]


def test_files_of_any_kind_go_unchanged_and_in_order_and_what_is_no_dicom_is_told(tmp_path: Path) -> None:
    image = a_part10_file(tmp_path / "image.dcm")
    text = a_part10_file(tmp_path / "notes.txt", b"no DICOM")
    report = results(tmp_path)[0]

    with a_storage_scp() as pacs:
        first, second, third = send_files([image, text, report], a_peer(pacs.port))

    assert first.is_stored
    assert isinstance(second.failure, StudyRejected)
    assert third.is_stored
    assert pacs.datasets == [dataset_of(image), dataset_of(report)]


def test_a_file_is_never_converted(tmp_path: Path) -> None:
    explicit = a_part10_file(tmp_path / "explicit.dcm")
    implicit = a_part10_file(tmp_path / "implicit.dcm", as_part10(a_dataset(syntax=IMPLICIT)))

    with a_storage_scp({uid.DigitalXRayImageStorageForPresentation: [IMPLICIT]}) as pacs:
        refused, sent = send_files([explicit, implicit], a_peer(pacs.port))

    assert re.search("in Explicit VR Little Endian", str(refused.failure))
    assert sent.is_stored
    assert pacs.datasets == [dataset_of(implicit)]


def test_more_kinds_than_one_association_can_carry_go_on_several(tmp_path: Path) -> None:
    kinds = [str(context.abstract_syntax) for context in AllStoragePresentationContexts[:150]]
    files = [a_part10_file(tmp_path / kind, of_class(kind)) for kind in kinds]

    with a_storage_scp(VERIFICATION | {uid.UID(kind): [EXPLICIT] for kind in kinds[:100]}) as pacs:
        outcomes = list(send_files(files, a_peer(pacs.port)))

    assert pacs.associations == [128, 24]
    assert [outcome.path for outcome in outcomes] == files
    assert [outcome.path for outcome in outcomes if outcome.is_stored] == files[:100]


def test_no_association_is_asked_for_when_there_is_nothing_to_send(tmp_path: Path) -> None:
    with a_storage_scp() as pacs:
        outcomes = list(send_files([tmp_path / "missing.dcm"], a_peer(pacs.port)))

    assert len(outcomes) == 1
    assert pacs.associations == []
