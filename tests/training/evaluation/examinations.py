"""A tiny pack examined on drawn chests, from end to end, once for all tests."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import cv2
import numpy as np

from tests.packs import TinyFinding, a_pack, a_reader
from tests.training.cohorts import a_cohort, a_cohort_image
from xray_ai.inference.reader import Reader
from xray_ai.training.datasets.cohort import Cohort, Split
from xray_ai.training.evaluation.evaluate import Examination, evaluate
from xray_ai.training.evaluation.measured import Evaluation
from xray_ai.triage import TriagePolicy

MEASURED_ON = "drawn chests"
BRIGHTNESS = TinyFinding("mass", weight=10.0, operating_point=0.3)
DARKNESS = TinyFinding("mass", weight=-10.0)
POLICY = TriagePolicy.parse('[priorities]\nmass = "STAT"')
CHESTS = 32


def an_examination(folder: Path) -> Examination:
    """Chests for training and tuning of two sources, and one blank image that cannot be read; no test patient."""
    drawn = a_cohort(folder, train=CHESTS, tune=2 * CHESTS)
    blank = a_cohort_image("p99", Split.TUNE, path=folder / "blank.png", labels=(1.0, 1.0))
    cv2.imwrite(str(blank.path), np.full((96, 96), 9, np.uint8))
    images = [replace(image, source=f"source {number % 2}") for number, image in enumerate(drawn.images, start=1)]
    return Examination(Cohort(drawn.finding_keys, (*images, blank)), Split.TUNE, MEASURED_ON, POLICY, seed=3)


def a_bright_reader(folder: Path) -> Reader:
    """A pack that looks at brightness alone."""
    return a_reader(a_pack(folder, [BRIGHTNESS], name="bright"))


@cache
def an_evaluation() -> Evaluation:
    """What comes out, beside a pack that looks at darkness."""
    folder = Path(mkdtemp(prefix="xray-ai-evaluation-"))
    dark = a_reader(a_pack(folder, [DARKNESS], name="dark"))
    return evaluate(a_bright_reader(folder), an_examination(folder / "images"), dark)
