"""The template tells a chest from its negative, whatever its processing."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.cohorts import a_run
from xray_ai.imaging.preprocess import polarity_of
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.polarity import fit_polarity, mistaken_share

pytestmark = pytest.mark.training


def chests(first_seed: int, count: int = 12) -> NDArray[np.uint8]:
    return np.stack([chest_phantom(Phantom(seed, masses=seed % 7)) for seed in range(first_seed, first_seed + count)])


def test_it_tells_chests_that_it_has_not_seen_from_their_negatives() -> None:
    template = fit_polarity(chests(first_seed=0))

    assert mistaken_share(template, list(chests(first_seed=100))) == (0.0, 0.0)


def test_a_template_of_negatives_mistakes_every_chest() -> None:
    template = fit_polarity(np.asarray(255 - chests(first_seed=0), np.uint8))

    assert mistaken_share(template, list(chests(first_seed=100))) == (1.0, 1.0)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_processing_does_not_turn_a_chest_around(gamma: float) -> None:
    template = fit_polarity(chests(first_seed=0)).recipe()

    grey = (chest_phantom(Phantom(50)) / 255) ** gamma

    assert polarity_of(np.asarray(grey, np.float32), template) > 0.0
    assert polarity_of(np.asarray(1.0 - grey, np.float32), template) < 0.0


def test_a_card_with_the_template_makes_the_recipe_that_serves() -> None:
    template = fit_polarity(chests(first_seed=0))

    recipe = a_run().recipe.model_copy(update={"polarity": template}).recipe()

    assert recipe.polarity is not None
    np.testing.assert_allclose(recipe.polarity.weights, template.weights, rtol=1e-6)
