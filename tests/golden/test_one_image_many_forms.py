"""However a site stores and windows one image, the shipped pack scores it the same."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.factories import Pixels, a_dataset
from xray_ai.app import open_reading_room
from xray_ai.config import ModelsConfig, Settings
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.reading_room import ReadingRoom, TriagedRadiograph, triage_file

FULL = 255


@cache
def site() -> ReadingRoom:
    """Its pixels are not checked: the chest is a drawing, and a scope pack may well refuse it."""
    return open_reading_room(Settings(models=ModelsConfig(scope="none")))


def chest() -> Pixels:
    golden = site().reader.pack.folder / "golden" / "masses.png"
    return open_grey_file(golden).values


def chest_with_bits(bits: int) -> Dataset:
    values = np.rint(chest().astype(np.float64) / FULL * (2**bits - 1))
    return a_dataset(values.astype(np.uint8 if bits == 8 else np.uint16), bits_stored=bits)


def windowed(center: float, width: float) -> Dataset:
    return a_dataset(chest(), bits_stored=8, WindowCenter=center, WindowWidth=width)


def clipping_a_fifth() -> Dataset:
    low, high = np.percentile(chest(), (10, 90))
    return windowed((low + high) / 2, high - low)


FORMS = {
    "MONOCHROME1": lambda: a_dataset(FULL - chest(), bits_stored=8, photometric="MONOCHROME1"),
    "12 bits": lambda: chest_with_bits(12),
    "16 bits": lambda: chest_with_bits(16),
    "wide window": lambda: windowed(128, 600),
    "narrow window": lambda: windowed(100, 120),
    "window clipping a fifth": clipping_a_fifth,
}


def probabilities(dataset: Dataset, folder: Path) -> list[float]:
    file = folder / "image.dcm"
    dataset.save_as(file)
    outcome = triage_file(site(), file)
    assert isinstance(outcome, TriagedRadiograph), outcome
    return [score.probability for score in outcome.reading.scores]


@pytest.mark.parametrize("form", FORMS)
def test_another_form_scores_within_two_hundredths(form: str, tmp_path: Path) -> None:
    plain = probabilities(a_dataset(chest(), bits_stored=8), tmp_path)

    other = probabilities(FORMS[form](), tmp_path)

    assert other == pytest.approx(plain, abs=0.02)


def test_a_negative_is_refused_as_inverted(tmp_path: Path) -> None:
    file = tmp_path / "image.dcm"
    a_dataset(FULL - chest(), bits_stored=8).save_as(file)

    outcome = triage_file(site(), file)

    assert not isinstance(outcome, TriagedRadiograph)
    assert outcome.rejection.code == "looks_inverted"
