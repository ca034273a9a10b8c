"""Two packs on the same images: a difference is found where there is one, and only there."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.cohorts import a_cohort_image
from tests.training.evaluation.scores import a_scored, mediocre, sigmoid
from xray_ai.training.evaluation.comparison import bootstrap_p, compare
from xray_ai.training.evaluation.measured import ComparisonFigures, PackMeasured
from xray_ai.training.evaluation.scoring import Scored

pytestmark = pytest.mark.training

PREVIOUS = PackMeasured(name="older", version="1.0.0", digest="0" * 64, scoring_sha256="1" * 64)


def compared(pack: Scored, previous: Scored) -> ComparisonFigures:
    return compare(
        pack, previous, PREVIOUS, ["Mass", "Abnormality"], seed=1, is_small_copy=np.zeros(len(pack.images), bool)
    )


def test_a_pack_does_not_differ_from_itself() -> None:
    pooled = compared(mediocre(100), mediocre(100)).pooled

    assert pooled.difference.value == pooled.difference.low == pooled.difference.high == 0.0
    assert (pooled.delong_p, pooled.delong_by_patient_p, pooled.bootstrap_p) == (1.0, 1.0, 1.0)


def test_a_better_pack_is_found_better_by_every_test() -> None:
    better, worse = mediocre(400, lift=2.0), mediocre(400, lift=0.5, seed=7)

    pooled = compared(better, worse).pooled

    assert pooled.difference.low > 0
    assert pooled.difference.value == pytest.approx(pooled.auroc - pooled.previous_auroc, abs=2e-4)
    assert max(pooled.delong_p, pooled.delong_by_patient_p, pooled.bootstrap_p) < 0.01


def test_equal_packs_are_seldom_told_apart_though_patients_have_many_images() -> None:
    draw, found = np.random.default_rng(5), 0
    images = tuple(a_cohort_image(f"p{number // 4}", path=f"{number}") for number in range(240))
    labels = ((np.arange(240) // 4) % 2).astype(np.float64)[:, None].repeat(2, axis=1)

    for _ in range(40):
        of_patient = draw.normal(0, 1, (2, 60, 2)).repeat(4, axis=1) + labels  # all four images agree
        pack, previous = (a_scored(labels, sigmoid(scores), images) for scores in of_patient)
        found += compared(pack, previous).pooled.delong_by_patient_p < 0.05

    assert found <= 6  # 40 times 5 % is 2


def test_only_images_that_both_packs_read_are_compared() -> None:
    pack, previous = mediocre(100), mediocre(100)
    first, last = np.arange(100) < 90, np.arange(100) >= 10

    figures = compared(pack.of(first), previous.of(last))

    assert (figures.images, figures.patients) == (80, 80)
    assert figures.pooled.difference.value == 0.0


def test_findings_are_told_apart_and_abnormality_is_not_pooled() -> None:
    pack, previous = mediocre(400), mediocre(400)
    pack = replace(pack, probabilities=np.stack([previous.probabilities[:, 0], previous.labels[:, 1]], axis=1))

    figures = compared(pack, previous)

    assert [(one.key, one.positives) for one in figures.findings] == [("mass", 200), ("abnormality", 200)]
    assert figures.findings[1].difference.value > 0.1
    assert figures.pooled.difference.value == 0.0


def test_what_a_small_copy_gave_away_is_left_out_of_a_second_mean() -> None:
    previous, pack = mediocre(400), mediocre(400)
    is_small = np.arange(400) < 100
    given_away = np.where(is_small[:, None], pack.labels, pack.probabilities)

    figures = compare(replace(pack, probabilities=given_away), previous, PREVIOUS, ["", ""], 1, is_small)

    assert figures.pooled.difference.value > 0.02
    assert figures.pooled_without_small_copies is not None
    assert figures.pooled_without_small_copies.difference.value == 0.0


def test_a_bootstrap_never_claims_more_than_its_draws_can_tell() -> None:
    assert bootstrap_p(np.ones(999)) == pytest.approx(2 / 1000)
    assert bootstrap_p(np.zeros(999)) == 1.0
