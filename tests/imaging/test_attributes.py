"""Attributes that nobody has checked."""

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset

from tests.factories import MARKED_NAME, a_dataset, as_part10
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging import attributes
from xray_ai.imaging.attributes import attempt, integer_of, items_of, number_of, text_of, values_of, word_of
from xray_ai.imaging.part10 import parse_part10


@pytest.mark.parametrize("failure", [ValueError, RecursionError, MemoryError, OSError, AssertionError])
def test_whatever_a_library_raises_becomes_none(failure: type[Exception]) -> None:
    def fail() -> int:
        raise failure

    assert attempt(fail) is None


def test_a_refusal_of_our_own_passes_through() -> None:
    def refuse() -> int:
        raise StudyRejected(RejectionCode.BLANK, "It is blank.")

    with pytest.raises(StudyRejected):
        attempt(refuse)


@pytest.mark.parametrize("read", [text_of, word_of])
def test_text_loses_its_padding(read: Callable[[Dataset, str], str]) -> None:
    dataset = a_dataset()
    dataset.add_new("Modality", "LO", " DX\0")

    assert read(dataset, "Modality") == "DX"


@pytest.mark.parametrize(("value", "number"), [("1.5", 1.5), ("x", None), ("inf", None), ("nan", None), ("", None)])
def test_a_number_is_finite_or_none(value: str, number: float | None) -> None:
    dataset = Dataset()
    dataset.add_new("WindowWidth", "LO", value)

    assert number_of(dataset, "WindowWidth") == number


def test_a_whole_number_has_no_fraction() -> None:
    dataset = Dataset()
    dataset.add_new("Rows", "LO", "512.5")
    dataset.add_new("Columns", "LO", "512.0")

    assert integer_of(dataset, "Rows") is None
    assert integer_of(dataset, "Columns") == 512


def test_an_element_of_the_wrong_length_is_absent() -> None:
    content = as_part10(a_dataset())
    start = content.index(b"\x28\x00\x10\x00US\x02\x00")
    damaged = content[: start + 6] + b"\x03\x00\x01\x01\x01" + content[start + 10 :]

    assert values_of(parse_part10(damaged), "Rows") == ()


def test_items_of_a_sequence_beyond_any_reason_are_left_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    item = Dataset()
    item.CodeMeaning = "Chest" * 20
    dataset = parse_part10(as_part10(a_dataset(AnatomicRegionSequence=[item])))
    monkeypatch.setattr(attributes, "LARGEST_SEQUENCE_BYTES", 50)

    assert items_of(dataset, "AnatomicRegionSequence") == ()


def test_what_is_no_sequence_has_no_items() -> None:
    assert items_of(a_dataset(), "PatientName") == ()


def test_reading_damaged_values_warns_of_no_patient(recwarn: pytest.WarningsRecorder) -> None:
    dataset = a_dataset()
    dataset.add_new("PatientAge", "LO", MARKED_NAME)

    text_of(parse_part10(as_part10(dataset)), "PatientAge")

    assert not any("Zzyzx" in str(warning.message) for warning in recwarn)
