from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames

from tests.factories import a_dataset
from xray_ai.results.part10_bytes import IMPLEMENTATION_CLASS_UID, encoded


def read_back(dataset: Dataset) -> Dataset:
    return dcmread(BytesIO(encoded(dataset)))


def after_file_meta(file: bytes) -> bytes:
    """What stands behind File Meta Information, whose first element is its length."""
    return file[144 + int.from_bytes(file[140:144], "little") :]


def an_item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def test_what_is_written_is_read_back() -> None:
    code = an_item(CodeValue="1", CodingSchemeDesignator="DCM", CodeMeaning="odd")
    dataset = a_dataset(ConceptNameCodeSequence=[code, code], GraphicData=[1.5, 2.25], SoftwareVersions=["a", "bc"])

    assert read_back(dataset) == dataset


def test_it_is_the_file_that_pydicom_would_write() -> None:
    code = an_item(CodeValue="1", CodingSchemeDesignator="DCM", CodeMeaning="odd", ProcedureCodeSequence=[an_item()])
    dataset = a_dataset(ConceptNameCodeSequence=[code], RescaleSlope="1.5", PatientWeight="60")
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)

    assert after_file_meta(encoded(dataset)) == after_file_meta(file.getvalue())


def test_compressed_pixel_data_stay_compressed() -> None:
    dataset = a_dataset(syntax=uid.RLELossless)
    dataset.PixelData = encapsulate([b"frame "])
    dataset["PixelData"].is_undefined_length = True

    again = read_back(dataset)

    assert again.file_meta.TransferSyntaxUID == uid.RLELossless
    assert list(generate_frames(again.PixelData, number_of_frames=1)) == [b"frame "]


def test_pixels_are_read_back() -> None:
    dataset = a_dataset()

    assert np.array_equal(read_back(dataset).pixel_array, dataset.pixel_array)


def test_the_file_says_who_wrote_it() -> None:
    meta = read_back(a_dataset()).file_meta

    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert str(meta.ImplementationVersionName).startswith("XRAY_AI ")
    assert meta.MediaStorageSOPInstanceUID == a_dataset().SOPInstanceUID


def test_the_same_dataset_gives_the_same_bytes() -> None:
    assert encoded(a_dataset()) == encoded(a_dataset())


def test_text_of_our_own_that_is_no_ascii_is_a_defect() -> None:
    with pytest.raises(UnicodeEncodeError):
        encoded(a_dataset(SeriesDescription="Lồng ngực"))
