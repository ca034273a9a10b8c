"""When a result was made: at the recorded time of the reading, never now."""

from datetime import datetime, timedelta, timezone

from pydicom.dataset import Dataset

from xray_ai.imaging.attributes import text_of


def stamp_reading_time(result: Dataset, read_at: datetime, source: Dataset) -> None:
    """Set content, series and instance creation to the time of the reading.

    One offset from UTC holds for all times of an object (PS3.3 C.12.1), those of the study among them, which
    are the source's: so a source that states its offset gives it to the result.
    """
    time = read_at.astimezone(_zone_of(source) or read_at.tzinfo)
    for moment in ("Content", "Series", "InstanceCreation"):
        setattr(result, f"{moment}Date", f"{time:%Y%m%d}")
        setattr(result, f"{moment}Time", f"{time:%H%M%S.%f}")
    result.TimezoneOffsetFromUTC = f"{time:%z}"[:5]


def _zone_of(source: Dataset) -> timezone | None:
    stated = text_of(source, "TimezoneOffsetFromUTC")
    if len(stated) != 5 or stated[0] not in "+-" or not stated[1:].isascii() or not stated[1:].isdigit():  # noqa: PLR2004
        return None
    offset = timedelta(hours=int(stated[1:3]), minutes=int(stated[3:]))
    return timezone(-offset if stated[0] == "-" else offset) if offset < timedelta(hours=24) else None
