"""Other people's programs push real radiographs to us by C-STORE, and every byte arrives."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset

from tests.factories import a_demo_file
from tests.orthanc import Orthanc, running_orthanc
from tests.receive.dimse_peers import Receiver, a_receiver, dataset_of

pytestmark = [pytest.mark.e2e, pytest.mark.orthanc]

PADDING = 0xFFFCFFFC
FORMS = {
    "implicit": ["dcmconv", "+ti"],
    "explicit": ["dcmconv", "+te"],
    "big endian": ["dcmconv", "+tb"],
    "deflated": ["dcmconv", "+td"],
    "RLE": ["dcmcrle"],
    "JPEG lossless": ["dcmcjpeg", "+e1"],
    "JPEG-LS": ["dcmcjpls", "+el"],
}

AS_DCMTK_SENDS = ("--group-length-remove", "--length-explicit", "--padding-off")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with a_receiver(tmp_path / "ours") as receiver:
        yield receiver


def the_chest(form: str, folder: Path) -> Path:
    file = folder / "chest.dcm"
    subprocess.run([*FORMS[form], *AS_DCMTK_SENDS, a_demo_file("RG1_UNCR"), file], check=True)
    return file


def call(receiver: Receiver, *command: str | Path) -> subprocess.CompletedProcess[str]:
    program, *rest = command
    ours = ["-aec", "XRAY_AI", "127.0.0.1", str(receiver.port)]
    return subprocess.run([program, *ours, *rest], check=True, capture_output=True, text=True)


def test_echoscu_finds_us(receiver: Receiver) -> None:
    assert call(receiver, "echoscu").returncode == 0


def test_storescu_brings_every_byte_of_implicit_vr(receiver: Receiver, tmp_path: Path) -> None:
    chest = the_chest("implicit", tmp_path)

    call(receiver, "storescu", chest, "--propose-implicit")

    assert [dataset_of(file) for file in receiver.door.files()] == [dataset_of(chest.read_bytes())]


@pytest.mark.parametrize("form", ["implicit", "big endian"])
def test_a_sender_that_offers_several_encodings_is_asked_for_explicit_little_endian(
    receiver: Receiver, tmp_path: Path, form: str
) -> None:
    chest = the_chest(form, tmp_path)

    call(receiver, "dcmsend", chest, "--decompress-never")

    (received,) = receiver.door.datasets()
    assert received.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert (received.pixel_array == dcmread(chest).pixel_array).all()


@pytest.mark.parametrize("form", [form for form in FORMS if form not in {"implicit", "big endian"}])
def test_dcmsend_brings_every_byte_of_what_it_cannot_change(receiver: Receiver, tmp_path: Path, form: str) -> None:
    chest = the_chest(form, tmp_path)

    call(receiver, "dcmsend", chest, "--decompress-never")

    assert [dataset_of(file) for file in receiver.door.files()] == [dataset_of(chest.read_bytes())]
    assert receiver.door.datasets()[0].file_meta.TransferSyntaxUID == dcmread(chest).file_meta.TransferSyntaxUID


def test_storescu_brings_a_folder_on_one_association(receiver: Receiver, tmp_path: Path) -> None:
    names = ("RG1_UNCR", "RG3_UNCR")
    for name in names:
        subprocess.run(["dcmconv", "+te", *AS_DCMTK_SENDS, a_demo_file(name), tmp_path / f"{name}.dcm"], check=True)

    call(receiver, "storescu", *(tmp_path / f"{name}.dcm" for name in names))

    sent = [dataset_of((tmp_path / f"{name}.dcm").read_bytes()) for name in names]
    assert [dataset_of(file) for file in receiver.door.files()] == sent


def test_jpeg_2000_arrives_as_it_was_sent(receiver: Receiver) -> None:
    call(receiver, "dcmsend", a_demo_file("RG1_J2KR"), "--decompress-never")

    (received,) = receiver.door.datasets()
    assert received.PixelData == dcmread(a_demo_file("RG1_J2KR")).PixelData


def as_sent(dataset: Dataset) -> Dataset:
    """Without retired group lengths and without padding, which senders leave out."""
    for tag in [tag for tag in dataset.keys() if tag.element == 0 or tag == PADDING]:  # noqa: SIM118 - see pydicom
        del dataset[tag]
    return dataset


def asked(orthanc: Orthanc, method: str, path: str, content: bytes) -> bytes:
    url = f"http://127.0.0.1:{orthanc.http_port}{path}"
    request = urllib.request.Request(url, content, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - this machine's loopback
        body: bytes = answer.read()
    return body


@pytest.mark.parametrize("name", ["RG1_UNCR", "RG1_J2KR", "RG3_UNCR"])
def test_orthanc_forwards_what_it_holds(receiver: Receiver, tmp_path: Path, name: str) -> None:
    ours = json.dumps({"AET": "XRAY_AI", "Host": "127.0.0.1", "Port": receiver.port}).encode()
    with running_orthanc(tmp_path) as orthanc:
        kept = json.loads(asked(orthanc, "POST", "/instances", a_demo_file(name).read_bytes()))["ID"]
        asked(orthanc, "PUT", "/modalities/ours", ours)
        asked(orthanc, "POST", "/modalities/ours/store", kept.encode())

    (received,) = receiver.door.datasets()
    assert received == as_sent(dcmread(a_demo_file(name)))
    assert receiver.door.senders()[0].calling_ae_title == "ORTHANC"
