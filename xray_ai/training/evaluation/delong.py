"""DeLong's comparison of AUROCs on the same images, by placement values.

The placement value of a positive is the share of negatives that it outranks, that of a negative the share of positives
that outrank it. Both have the AUROC as their mean, and an AUROC's variance is that of their means. Each image's
deviation, scaled so that the squares of all sum to the variance, is its *pull* on the AUROC. Pulls of one image on
several AUROCs may be added, which makes a test for a mean of AUROCs, and so may those of one patient's images.

Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988); the ranks of Sun and Xu, IEEE Signal Processing
Letters 21 (2014); patients as clusters after Obuchowski, Biometrics 53 (1997).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from xray_ai.training.evaluation.scoring import FloatArray


def pulls(labels: FloatArray, scores: FloatArray) -> FloatArray:
    """Pull of each image on the AUROC; their squares sum to DeLong's variance.

    Shape: labels (N,) of 1, 0 or NaN (no pull), scores (N,) -> (N,), all zero with fewer than two of a class.
    """
    found = np.zeros(len(labels))
    positive, negative = labels == 1.0, labels == 0.0
    m, n = int(positive.sum()), int(negative.sum())
    if min(m, n) <= 1:
        return found
    rank_of_all = np.zeros(len(labels))
    rank_of_all[positive | negative] = rankdata(scores[positive | negative])
    outranked = (rank_of_all[positive] - rankdata(scores[positive])) / n
    outranking = 1 - (rank_of_all[negative] - rankdata(scores[negative])) / m
    found[positive] = (outranked - outranked.mean()) / np.sqrt(m * (m - 1))
    found[negative] = (outranking - outranking.mean()) / np.sqrt(n * (n - 1))
    return found


def standard_error(pull: FloatArray) -> float:
    """Standard error of a figure with these pulls, images independent: (N,)."""
    return float(np.sqrt((pull**2).sum()))


def standard_error_by_patient(pull: FloatArray, patients: NDArray[np.str_]) -> float:
    """Do the same where images of one patient go together: (N,), (N,)."""
    _, patient_of_image = np.unique(patients, return_inverse=True)
    of_patient = np.bincount(patient_of_image, weights=pull)
    count = len(of_patient)
    return float(np.sqrt((of_patient**2).sum() * count / max(count - 1, 1)))


def two_sided_p(difference: float, error: float) -> float:
    """Chance of a difference at least as large where there is none; 1 where nothing differs at all."""
    if error == 0.0:
        return 1.0 if difference == 0.0 else 0.0
    return float(2 * norm.sf(abs(difference) / error))
