"""The same images as DICOM through the path, and as JPEG through evaluation, score the same.

Their inputs differ in the last bit of a float, and an 8-bit network flips roundings for it: what 8 bits may cost at
all (docs/decisions/0024) is allowed here too.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.factories import a_dataset
from xray_ai.app import open_reading_room
from xray_ai.config import Settings
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.reading_room import ReadingRoom, TriagedRadiograph, triage_file
from xray_ai.training.datasets.cohort import CohortImage, Split
from xray_ai.training.datasets.nih_chestxray14 import FINDING_KEYS, read_cohort
from xray_ai.training.evaluation.ranking import auroc
from xray_ai.training.evaluation.scoring import score_images
from xray_ai.training.quantization.tuning_judge import LARGEST_LOSS, LARGEST_MEAN_LOSS

DATA = Path(os.environ.get("XRAY_AI_DATA", "data"))
pytestmark = [
    pytest.mark.training,
    pytest.mark.skipif(not (DATA / "manifest.csv").exists(), reason="XRAY_AI_DATA names no folder with manifest.csv"),
]
IMAGES = 400


def probabilities_as_dicom(site: ReadingRoom, image: CohortImage, folder: Path) -> list[float] | None:
    """Write the image as an inverted 12-bit DX, as another vendor might, and send it down the path."""
    grey = np.asarray(open_grey_file(image.path).values, np.uint16)
    file = folder / "image.dcm"
    a_dataset(4095 - grey * 16, photometric="MONOCHROME1", bits_stored=12).save_as(file)
    outcome = triage_file(site, file)
    return [score.probability for score in outcome.reading.scores] if isinstance(outcome, TriagedRadiograph) else None


def test_auroc_is_the_same_by_either_way(tmp_path: Path) -> None:
    site = open_reading_room(Settings())
    images = read_cohort(DATA).of(Split.TUNE)[:IMAGES]
    as_jpeg = score_images(site.reader, images, FINDING_KEYS)

    as_dicom = [probabilities_as_dicom(site, image, tmp_path) for image in images]

    rows = np.array([row for row in as_dicom if row is not None])
    assert len(rows) == len(as_jpeg.images)
    once = np.ones((1, len(rows)))
    changes = [
        auroc(labels, theirs, once)[0] - auroc(labels, ours, once)[0]
        for labels, theirs, ours in zip(as_jpeg.labels.T, rows.T, as_jpeg.probabilities.T, strict=True)
    ]
    assert np.nanmax(np.abs(changes)) <= LARGEST_LOSS
    assert abs(np.nanmean(changes)) <= LARGEST_MEAN_LOSS
