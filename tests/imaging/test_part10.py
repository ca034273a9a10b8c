"""Opening files that may be anything."""

import os
import struct
import zlib
from pathlib import Path

import pytest
from pydicom import uid
from pydicom.dataset import Dataset

from tests.factories import NATIVE, a_dataset, a_demo_file, as_part10
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging import part10
from xray_ai.imaging.part10 import open_part10, parse_part10

PREFIX = b"\0" * 128 + b"DICM"


def refusal_of(content: bytes) -> StudyRejected:
    with pytest.raises(StudyRejected) as refusal:
        parse_part10(content)
    return refusal.value


def refusal_at(path: Path) -> StudyRejected:
    with pytest.raises(StudyRejected) as refusal:
        open_part10(path)
    return refusal.value


def without_preamble(content: bytes) -> bytes:
    return content[132:]


def without_meta(content: bytes) -> bytes:
    return content[132 + 12 + struct.unpack_from("<L", content, 132 + 8)[0] :]


@pytest.mark.parametrize("syntax", NATIVE)
def test_header_and_pixel_data_are_read_in_every_uncompressed_syntax(syntax: uid.UID) -> None:
    dataset = a_dataset(syntax=syntax)

    opened = parse_part10(as_part10(dataset))

    assert opened.file_meta.TransferSyntaxUID == syntax
    assert opened.PixelData == dataset.PixelData
    assert opened.Rows == dataset.Rows


def test_a_file_and_its_bytes_read_the_same(tmp_path: Path) -> None:
    content = as_part10(a_dataset(syntax=uid.JPEG2000Lossless))
    (tmp_path / "image.dcm").write_bytes(content)

    assert open_part10(tmp_path / "image.dcm") == parse_part10(content)


def test_a_real_radiograph_is_opened() -> None:
    opened = open_part10(a_demo_file("RG1_UNCR"))

    assert len(opened.PixelData) == opened.Rows * opened.Columns * 2


def test_a_file_without_preamble_is_accepted() -> None:
    opened = parse_part10(without_preamble(as_part10(a_dataset())))

    assert opened.SOPClassUID == uid.DigitalXRayImageStorageForPresentation


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_without_file_meta_information_the_transfer_syntax_is_told_by_the_first_element(syntax: uid.UID) -> None:
    dataset = a_dataset(syntax=syntax)

    opened = parse_part10(without_meta(as_part10(dataset)))

    assert opened.file_meta.TransferSyntaxUID == syntax
    assert opened.PixelData == dataset.PixelData


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n" * 50, b"\x08\x00" * 500, b"\xff" * 500]
)
def test_what_is_no_dicom_is_refused_as_such(content: bytes) -> None:
    assert refusal_of(content).code is RejectionCode.NOT_DICOM


@pytest.mark.parametrize("content", [PREFIX, PREFIX + b"\x02\x00"])
def test_a_dicom_file_without_a_readable_header_is_refused_as_damaged(content: bytes) -> None:
    assert refusal_of(content).code is RejectionCode.FILE_UNREADABLE


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    assert refusal_at(tmp_path / "absent.dcm").code is RejectionCode.NOT_FOUND
    assert refusal_at(Path("odd\0name")).code is RejectionCode.NOT_FOUND


def test_a_folder_a_pipe_and_a_circle_of_links_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")

    for path in (tmp_path, tmp_path / "pipe", tmp_path / "circle"):
        assert refusal_at(path).code is RejectionCode.FILE_UNREADABLE


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.dcm").open("wb") as file:
        file.truncate(part10.LARGEST_FILE_BYTES + 1)

    assert refusal_at(tmp_path / "huge.dcm").code is RejectionCode.FILE_TOO_LARGE


def test_a_deflate_bomb_is_refused_before_it_unfolds() -> None:
    content = as_part10(a_dataset(syntax=uid.DeflatedExplicitVRLittleEndian))
    meta = content[: len(content) - len(without_meta(content))]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(packer.compress(b"\0" * 2**20) for _ in range(64)) + packer.flush()

    assert refusal_of(meta + bomb).code is RejectionCode.FILE_TOO_LARGE


def test_a_header_of_endless_small_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part10, "MOST_READS", 50)
    dataset = a_dataset()
    for number in range(100):
        dataset.add_new((0x0009, 0x1000 + number), "LO", "")

    assert refusal_of(as_part10(dataset)).code is RejectionCode.FILE_UNREADABLE


def test_deeply_nested_sequences_are_refused() -> None:
    depth = 20_000
    nested = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * depth

    assert refusal_of(PREFIX + nested).code is RejectionCode.FILE_UNREADABLE


@pytest.mark.parametrize("length", [0xFFFFFFFE, 0x7FFFFFFF, 10**9])
def test_a_length_beyond_the_file_reads_what_there_is(length: int) -> None:
    content = as_part10(a_dataset())
    start = content.index(b"\xe0\x7f\x10\x00OW")
    lying = content[: start + 8] + struct.pack("<L", length) + content[start + 12 :]

    assert parse_part10(lying).PixelData == a_dataset().PixelData


def test_compressed_fragments_are_kept_to_the_end_of_a_file_that_is_cut_off() -> None:
    content = as_part10(a_dataset(syntax=uid.RLELossless))

    assert len(parse_part10(content[:-100]).PixelData) > 0


def test_refusals_name_neither_the_file_nor_the_patient(tmp_path: Path) -> None:
    path = tmp_path / "Zzyzx^Quimby.dcm"

    assert "Zzyzx" not in str(refusal_at(path))
    path.write_bytes(b"Zzyzx^Quimby")
    assert "Zzyzx" not in str(refusal_at(path))


def test_a_dataset_needs_no_pixel_data_to_be_opened() -> None:
    opened: Dataset = parse_part10(as_part10(a_dataset(PixelData=None)))

    assert "PixelData" not in opened
