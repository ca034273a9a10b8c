"""This pack beside the previous one, on the images that both read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xray_ai.training.evaluation import delong
from xray_ai.training.evaluation.bootstrap import DECIMALS, Resamples, certain, interval
from xray_ai.training.evaluation.measured import ComparisonFigures, DifferenceFigures, FindingDifference, PackMeasured
from xray_ai.training.evaluation.ranking import mean_auroc
from xray_ai.training.evaluation.scoring import FloatArray, Mask, Scored

P_DIGITS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Both packs' scores of the same images, in the same order."""

    pack: Scored
    previous: Scored
    resamples: Resamples

    def aurocs(self, columns: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Mean AUROC of each pack: two of (R,)."""
        pack, previous = (mean_auroc(scored, self.resamples, columns) for scored in (self.pack, self.previous))
        return pack, previous

    def pulls(self, columns: Sequence[int]) -> FloatArray:
        """Pull of each image on the difference of the mean AUROCs: (N,)."""
        of_pack, of_previous = (
            sum((delong.pulls(scored.labels[:, k], scored.probabilities[:, k]) for k in columns), np.zeros(1))
            for scored in (self.pack, self.previous)
        )
        return np.asarray((of_pack - of_previous) / len(columns))


def compare(
    scored: Scored, previous: Scored, of: PackMeasured, names: Sequence[str], seed: int, is_small_copy: Mask
) -> ComparisonFigures:
    """Test each finding's AUROC, and their mean, against the previous pack.

    `names` are those of the columns; `is_small_copy` says which images of `scored` are 300 px copies: (N,).
    """
    in_both = scored.also_in(previous)
    pair = _pair(scored.of(in_both), previous, seed)
    both, larger = pair.pack, scored.of(in_both & ~is_small_copy)
    columns = [k for k in range(len(both.keys)) if both.can_tell(k)]
    return ComparisonFigures(
        previous=of,
        images=len(both.images),
        patients=len(set(both.patients)),
        pooled=_difference(pair, both.frequent),
        pooled_without_small_copies=_difference(_pair(larger, previous, seed), larger.frequent)
        if (in_both & is_small_copy).any()
        else None,
        findings=tuple(
            FindingDifference(
                key=both.keys[k],
                name=names[k],
                positives=both.positives(k),
                **_difference(pair, (k,)).model_dump(),
            )
            for k in columns
        ),
    )


def _pair(pack: Scored, previous: Scored, seed: int) -> Pair:
    return Pair(pack, previous.of(previous.also_in(pack)), Resamples.draw(pack.patients, seed))


def _difference(pair: Pair, columns: Sequence[int]) -> DifferenceFigures:
    pack, previous = pair.aurocs(columns)
    pull, difference = pair.pulls(columns), pack - previous
    by_patient = delong.standard_error_by_patient(pull, pair.pack.patients)
    return DifferenceFigures(
        auroc=round(float(pack[0]), DECIMALS),
        previous_auroc=round(float(previous[0]), DECIMALS),
        difference=certain(interval(difference)),
        delong_p=_rounded(delong.two_sided_p(float(difference[0]), delong.standard_error(pull))),
        delong_by_patient_p=_rounded(delong.two_sided_p(float(difference[0]), by_patient)),
        bootstrap_p=_rounded(bootstrap_p(difference[1:])),
    )


def bootstrap_p(differences: FloatArray) -> float:
    """Twice the share of resamples on the other side of zero, never below what so many resamples can tell: (R,)."""
    tails = (np.sum(differences <= 0), np.sum(differences >= 0))
    return min(1.0, float(2 * (min(tails) + 1) / (len(differences) + 1)))


def _rounded(p: float) -> float:
    return float(f"{p:.{P_DIGITS}g}")
