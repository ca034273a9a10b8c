"""Images through the serving reader: probabilities beside labels, and what was refused."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.errors import OperatorNeeded, StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.pack_card import PackCard
from xray_ai.inference.reader import Reader
from xray_ai.training.datasets.cohort import CohortImage

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]
Change = Callable[[StoredImage], StoredImage]

FEWEST_POSITIVES = 10  # below, an AUROC says too little to be averaged


class FindingMissing(OperatorNeeded):
    """A pack cannot be held against labels that it has no output for."""

    def __init__(self, pack: str, keys: Sequence[str]) -> None:
        super().__init__(
            f"The pack {pack} has no output for {', '.join(keys)}.",
            remedy="Evaluate a pack on a cohort whose findings it reads.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Probabilities and labels of the images that were read, column by column of `keys`."""

    keys: tuple[str, ...]
    images: tuple[CohortImage, ...]
    probabilities: FloatArray  # (N, K)
    labels: FloatArray  # (N, K), NaN where unknown
    refused: Mapping[str, int]  # by reason

    @property
    def patients(self) -> NDArray[np.str_]:
        return np.array([image.patient_id for image in self.images], np.str_)

    @property
    def findings(self) -> tuple[int, ...]:
        """Columns of findings: all but `abnormality`."""
        return tuple(k for k, key in enumerate(self.keys) if key != ABNORMALITY)

    @property
    def frequent(self) -> tuple[int, ...]:
        """Columns of findings with enough images of both classes for the headline."""
        return tuple(k for k in self.findings if self.can_tell(k))

    def can_tell(self, column: int) -> bool:
        present, absent = (int((self.labels[:, column] == label).sum()) for label in (1.0, 0.0))
        return min(present, absent) >= FEWEST_POSITIVES

    def positives(self, column: int) -> int:
        return int((self.labels[:, column] == 1.0).sum())

    def of(self, chosen: Mask) -> "Scored":
        """Keep the chosen images: (N,) of booleans."""
        images = tuple(image for image, is_chosen in zip(self.images, chosen, strict=True) if is_chosen)
        return replace(self, images=images, probabilities=self.probabilities[chosen], labels=self.labels[chosen])

    def also_in(self, other: "Scored") -> Mask:
        """Say which images the other has read too: (N,)."""
        theirs = {image.path for image in other.images}
        return np.array([image.path in theirs for image in self.images], np.bool_)


def unchanged(stored: StoredImage) -> StoredImage:
    return stored


def score_images(
    reader: Reader, images: Sequence[CohortImage], keys: Sequence[str], change: Change = unchanged
) -> Scored:
    """Read every image as the service would; what it refuses is counted by reason.

    `keys` name the labels of the images, in their order. Raises: FindingMissing.
    """
    missing = sorted(set(keys) - {finding.key for finding in reader.pack.card.findings})
    if missing:
        raise FindingMissing(reader.pack.card.name, missing)
    read, rows, refused = [], [], Counter[str]()
    for image in tqdm(images, "score", unit="image", mininterval=5, disable=None):
        try:
            reading = reader.read(change(open_grey_file(image.path)), PLAIN)
        except StudyRejected as rejection:
            refused[rejection.code.value] += 1
            continue
        read.append(image)
        probability_of = {str(score.finding.key): score.probability for score in reading.scores}
        rows.append([probability_of[key] for key in keys])
    shape = (len(read), len(keys))
    labels = np.array([image.labels for image in read], np.float64).reshape(shape)
    return Scored(tuple(keys), tuple(read), np.array(rows, np.float64).reshape(shape), labels, dict(refused))


def scoring_digest(card: PackCard, network_sha256: str) -> str:
    """SHA-256 of all that decides a score and a word: the network, the recipe, calibrations and points."""
    parts = (network_sha256, card.preprocessing.model_dump_json(), *(one.model_dump_json() for one in card.findings))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
