"""Changes to batches: chests made worse, negatives made of chests, and the looks of sites."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.scope.scope_runs import a_scope_run
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.preprocess import CollimationRecipe, prepare
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.training.batches import blurred, on_some, quantiles, sampled
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.scope.augment import CHEST_POSE, marked, posed, processed, to_range
from xray_ai.training.scope.degradations import clipped, moved, overexposed, underexposed
from xray_ai.training.scope.derived import DERIVED, Derive

pytestmark = pytest.mark.training

SIDE = 64


def some_chests(count: int = 6) -> torch.Tensor:
    """Drawn chests: (count, 1, 64, 64)."""
    chests = np.stack([chest_phantom(Phantom(seed))[::5, ::5] for seed in range(count)])
    return torch.from_numpy(chests.astype(np.float32) / 255)[:, None]


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("change", [clipped, moved, underexposed, overexposed, *DERIVED.values(), processed, marked])
def test_a_change_keeps_the_shape_and_repeats_with_its_seed(change: Derive) -> None:
    chests = some_chests()

    first, again, other = (change(chests, chance(seed)) for seed in (1, 1, 2))

    assert first.shape == chests.shape
    torch.testing.assert_close(first, again)
    assert not torch.equal(first, other)


def test_what_is_cut_off_is_gone_and_the_rest_fills_the_frame() -> None:
    ramp = torch.linspace(0, 1, SIDE)[None, None, None, :].repeat(40, 1, SIDE, 1)

    cut = clipped(ramp, chance())

    span = cut[:, 0, SIDE // 2].amax(1) - cut[:, 0, SIDE // 2].amin(1)
    assert 0.5 < float(span.min()) < 0.8  # the strip came off the left or the right
    assert float(span.max()) > 0.95  # or off the top or the bottom


def test_motion_blurs_along_a_line() -> None:
    dot = torch.zeros(8, 1, SIDE, SIDE)
    dot[:, :, 30:34, 30:34] = 1.0

    smeared = moved(dot, chance())

    torch.testing.assert_close(smeared.sum((1, 2, 3)), dot.sum((1, 2, 3)), rtol=0.05, atol=0.1)
    assert float(smeared.amax()) < 1.0


def test_overexposure_ends_in_black_and_underexposure_in_white() -> None:
    chests = some_chests()

    assert float((overexposed(chests, chance()) == 0).float().mean()) > 0.39
    assert float((underexposed(chests, chance()) == 1).float().mean()) > 0.15


def test_a_shuffled_chest_has_the_same_tiles_elsewhere() -> None:
    chests = some_chests()

    shuffled = DERIVED["shuffled"](chests, chance())

    assert float((shuffled - chests).abs().mean()) > 0.02


def test_a_pose_leaves_a_chest_upright() -> None:
    chests = some_chests(12)

    moved_little = posed(chests, CHEST_POSE, chance())

    likeness = torch.corrcoef(torch.stack([chests.mean(0).flatten(), moved_little.mean(0).flatten()]))[0, 1]
    assert float(likeness) > 0.8


def test_the_grey_range_is_that_of_the_serving_recipe() -> None:
    card = a_scope_run().recipe.model_copy(update={"rows": SIDE, "columns": SIDE})
    recipe = replace(card.recipe(), collimation=CollimationRecipe(flat_span=0.04, largest_share=0.0))
    grey = chest_phantom(Phantom(1))
    stored = StoredImage(grey, grey.shape[0], grey.shape[1], reduction=0, lossy=False)
    small = torch.from_numpy(grey.astype(np.float32).reshape(SIDE, 5, SIDE, 5).mean((1, 3)) / 255)[None, None]

    ours = to_range(small, recipe.grey_range)[0, 0].numpy()

    np.testing.assert_allclose(ours, prepare(stored, PLAIN, recipe).grey, atol=0.02)


def test_a_blur_keeps_the_mean_and_a_quantile_is_each_images_own() -> None:
    chests = some_chests()

    assert float((blurred(chests, 2.0).mean() - chests.mean()).abs()) < 0.01
    half = quantiles(chests, torch.full((6,), 0.5))
    torch.testing.assert_close((chests <= half).float().mean((1, 2, 3)), torch.full((6,), 0.5), atol=0.05, rtol=0)


def test_only_some_images_are_changed() -> None:
    zeros = torch.zeros(200, 1, 2, 2)

    changed = on_some(zeros, 0.3, chance(), lambda part: part + 1).mean((1, 2, 3))

    assert set(changed.tolist()) == {0.0, 1.0}
    assert 0.2 < float(changed.mean()) < 0.4
    assert on_some(zeros, 0.0, chance(), lambda part: part + 1) is zeros


def test_sampling_at_the_identity_changes_nothing() -> None:
    chests = some_chests()

    torch.testing.assert_close(sampled(chests, torch.eye(2, 3).repeat(6, 1, 1)), chests, atol=1e-5, rtol=0)
