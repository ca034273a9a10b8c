"""A pack must score its golden images as it did when it was made, on whatever device it runs."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.packs import (
    BRIGHT_MASS,
    NO_ABNORMALITY,
    Tree,
    a_network,
    a_pack,
    a_reader,
    edit_golden,
    replace_network,
    seal,
)
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import PackUnsound


def complaint(folder: Path) -> str:
    with pytest.raises(PackUnsound) as unsound:
        check_golden(a_reader(folder))
    return unsound.value.found


def _expect_more(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["mass"] += 0.0011


def _expect_a_little_more(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["mass"] += 0.0009


def test_a_pack_scores_its_golden_images_as_when_it_was_made(tmp_path: Path) -> None:
    assert check_golden(a_reader(a_pack(tmp_path))) == pytest.approx(0.0, abs=1e-6)


def test_a_difference_within_the_packs_tolerance_is_told(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    edit_golden(folder, _expect_a_little_more)

    assert check_golden(a_reader(folder)) == pytest.approx(0.0009, abs=1e-6)


def test_a_difference_beyond_the_tolerance_is_refused_with_the_device(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    edit_golden(folder, _expect_more)

    assert complaint(folder) == (
        "The model pack tiny is unsound: its golden scores are off by 0.0011 on cpu (allowed: 0.001)."
    )


def _expect_more_of_the_first_of_two(golden: Tree) -> None:
    golden["cases"].append(deepcopy(golden["cases"][0]))
    _expect_more(golden)


def test_every_golden_image_counts(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    edit_golden(folder, _expect_more_of_the_first_of_two)

    assert "golden scores are off by 0.0011" in complaint(folder)


def test_a_network_with_other_weights_is_found_by_its_scores(tmp_path: Path) -> None:
    folder = a_pack(tmp_path, [BRIGHT_MASS])

    replace_network(folder, a_network([NO_ABNORMALITY, NO_ABNORMALITY]))

    assert "golden scores are off" in complaint(folder)


def _have_no_case(golden: Tree) -> None:
    golden["cases"] = []


def _allow_anything(golden: Tree) -> None:
    golden["tolerance"] = float("nan")


def _expect_no_number(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["mass"] = float("nan")


@pytest.mark.parametrize("edit", [_have_no_case, _allow_anything, _expect_no_number])
def test_golden_scores_that_could_not_fail_are_refused(tmp_path: Path, edit: Callable[[Tree], None]) -> None:
    folder = a_pack(tmp_path)

    edit_golden(folder, edit)

    assert "golden/golden.json does not parse" in complaint(folder)


def _forget_a_finding(golden: Tree) -> None:
    del golden["cases"][0]["probabilities"]["pneumothorax"]


def test_every_finding_has_its_golden_score(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    edit_golden(folder, _forget_a_finding)

    assert "chest.png names other outputs than the pack" in complaint(folder)


def test_a_pack_without_golden_scores_is_refused(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    (folder / "golden" / "golden.json").unlink()
    seal(folder)

    assert "it has no golden scores" in complaint(folder)


def _use_an_image_from_elsewhere(golden: Tree) -> None:
    golden["cases"][0]["image"] = "../../elsewhere.png"


def test_a_golden_image_has_its_digest_in_the_card(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)
    (tmp_path / "elsewhere.png").write_bytes((folder / "golden" / "chest.png").read_bytes())

    edit_golden(folder, _use_an_image_from_elsewhere)

    assert "golden image ../../elsewhere.png has no digest" in complaint(folder)


@pytest.mark.parametrize("image", [b"no image", cv2.imencode(".png", np.zeros((64, 64), np.uint8))[1].tobytes()])
def test_a_golden_image_that_is_not_read_makes_the_pack_unsound(tmp_path: Path, image: bytes) -> None:
    folder = a_pack(tmp_path)

    (folder / "golden" / "chest.png").write_bytes(image)
    seal(folder)

    assert "golden image chest.png is not read" in complaint(folder)
