"""Programs that are not ours take our results by C-STORE, and what they refuse is told in plain words."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.deliver.peers import (
    SHORT,
    a_destination,
    a_part10_file,
    a_peer,
    a_program,
    negotiated_forms,
    results,
    send,
)
from tests.orthanc import running_orthanc
from xray_ai.deliver.destinations import Destination, Forms
from xray_ai.deliver.storage_scu import send_files
from xray_ai.deliver.verification_scu import echo
from xray_ai.domain.delivery import DeliveryRefused
from xray_ai.domain.evidence import SCForm, SRForm
from xray_ai.errors import PeerUnavailable

pytestmark = pytest.mark.e2e

BEST = Forms(SRForm.COMPREHENSIVE_3D, SCForm.JPEG)
UNCOMPRESSED = Forms(SRForm.COMPREHENSIVE_3D, SCForm.UNCOMPRESSED)
OLD = Forms(SRForm.COMPREHENSIVE, SCForm.RLE)
OLD_PROFILE = r"""
[[TransferSyntaxes]]
[Default]
TransferSyntax1 = LittleEndianImplicit
[RunLength]
TransferSyntax1 = RLELossless
[[PresentationContexts]]
[Old]
PresentationContext1 = VerificationSOPClass\Default
PresentationContext2 = ComprehensiveSRStorage\Default
PresentationContext3 = SecondaryCaptureImageStorage\RunLength
[[Profiles]]
[Old]
PresentationContexts = Old
"""
ARCHIVE = """
NetworkTCPPort = 104
MaxPDUSize = 16384
MaxAssociations = 4
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE {folder} RW (9, 1024mb) ANY
AETable END
"""


def delivered(destination: Destination, folder: Path) -> tuple[Forms, list[Path]]:
    """Compose results as the destination takes them, and send them."""
    forms = negotiated_forms(destination)
    files = results(folder, sr_form=forms.sr, sc_form=forms.sc)
    assert [outcome.failure for outcome in send(destination, files)] == [None, None]
    return forms, files


def assert_unchanged(held: Sequence[Dataset], files: Sequence[Path], *, same_syntax: bool = True) -> None:
    by_uid = {dataset.SOPInstanceUID: dataset for dataset in held}
    assert len(by_uid) == len(files)
    for ours in map(dcmread, files):
        theirs = by_uid[ours.SOPInstanceUID]
        assert theirs == ours
        assert (theirs.file_meta.TransferSyntaxUID == ours.file_meta.TransferSyntaxUID) or not same_syntax


def held_by(folder: Path) -> list[Dataset]:
    return [dcmread(file) for file in (folder / "held").iterdir()]


def storescp(folder: Path, *options: str) -> list[str]:
    (folder / "held").mkdir()
    return ["storescp", *options, "-od", str(folder / "held"), "PORT"]


@pytest.mark.parametrize(("options", "forms"), [(["+xa"], BEST), ([], UNCOMPRESSED)])
def test_storescp_holds_our_results_unchanged(tmp_path: Path, options: list[str], forms: Forms) -> None:
    with a_program(storescp(tmp_path, "+B", *options), tmp_path) as port:
        chosen, files = delivered(a_destination(port), tmp_path)

    assert chosen == forms
    assert_unchanged(held_by(tmp_path), files)


def test_an_old_archive_gets_what_it_takes(tmp_path: Path) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "profile.cfg").write_text(OLD_PROFILE, "utf-8")
    command = ["dcmrecv", "-xf", str(tmp_path / "profile.cfg"), "Old", "-od", str(tmp_path / "held"), "PORT"]

    with a_program(command, tmp_path) as port:
        chosen, files = delivered(a_destination(port), tmp_path)

    assert chosen == OLD
    assert_unchanged(held_by(tmp_path), files, same_syntax=False)


@pytest.mark.orthanc
def test_orthanc_holds_our_results_unchanged_however_often_they_come(tmp_path: Path) -> None:
    with running_orthanc(tmp_path) as orthanc:
        destination = a_destination(orthanc.dicom_port)
        delivered(destination, tmp_path)
        chosen, files = delivered(destination, tmp_path)
        held = orthanc.objects()

    assert chosen == BEST
    assert_unchanged(held, files)


@pytest.mark.orthanc
def test_orthanc_is_told_to_be_ready(tmp_path: Path) -> None:
    with running_orthanc(tmp_path) as orthanc:
        report = echo(a_destination(orthanc.dicom_port))

    assert report.is_ready
    assert "accepts associations of XRAY_AI and answers C-ECHO" in report.sentences()[0]


def test_an_archive_of_another_name_rejects_us(tmp_path: Path) -> None:
    (tmp_path / "archive.cfg").write_text(ARCHIVE.format(folder=tmp_path), "utf-8")

    with (
        a_program(["dcmqrscp", "-c", str(tmp_path / "archive.cfg"), "PORT"], tmp_path) as port,
        pytest.raises(DeliveryRefused, match="no application there is called PACS1"),
    ):
        echo(a_destination(port))


def test_a_rejection_without_a_reason_is_told_as_such_however_fast_it_comes(tmp_path: Path) -> None:
    with a_program(storescp(tmp_path, "--refuse"), tmp_path) as port:
        for _ in range(40):
            with pytest.raises(DeliveryRefused, match="rejected the association: it gives no reason"):
                echo(a_destination(port))


@pytest.mark.parametrize("option", ["--abort-during", "--abort-after"])
def test_a_peer_that_aborts_is_tried_again(tmp_path: Path, option: str) -> None:
    with (
        a_program(storescp(tmp_path, option), tmp_path) as port,
        pytest.raises(PeerUnavailable, match="aborted the association"),
    ):
        send(a_destination(port), results(tmp_path))


def test_a_peer_that_takes_too_long_is_tried_again(tmp_path: Path) -> None:
    with (
        a_program(storescp(tmp_path, "--sleep-during", "600"), tmp_path) as port,
        pytest.raises(PeerUnavailable, match=r"no proper answer within 0\.5 s"),
    ):
        send(Destination(a_peer(port, SHORT)), results(tmp_path))


def test_a_compressed_file_that_the_peer_does_not_take_is_refused_and_not_converted(tmp_path: Path) -> None:
    image = a_part10_file(tmp_path / "image.dcm")
    capture = results(tmp_path, sc_form=SCForm.RLE)[1]

    with a_program(storescp(tmp_path, "+B"), tmp_path) as port:
        refused, sent = send_files([capture, image], a_peer(port))

    assert isinstance(refused.failure, DeliveryRefused)
    assert "Secondary Capture Image Storage in RLE Lossless" in refused.failure.found
    assert sent.is_stored
    assert_unchanged(held_by(tmp_path), [image])
