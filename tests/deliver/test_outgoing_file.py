"""What a file says of itself before it is sent."""

from pathlib import Path

import pytest
from pydicom import uid

from tests.deliver.peers import a_part10_file
from tests.factories import a_dataset, as_part10
from xray_ai.deliver.outgoing_file import outgoing_file
from xray_ai.errors import RejectionCode, StudyRejected


def test_a_file_says_its_class_its_instance_and_its_transfer_syntax(tmp_path: Path) -> None:
    dataset = a_dataset(syntax=uid.JPEGLosslessSV1)

    file = outgoing_file(a_part10_file(tmp_path / "one.dcm", as_part10(dataset)))

    assert file.sop_class_uid == dataset.SOPClassUID
    assert file.sop_instance_uid == dataset.SOPInstanceUID
    assert str(file.transfer_syntax_uid) == uid.JPEGLosslessSV1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", RejectionCode.NOT_DICOM),
        (b"no DICOM at all", RejectionCode.NOT_DICOM),
        (b"\0" * 128 + b"DICM", RejectionCode.HEADER_INCOMPLETE),
        (b"\0" * 128 + b"DICM" + b"\2\0\2\0UI\4\0", RejectionCode.HEADER_INCOMPLETE),
        (b"\0" * 128 + b"DICM" + b"\2\0\2\0OB\0\0\xff\xff\xff\xff", RejectionCode.HEADER_INCOMPLETE),
        (b"\0" * 128 + b"DICM" + b"\2\0\2\0UI\4\0../x", RejectionCode.HEADER_INCOMPLETE),
    ],
)
def test_what_cannot_be_sent_is_told_by_its_reason(tmp_path: Path, content: bytes, code: RejectionCode) -> None:
    with pytest.raises(StudyRejected) as rejection:
        outgoing_file(a_part10_file(tmp_path / "one.dcm", content))

    assert rejection.value.code is code


def test_a_file_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(StudyRejected, match="no such file"):
        outgoing_file(tmp_path / "missing.dcm")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StudyRejected, match="cannot be opened"):
        outgoing_file(tmp_path)
