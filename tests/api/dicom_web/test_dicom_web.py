"""What a viewer is told and given by DICOMweb."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from sqlalchemy import Engine

from tests.api.edge import an_edge, of
from tests.factories import a_dataset, as_part10, some_pixels
from tests.records.rows import an_instance, receive
from xray_ai.domain.uid import StudyInstanceUID, TransferSyntaxUID
from xray_ai.objects import LocalObjects

SERIES = "1.2.3.1.9"
STUDY = "1.2.3.1"
IMAGE = f"/dicom-web/studies/{STUDY}/series/{SERIES}/instances/1.2.3.1.1"


def an_image(study: str = STUDY, syntax: uid.UID = uid.ExplicitVRLittleEndian, **attributes: Any) -> Dataset:  # noqa: ANN401 - any attribute
    uids: dict[str, Any] = {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": f"{study}.9",
        "SOPInstanceUID": f"{study}.1",
    }
    dataset = a_dataset(some_pixels(128, 96), syntax=syntax, **uids, **attributes)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def hold(engine: Engine, folder: Path, *datasets: Dataset) -> None:
    """Let images have come."""
    objects = LocalObjects(folder)
    for dataset in datasets:
        row = an_instance(
            dataset.SOPInstanceUID,
            study_instance_uid=StudyInstanceUID(dataset.StudyInstanceUID),
            transfer_syntax_uid=TransferSyntaxUID(dataset.file_meta.TransferSyntaxUID),
            digest=objects.put(as_part10(dataset)),
        )
        receive(engine, row)
    objects.close()


def parts_of(answer: Any) -> bytes:  # noqa: ANN401 - the client's answer
    """The one part of a multipart answer."""
    boundary = answer.headers["content-type"].split("boundary=")[1]
    whole: bytes = answer.content
    return whole.split(f"--{boundary}".encode())[1].split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


@pytest.fixture
def two(engine: Engine, edge: TestClient, tmp_path: Path) -> TestClient:
    hold(engine, tmp_path, an_image(), an_image("1.2.3.2", PatientName="Doe^Jane", StudyDate="20210101"))
    return edge


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("", 2),
        ("PatientName=doe*", 1),
        ("00100010=D?e^Jane", 1),
        ("StudyInstanceUID=1.2.3.1,1.2.3.2", 2),
        ("StudyDate=20201231-", 1),
        ("StudyDate=20200704", 1),
        ("StudyDate=-20201231", 1),
        ("ModalitiesInStudy=DX", 2),
        ("ModalitiesInStudy=CT", 0),
        ("limit=1", 1),
        ("offset=1", 1),
        ("offset=2", 0),
    ],
)
def test_studies_match_what_is_asked(two: TestClient, asked: str, count: int) -> None:
    assert len(of(two.get(f"/dicom-web/studies?{asked}"))) == count


@pytest.mark.parametrize(
    "level", ["studies", "series", "instances", "studies/1.2.3.1/series", "studies/1.2.3.1/instances"]
)
def test_each_level_tells_its_study_and_where_to_get_it(two: TestClient, level: str) -> None:
    first = of(two.get(f"/dicom-web/{level}?StudyInstanceUID=1.2.3.1"))[0]

    assert first["0020000D"] == {"vr": "UI", "Value": [STUDY]}
    assert first["00081190"]["Value"][0].startswith("http://localhost/dicom-web/studies/1.2.3.1")


def test_further_attributes_are_told_where_asked(two: TestClient) -> None:
    assert "00180015" not in of(two.get("/dicom-web/studies"))[0]
    assert "00180015" in of(two.get("/dicom-web/studies?includefield=BodyPartExamined"))[0]
    assert "00180015" in of(two.get("/dicom-web/studies?includefield=all"))[0]


def test_what_is_not_followed_is_said(two: TestClient) -> None:
    assert "fuzzymatching" in two.get("/dicom-web/studies?fuzzymatching=true").headers["warning"]


@pytest.mark.parametrize("asked", ["NoSuchThing=1", "limit=-1", "00110010=1"])
def test_a_search_that_makes_no_sense_is_refused(two: TestClient, asked: str) -> None:
    assert two.get(f"/dicom-web/studies?{asked}").status_code == 400


def test_an_object_is_given_as_it_is_stored(two: TestClient) -> None:
    assert parts_of(two.get(IMAGE)) == as_part10(an_image())
    assert two.get(IMAGE, headers={"Accept": "application/dicom"}).content == as_part10(an_image())


@pytest.mark.parametrize("syntax", [uid.JPEG2000Lossless, uid.RLELossless, uid.ImplicitVRLittleEndian])
def test_an_object_is_given_uncompressed_where_asked(
    engine: Engine, edge: TestClient, tmp_path: Path, syntax: uid.UID
) -> None:
    hold(engine, tmp_path, an_image(syntax=syntax))
    accept = 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1'

    given = dcmread(BytesIO(parts_of(edge.get(IMAGE, headers={"Accept": accept}))))

    assert given.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert np.array_equal(given.pixel_array, some_pixels(128, 96))


def test_frames_are_given_decoded_or_as_stored(engine: Engine, edge: TestClient, tmp_path: Path) -> None:
    hold(engine, tmp_path, an_image(syntax=uid.JPEG2000Lossless))
    stored = 'multipart/related; type="image/jp2"; transfer-syntax=1.2.840.10008.1.2.4.90'

    assert parts_of(edge.get(f"{IMAGE}/frames/1")) == some_pixels(128, 96).tobytes()
    assert parts_of(edge.get(f"{IMAGE}/frames/1", headers={"Accept": stored})).startswith(b"\xff\x4f")


def test_a_header_points_to_its_pixels(two: TestClient) -> None:
    (told,) = of(two.get(f"{IMAGE}/metadata"))

    place = told["7FE00010"]["BulkDataURI"]
    assert parts_of(two.get(place)) == some_pixels(128, 96).tobytes()


def test_a_picture_follows_window_and_viewport(two: TestClient) -> None:
    png = {"Accept": "image/png"}
    small = Image.open(BytesIO(two.get(f"{IMAGE}/rendered?viewport=15,20", headers=png).content))
    white = Image.open(BytesIO(two.get(f"{IMAGE}/rendered?window=-5000,10,linear", headers=png).content))

    assert small.size == (15, 20)
    assert white.getextrema() == (255, 255)
    assert two.get(f"{IMAGE}/rendered?window=wide").status_code == 400


@pytest.mark.parametrize("path", ["", "/metadata", "/frames/1", "/rendered"])
def test_what_is_not_offered_is_not_acceptable(two: TestClient, path: str) -> None:
    assert two.get(IMAGE + path, headers={"Accept": "video/mp4"}).status_code == 406


@pytest.mark.parametrize("path", [f"/dicom-web/studies/{STUDY}.7", f"{IMAGE}7/metadata", f"{IMAGE}/frames/2"])
def test_what_is_not_here_is_a_problem(two: TestClient, path: str) -> None:
    assert (two.get(path).status_code, two.get(path).json()["code"]) == (404, "not_found")


def test_viewers_need_the_token_as_all_do(engine: Engine, tmp_path: Path) -> None:
    assert an_edge(engine, tmp_path, token="s3cret").get("/dicom-web/studies").status_code == 401  # noqa: S106
