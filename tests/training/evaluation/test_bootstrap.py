"""Intervals are over patients, hold what they promise, and say so where draws cannot."""

import numpy as np
import pytest

from tests.training.evaluation.scores import independent, mediocre
from xray_ai.training.evaluation.bootstrap import Resamples, certain, interval, mean_of
from xray_ai.training.evaluation.ranking import mean_auroc
from xray_ai.training.evaluation.scoring import FloatArray

pytestmark = pytest.mark.training


def of_mean(values: FloatArray, resamples: Resamples) -> FloatArray:
    return np.asarray(resamples.weights @ values / resamples.weights.sum(axis=1))


def test_the_first_row_is_the_images_as_they_are() -> None:
    assert independent(5).weights[0].tolist() == [1, 1, 1, 1, 1]


def test_each_draw_takes_as_many_patients_with_all_their_images() -> None:
    resamples = Resamples.draw(np.array(["a", "b", "b", "c"]), seed=3, resamples=50)

    of_a, of_b, of_b_again, of_c = resamples.weights.T
    assert (of_b == of_b_again).all()
    assert (of_a + of_b + of_c == 3).all()


def test_an_interval_holds_its_figure_and_repeats_with_its_seed() -> None:
    scored = mediocre(60)

    found, again, other = (interval(mean_auroc(scored, independent(60, seed), [0])) for seed in (1, 1, 2))

    assert found is not None
    assert found.low < found.value < found.high
    assert found == again != other


def test_more_images_of_the_same_patients_make_no_figure_more_certain() -> None:
    values, patients = np.random.default_rng(0).normal(size=60), np.array([f"p{number}" for number in range(60)])

    once = interval(of_mean(values, Resamples.draw(patients, 1)))
    fourfold = interval(of_mean(np.tile(values, 4), Resamples.draw(np.tile(patients, 4), 1)))

    assert fourfold == once


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    draw, held = np.random.default_rng(4), 0

    for seed in range(200):
        of_patient = draw.normal(size=80).repeat(2)  # two images that always agree
        patients = (np.arange(160) // 2).astype(str)
        found = certain(interval(of_mean(of_patient, Resamples.draw(patients, seed, 200))))
        held += found.low <= 0.0 <= found.high

    assert 0.90 <= held / 200 <= 0.98


def test_a_share_of_none_has_an_upper_end() -> None:
    nobody, all_of_them = np.zeros(10, np.bool_), np.ones(10, np.bool_)

    none, everyone = (certain(independent(10).share(part, all_of_them)) for part in (nobody, all_of_them))

    assert (none.value, none.low, everyone.value, everyone.high) == (0.0, 0.0, 1.0, 1.0)
    assert none.high == pytest.approx(0.3085, abs=1e-4)  # the table of Clopper and Pearson
    assert everyone.low == pytest.approx(0.6915, abs=1e-4)


def test_a_share_of_nothing_is_no_figure() -> None:
    nobody = np.zeros(4, np.bool_)

    assert independent(4).share(nobody, nobody) is None


def test_a_mean_leaves_out_what_has_no_value() -> None:
    figures = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])

    assert mean_of(figures).tolist() == [2.0, pytest.approx(np.nan, nan_ok=True)]


def test_a_figure_that_must_be_there_is_not_made_up() -> None:
    with pytest.raises(ValueError, match="too few"):
        certain(interval(np.full(5, np.nan)))
