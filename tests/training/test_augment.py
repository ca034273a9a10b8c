"""Augmentation changes how a chest looks, never its shape, its range or what its labels say."""

import pytest
import torch

from xray_ai.training.augment import augmented, mixed

pytestmark = pytest.mark.training


def some_greys(count: int = 12, side: int = 64) -> torch.Tensor:
    ramp = torch.linspace(0.1, 0.9, side)
    return (ramp[None, :] * ramp[:, None]).expand(count, 1, side, side).clone()


def drawing(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("side", [32, 64, 224])
def test_each_image_looks_different_and_keeps_its_shape_and_range(side: int) -> None:
    greys = some_greys(6, side)

    looks = augmented(greys, 0.02, drawing())

    assert looks.shape == greys.shape
    assert 0.0 <= float(looks.min()) <= float(looks.max()) <= 1.0
    assert len({float(look.mean()) for look in looks}) == 6


def test_the_same_draw_gives_the_same_looks() -> None:
    one, again, other = (augmented(some_greys(), 0.02, drawing(seed)) for seed in (3, 3, 4))

    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_noise_is_added_when_a_stage_wants_it() -> None:
    smooth, rough = (augmented(some_greys(), noise, drawing()).diff(dim=-1).abs().mean() for noise in (0.0, 0.3))

    assert rough > 1.5 * smooth


def test_mixed_images_carry_mixed_labels() -> None:
    labels = torch.eye(2)

    images, mixed_labels = mixed(labels.reshape(2, 2, 1, 1), labels, 1.0, drawing())

    torch.testing.assert_close(images.reshape(2, 2), mixed_labels)
    torch.testing.assert_close(mixed_labels.sum(dim=1), torch.ones(2))


def test_nothing_is_mixed_unless_a_stage_wants_it() -> None:
    images, labels = some_greys(2), torch.eye(2)

    assert mixed(images, labels, 0.0, drawing()) == (images, labels)
