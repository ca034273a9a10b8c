from datetime import datetime, timedelta, timezone

import pytest
from pydicom.dataset import Dataset

from tests.factories import a_dataset
from xray_ai.results.reading_time import stamp_reading_time

HANOI = timezone(timedelta(hours=7))
READ_AT = datetime(2026, 11, 24, 1, 15, 30, 250000, HANOI)


def stamped(offset: str | None = None) -> Dataset:
    source, result = a_dataset(), Dataset()
    if offset is not None:
        source.TimezoneOffsetFromUTC = offset
    stamp_reading_time(result, READ_AT, source)
    return result


@pytest.mark.parametrize("moment", ["Content", "Series", "InstanceCreation"])
def test_every_time_is_that_of_the_reading(moment: str) -> None:
    result = stamped()

    assert result[f"{moment}Date"].value == "20261124"
    assert result[f"{moment}Time"].value == "011530.250000"
    assert result.TimezoneOffsetFromUTC == "+0700"


def test_a_source_that_states_its_offset_gives_it_to_the_result() -> None:
    result = stamped("-0330")

    assert (result.ContentDate, result.ContentTime) == ("20261123", "144530.250000")
    assert result.TimezoneOffsetFromUTC == "-0330"


@pytest.mark.parametrize("offset", ["", "0700", "+7", "+99:9", "+2500", "Hanoi", "+07³0"])
def test_an_offset_that_is_none_is_not_used(offset: str) -> None:
    assert stamped(offset).TimezoneOffsetFromUTC == "+0700"
