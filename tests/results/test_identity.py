import struct
from collections.abc import Iterator
from io import BytesIO

import pytest
from highdicom._standard_utils import get_module_attribute_map
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread, uid
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from tests.factories import a_dataset, as_part10
from xray_ai.imaging.part10 import parse_part10
from xray_ai.results.identity import CARRIED, REQUIRED, carry_identity, identity_digest
from xray_ai.results.part10_bytes import encoded

VIETNAMESE = "Nguyễn^Thị Hương"
NAMES = {
    "Vietnamese in UTF-8": ("ISO_IR 192", VIETNAMESE.encode()),
    "Vietnamese in UTF-8, called Latin-1": ("ISO_IR 100", VIETNAMESE.encode()),
    "Vietnamese in UTF-8, called nothing": (None, VIETNAMESE.encode()),
    "Latin-1, called UTF-8": ("ISO_IR 192", "Müller^Jörg".encode("latin-1")),
    "no characters at all": ("ISO_IR 192", b"\xff\xfe\x80\x81^\xc3\x28 "),
    "cut off inside a character": ("ISO_IR 192", VIETNAMESE.encode()[:-1][:18]),
    "Japanese with escape sequences": (r"\ISO 2022 IR 87", b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"),
    "a character set that does not exist": ("NONSENSE 7", VIETNAMESE.encode()),
    "padded with zeros": ("ISO_IR 6", b"Doe^Jane\0\0"),
    "spaces on both sides": ("ISO_IR 6", b"  Doe^Jane  "),
    "an odd number of bytes": ("ISO_IR 6", b"Doe^Jan"),
    "six components and too long": ("ISO_IR 6", b"^".join([b"A" * 70] * 6)),
    "several names": ("ISO_IR 6", rb"Doe^Jane\Roe^Jane"),
}


def a_source(
    values: dict[str, bytes] | None = None, *, name: bytes = b"Doe^Jane", character_set: str | None = None
) -> Dataset:
    """A header as it comes from a file: nothing in it is decoded."""
    source = parse_part10(as_part10(a_dataset(SpecificCharacterSet=character_set or "ISO_IR 6")))
    if character_set is None:
        del source["SpecificCharacterSet"]
    for keyword, value in {"PatientName": name, **(values or {})}.items():
        tag = Tag(keyword)
        vr = "PN" if keyword.endswith("Name") else "LO"
        source[tag] = RawDataElement(tag, vr, len(value), value, 0, is_implicit_VR=False, is_little_endian=True)
    return source


def a_result() -> Dataset:
    result = Dataset()
    result.SOPClassUID, result.SOPInstanceUID = uid.Comprehensive3DSRStorage, "2.25.1"
    result.SeriesDescription = "XRAY_AI"
    result.file_meta = FileMetaDataset()
    result.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    return result


def written(result: Dataset) -> Dataset:
    """The same object after it has been a file; nothing in it is decoded."""
    return parse_part10(encoded(result))


def result_of(source: Dataset) -> Dataset:
    result = a_result()
    carry_identity(source, result)
    return written(result)


def value_of(dataset: Dataset, keyword: str) -> object:
    return dataset.get_item(Tag(keyword)).value


def elements_of(dataset: Dataset) -> Iterator[tuple[str, bytes]]:
    """Keyword and bytes of all that identifies; an absent element of type 2 counts as an empty one."""
    for tag in CARRIED:
        if tag in dataset:
            element = dataset.get_item(tag)
            yield str(tag), bytes(element.value or b"")


@pytest.mark.parametrize(("character_set", "name"), NAMES.values(), ids=NAMES)
def test_a_name_keeps_its_bytes_and_its_character_set(character_set: str | None, name: bytes) -> None:
    source = a_source(name=name, character_set=character_set)

    result = result_of(source)

    assert value_of(result, "PatientName") == name
    assert result.get("SpecificCharacterSet") == source.get("SpecificCharacterSet")


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200), st.sampled_from(["ISO_IR 192", "ISO_IR 100", r"\ISO 2022 IR 149", "GB18030", "?"]))
def test_any_bytes_are_a_name(name: bytes, character_set: str) -> None:
    assert value_of(result_of(a_source(name=name, character_set=character_set)), "PatientName") == name


