"""What is drawn is drawn the same for the same seed, differs between seeds, and looks like what its name says."""

import numpy as np
import pytest

from xray_ai.training.scope.anatomy import PARTS, drawn_part
from xray_ai.training.scope.patterns import PATTERNS
from xray_ai.training.scope.projection import BONE, SOFT, Projection, clouds, exposed

pytestmark = pytest.mark.training


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_drawn_the_same_for_the_same_seed_and_otherwise_for_another(name: str) -> None:
    first, again, other = (drawn_part(name, 48, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert first.shape == (48, 48)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_drawn_the_same_for_the_same_seed(name: str) -> None:
    first, again = (PATTERNS[name](48, np.random.default_rng(3)) for _ in range(2))

    assert first.shape == (48, 48)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)


def test_bone_stops_more_than_soft_tissue_of_the_same_shape() -> None:
    soft, bone = Projection(32), Projection(32)
    soft.ellipsoid((0, 0), (0.5, 0.5), SOFT)
    bone.ellipsoid((0, 0), (0.5, 0.5), BONE)

    assert bone.attenuation[16, 16] > soft.attenuation[16, 16] > 0
    assert soft.attenuation[0, 0] == 0


def test_a_hollow_bone_is_brightest_at_its_edges() -> None:
    body = Projection(101)
    body.tube((0, -1), (0, 1), (0.5, 0.5), BONE, marrow=0.7)

    row = body.attenuation[50]

    assert row[28:34].max() > row[50] > 0


def test_a_turned_body_is_the_body_turned() -> None:
    upright, lying = Projection(65), Projection(65, turn_deg=90)
    for body in (upright, lying):
        body.tube((-0.5, 0.2), (0.5, 0.4), (0.1, 0.2), SOFT)

    np.testing.assert_allclose(lying.attenuation, np.rot90(upright.attenuation, -1), atol=1e-4)


def test_where_there_is_no_body_the_image_is_dark() -> None:
    body = Projection(64)
    body.ellipsoid((0, 0), (0.4, 0.4), SOFT)

    grey = exposed(body.attenuation, np.random.default_rng(1))

    assert grey[:6, :6].mean() + 60 < grey[30:34, 30:34].mean()


def test_steeper_clouds_are_smoother() -> None:
    rough, smooth = (clouds(64, steepness, np.random.default_rng(1)) for steepness in (0.0, 2.5))

    assert np.abs(np.diff(smooth)).mean() < np.abs(np.diff(rough)).mean()
