"""May an 8-bit network stand for the float one? Both score every image of the tuning patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from xray_ai.imaging.preprocess import Recipe, as_input
from xray_ai.inference.session import Device, Session
from xray_ai.training.evaluation.ranking import auroc

FloatArray = NDArray[np.float64]

LARGEST_LOSS, LARGEST_MEAN_LOSS = 0.003, 0.001  # of AUROC: above, the network does not ship
FEWEST_POSITIVES = 10  # of two positives, one that changes places with 1 % of the negatives moves the AUROC by 0.005
# Below all of these nothing closer is looked for: mean and largest change, and half of the loss that is allowed.
CLOSE_LOGIT, CLOSE_PROBABILITY, CLOSE_LOSS = 0.05, 0.03, LARGEST_LOSS / 2


@dataclass(frozen=True, slots=True, eq=False)
class PreparedInputs:
    """Prepared images on disk that become a network's inputs one at a time."""

    greys: NDArray[np.uint8]  # (N, rows, columns)
    recipe: Recipe

    def __len__(self) -> int:
        return len(self.greys)

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Give the input (1, 1, rows, columns)."""
        return as_input(np.asarray(self.greys[index] / np.float32(255)), self.recipe)

    def logits(self, network: Path) -> FloatArray:
        session = Session(network, Device.CPU)
        return np.concatenate([session.run(self[k], ("logits",))[0] for k in range(len(self))]).astype(np.float64)


@dataclass(frozen=True, eq=False)
class TuningVerdict:
    """Both networks' logits (N, K) on the tuning patients, and what follows from them."""

    keys: tuple[str, ...]
    labels: FloatArray  # (N, K)
    exact: FloatArray  # the float network's logits
    found: FloatArray  # the 8-bit network's

    @cached_property
    def aurocs(self) -> dict[str, tuple[float, float]]:
        """AUROC of the float and of the 8-bit network, of the outputs whose both classes are there."""
        pairs = {
            key: (_auroc(self.labels[:, k], self.exact[:, k]), _auroc(self.labels[:, k], self.found[:, k]))
            for k, key in enumerate(self.keys)
        }
        return {key: pair for key, pair in pairs.items() if not np.isnan(pair).any()}

    @property
    def positives(self) -> dict[str, int]:
        return {key: int((self.labels[:, k] == 1).sum()) for k, key in enumerate(self.keys)}

    @property
    def losses(self) -> dict[str, float]:
        """Losses of AUROC that are judged: of the outputs with enough positives to measure one."""
        return {
            key: exact - found for key, (exact, found) in self.aurocs.items() if self.positives[key] >= FEWEST_POSITIVES
        }

    @property
    def mean_loss(self) -> float | None:
        return float(np.mean(list(self.losses.values()))) if self.losses else None

    @property
    def logit_changes(self) -> FloatArray:
        return np.abs(self.found - self.exact)

    @property
    def probability_changes(self) -> FloatArray:
        """Changes of the sigmoid of the logits, before any calibration."""
        return np.asarray(np.abs(expit(self.found) - expit(self.exact)))

    @property
    def why_not(self) -> tuple[str, ...]:
        """What forbids shipping: empty, if nothing does."""
        if self.mean_loss is None:
            return (f"no output has {FEWEST_POSITIVES} positives among the tuning patients, so nothing is measured",)
        lost = [
            f"{key} loses {loss:.4f} AUROC, {LARGEST_LOSS} is allowed"
            for key, loss in self.losses.items()
            if loss > LARGEST_LOSS
        ]
        if self.mean_loss > LARGEST_MEAN_LOSS:
            lost.append(f"the mean loses {self.mean_loss:.4f} AUROC, {LARGEST_MEAN_LOSS} is allowed")
        return tuple(lost)

    @property
    def may_ship(self) -> bool:
        return not self.why_not

    @property
    def is_close(self) -> bool:
        largest_loss = max(self.losses.values(), default=0.0)
        return bool(
            self.distance < CLOSE_LOGIT
            and self.probability_changes.max() < CLOSE_PROBABILITY
            and largest_loss < CLOSE_LOSS
        )

    @property
    def distance(self) -> float:
        return float(self.logit_changes.mean())


class TuningJudge:
    """Knows the float network's logits and the labels, and judges 8-bit copies by them."""

    def __init__(self, network: Path, inputs: PreparedInputs, keys: Sequence[str], labels: FloatArray) -> None:
        self._inputs, self._keys, self._labels = inputs, tuple(keys), labels
        self._exact = inputs.logits(network)

    def __call__(self, network: Path) -> TuningVerdict:
        return TuningVerdict(self._keys, self._labels, self._exact, self._inputs.logits(network))


def _auroc(labels: FloatArray, scores: FloatArray) -> float:
    return float(auroc(labels, scores, np.ones((1, len(labels))))[0])
