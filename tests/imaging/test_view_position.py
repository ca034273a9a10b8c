"""View position, from the header."""

import pytest
from pydicom.dataset import Dataset

from tests.factories import a_dataset
from xray_ai.domain.radiograph import ViewPosition
from xray_ai.imaging.view_position import view_position_of


def a_view_code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    return item


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("PA", ViewPosition.PA),
        ("ap ", ViewPosition.AP),
        ("P.A.", ViewPosition.PA),
        ("A-P", ViewPosition.AP),
        ("CHEST PA", ViewPosition.PA),
        ("AP PORTABLE", ViewPosition.AP),
        ("LL", ViewPosition.LATERAL),
        ("RL", ViewPosition.LATERAL),
        ("LATERAL", ViewPosition.LATERAL),
        ("LAT", ViewPosition.LATERAL),
        ("RLD", ViewPosition.OTHER),
        ("LLO", ViewPosition.OTHER),
        ("AP OBLIQUE", ViewPosition.OTHER),
        ("", ViewPosition.UNKNOWN),
        ("FRONTAL", ViewPosition.UNKNOWN),
        ("W/O GRID", ViewPosition.UNKNOWN),
    ],
)
def test_view_position_is_understood_as_sites_write_it(text: str, view: ViewPosition) -> None:
    assert view_position_of(a_dataset(ViewPosition=text)) is view


@pytest.mark.parametrize(
    ("code", "view"),
    [
        ("399348003", ViewPosition.AP),
        ("R-10206", ViewPosition.AP),
        ("272479007", ViewPosition.PA),
        ("399198007", ViewPosition.LATERAL),
        ("399033003", ViewPosition.UNKNOWN),
        ("399182000", ViewPosition.OTHER),
    ],
)
def test_a_coded_view_counts_where_the_word_is_missing(code: str, view: ViewPosition) -> None:
    assert view_position_of(a_dataset(ViewPosition="", ViewCodeSequence=[a_view_code(code)])) is view


def test_the_word_goes_before_the_code() -> None:
    dataset = a_dataset(ViewPosition="PA", ViewCodeSequence=[a_view_code("399348003")])

    assert view_position_of(dataset) is ViewPosition.PA


@pytest.mark.parametrize(
    ("orientation", "view"),
    [
        (["A", "F"], ViewPosition.LATERAL),
        (["P", "F"], ViewPosition.LATERAL),
        (["L", "F"], ViewPosition.UNKNOWN),
        (["A", "L"], ViewPosition.UNKNOWN),
        (["A"], ViewPosition.UNKNOWN),
    ],
)
def test_rows_that_run_from_back_to_front_mean_a_lateral_view(orientation: list[str], view: ViewPosition) -> None:
    assert view_position_of(a_dataset(ViewPosition=None, PatientOrientation=orientation)) is view