@pytest.mark.parametrize(("character_set", "name"), NAMES.values(), ids=NAMES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pydicom_writes_the_same_bytes(character_set: str | None, name: bytes) -> None:
    result = a_result()
    carry_identity(a_source(name=name, character_set=character_set), result)
    file = BytesIO()

    result.save_as(file, enforce_file_format=True)

    assert value_of(dcmread(BytesIO(file.getvalue())), "PatientName") == name


def test_values_that_break_their_rules_stay_as_they_are() -> None:
    broken = {
        "PatientID": b"0123456789" * 8,
        "PatientBirthDate": b"1960-07-04",
        "PatientSex": b"female",
        "StudyDate": b"2020.07.04",
        "StudyTime": b"        ",
        "AccessionNumber": rb"A\B ",
        "StudyID": b"12345678901234567890",
        "PatientAge": b"60",
    }

    result = result_of(a_source(broken))

    assert {keyword: value_of(result, keyword) for keyword in broken} == broken


def test_what_the_source_lacks_is_empty_where_the_standard_wants_it_and_absent_elsewhere() -> None:
    source = Dataset()
    source.StudyInstanceUID = "1.2.3"

    result = result_of(source)

    assert {keyword for keyword in REQUIRED if not value_of(result, keyword)} == set(REQUIRED)
    assert "PatientAge" not in result
    assert "SpecificCharacterSet" not in result


def test_the_patient_that_was_there_before_is_gone() -> None:
    result = a_result()
    result.PatientName, result.PatientComments, result.SpecificCharacterSet = "Someone^Else", "else", "ISO_IR 100"

    carry_identity(a_source(), result)

    assert "PatientComments" not in result
    assert "SpecificCharacterSet" not in result
    assert str(result.PatientName) == "Doe^Jane"


def test_what_belongs_to_the_image_is_not_carried() -> None:
    result = result_of(a_source())

    assert "SeriesInstanceUID" not in result
    assert result.SOPInstanceUID == "2.25.1"
    assert result.SeriesDescription == "XRAY_AI"


def test_a_header_that_pydicom_has_decoded_gives_the_same_bytes() -> None:
    source = a_source(name=VIETNAMESE.encode(), character_set="ISO_IR 192")
    before = dict(elements_of(result_of(source)))

    for element in source:
        assert element.value is not None

    assert dict(elements_of(result_of(source))) == before


@pytest.mark.parametrize("syntax", [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_every_uncompressed_transfer_syntax_gives_the_same_bytes(syntax: uid.UID) -> None:
    other = Dataset()
    other.PatientID, other.IssuerOfPatientID = "7", "Bệnh viện Chợ Rẫy"
    image = a_dataset(
        syntax=syntax,
        SpecificCharacterSet="ISO_IR 192",
        PatientName=VIETNAMESE,
        PregnancyStatus=4,
        PatientWeight="61.5",
        OtherPatientIDsSequence=[other],
    )

    result = result_of(parse_part10(as_part10(image)))

    assert value_of(result, "PatientName") == VIETNAMESE.encode()
    assert value_of(result, "PregnancyStatus") == struct.pack("<H", 4)
    assert value_of(result, "PatientWeight") == b"61.5"
    assert result.OtherPatientIDsSequence == Sequence([other])


def test_a_damaged_sequence_is_carried_empty() -> None:
    source = a_source()
    tag = Tag("OtherPatientIDsSequence")
    source[tag] = RawDataElement(tag, "SQ", 6, b"broken", 0, is_implicit_VR=False, is_little_endian=True)

    assert list(result_of(source).OtherPatientIDsSequence) == []


def test_a_comment_beyond_64_kilobytes_becomes_un() -> None:
    comment = b"x" * 70_000
    source = a_source({"PatientComments": comment})

    result = result_of(source)

    assert result.get_item(Tag("PatientComments")).VR == "UN"
    assert value_of(result, "PatientComments") == comment


def test_another_patient_has_another_digest() -> None:
    assert identity_digest(a_source(name=b"Doe^Jane")) != identity_digest(a_source(name=b"Doe^June"))
    assert identity_digest(a_source(name=b"Doe^Jane")) == identity_digest(a_source(name=b"Doe^Jane"))


def test_every_attribute_of_patient_and_study_is_on_the_list() -> None:
    modules = ("patient", "clinical-trial-subject", "general-study", "patient-study", "clinical-trial-study")
    attributes = get_module_attribute_map()
    wanted = {item["keyword"] for module in modules for item in attributes[module] if not item["path"]}

    assert [keyword for keyword in sorted(wanted) if Tag(keyword) not in CARRIED] == []
