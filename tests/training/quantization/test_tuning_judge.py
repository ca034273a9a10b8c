"""An 8-bit network ships where it loses next to nothing, and not where one finding pays for the others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xray_ai.training.quantization.tuning_judge import TuningVerdict

pytestmark = pytest.mark.training

Logits = NDArray[np.float64]

IMAGES = 1000
KEYS = ("mass", "hernia", "abnormality")


def a_verdict(found: Logits, exact: Logits | None = None) -> TuningVerdict:
    return TuningVerdict(KEYS, labels(), ranked() if exact is None else exact, found)


def labels() -> Logits:
    """Every tenth image has a mass and is abnormal, and two of them a hernia."""
    present = (np.arange(IMAGES) % 10 == 0).astype(float)
    return np.stack([present, present * (np.arange(IMAGES) <= 10), present], axis=1)


def ranked() -> Logits:
    """Positives above negatives, every logit another."""
    column = np.linspace(-2.0, -1.0, IMAGES) + labels()[:, 0]
    return np.stack([column] * len(KEYS), axis=1)


def with_lowest(count: int, column: int) -> Logits:
    """As ranked, but some positives of one finding now score below all negatives."""
    logits = ranked()
    logits[np.flatnonzero(labels()[:, 0])[:count], column] = -9.0
    return logits


def test_a_copy_that_changes_nothing_may_ship() -> None:
    verdict = a_verdict(ranked())

    assert verdict.may_ship
    assert verdict.is_close
    assert verdict.mean_loss == 0.0


def test_a_finding_that_loses_too_much_is_named() -> None:
    verdict = a_verdict(with_lowest(1, column=0))

    assert not verdict.may_ship
    assert verdict.why_not[0].startswith("mass loses 0.0")
    assert verdict.losses["abnormality"] == 0.0


def test_a_mean_that_loses_too_much_is_enough_to_refuse() -> None:
    logits = ranked()
    logits[0, :] = np.quantile(ranked()[:, 0], 0.7)

    verdict = a_verdict(logits)

    assert 0.001 < verdict.losses["mass"] < 0.003
    assert verdict.why_not == (f"the mean loses {verdict.mean_loss:.4f} AUROC, 0.001 is allowed",)


def test_a_finding_of_two_patients_is_told_and_not_judged() -> None:
    verdict = a_verdict(with_lowest(1, column=1))

    assert verdict.may_ship
    exact, found = verdict.aurocs["hernia"]
    assert exact - found > 0.1
    assert verdict.losses.keys() == {"mass", "abnormality"}


def test_a_copy_that_could_not_be_measured_does_not_ship() -> None:
    nobody = TuningVerdict(KEYS, np.zeros_like(labels()), ranked(), ranked())

    assert nobody.why_not == ("no output has 10 positives among the tuning patients, so nothing is measured",)


def test_a_copy_that_ranks_as_before_but_says_other_probabilities_is_not_close() -> None:
    verdict = a_verdict(ranked() + 0.5)

    assert verdict.may_ship
    assert not verdict.is_close
    assert verdict.probability_changes.max() > 0.1


def test_a_finding_that_loses_more_than_half_of_what_is_allowed_is_not_close() -> None:
    logits = ranked()
    logits[0, 0] = np.quantile(ranked()[:, 0], 0.75)

    verdict = a_verdict(logits)

    assert verdict.may_ship
    assert 0.0015 < verdict.losses["mass"] < 0.003
    assert not verdict.is_close
