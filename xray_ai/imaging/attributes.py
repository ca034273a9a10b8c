"""Attributes of a dataset that nobody has checked: absent, misspelt and damaged ones are told apart from good ones.

The border to pydicom: it converts an element when it is asked for, and may then raise anything.
"""

import math
import warnings
from collections.abc import Callable
from typing import TypeVar

import pydicom.config
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from xray_ai.errors import StudyRejected

T = TypeVar("T")

LARGEST_SEQUENCE_BYTES = 2 * 2**20  # a sequence's items are built from its bytes, at a hundred times their size

# pydicom's warnings quote the values that they complain of, names of patients among them.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", module="pydicom")


def attempt(read: Callable[[], T]) -> T | None:
    """Call a library on bytes that may be hostile; None when it gave up, in whatever way."""
    try:
        return read()
    except StudyRejected:
        raise
    except Exception:  # noqa: BLE001 - pydicom and the codecs raise anything at all on damaged bytes, RecursionError included
        return None


def values_of(dataset: Dataset, keyword: str) -> tuple[object, ...]:
    """All values of an element; none when it is absent, empty or damaged."""
    value = attempt(lambda: dataset.get(keyword))
    if value is None or value == "":
        return ()
    return tuple(value) if isinstance(value, (MultiValue, Sequence, list, tuple)) else (value,)


def text_of(dataset: Dataset, keyword: str) -> str:
    """The first value as text without padding; empty when the element does not say."""
    values = values_of(dataset, keyword)
    return str(values[0]).strip(" \0\t\r\n") if values else ""


def word_of(dataset: Dataset, keyword: str) -> str:
    """The first value of a Code String, in upper case as the standard wants it."""
    return text_of(dataset, keyword).upper()


def number_of(dataset: Dataset, keyword: str) -> float | None:
    """The first value as a finite number; None when the element is absent or holds something else."""
    values = values_of(dataset, keyword)
    if not values or not isinstance(values[0], (str, int, float)):
        return None
    try:
        number = float(values[0])
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def integer_of(dataset: Dataset, keyword: str) -> int | None:
    """The first value as a whole number; None when the element is absent or holds something else."""
    number = number_of(dataset, keyword)
    return int(number) if number is not None and number.is_integer() else None


def items_of(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence; none when it is absent, empty, damaged or beyond any reasonable size."""
    raw: object = dataset.get_item(Tag(keyword), keep_deferred=True) if keyword in dataset else None
    if isinstance(raw, RawDataElement) and len(raw.value or b"") > LARGEST_SEQUENCE_BYTES:
        return ()
    return tuple(item for item in values_of(dataset, keyword) if isinstance(item, Dataset))
