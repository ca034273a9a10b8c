"""Every scope pack that ships opens, answers as when it was made, and knows a real chest from a real tibia."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.factories import a_demo_file
from tests.house.shape import ROOT
from tests.scope_packs import a_scope_check
from xray_ai.acceptance import accept_pixels
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.part10 import open_part10
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.golden import GOLDEN_FILE, GoldenCard, check_golden
from xray_ai.inference.model_pack import PackKind, ScopePack, installed_packs, kind_of
from xray_ai.reading_room import display_grayscale

LARGEST_BYTES = 10 * 10**6
PACKS = [pack for pack in installed_packs(ROOT / "models") if kind_of(pack) is PackKind.SCOPE]

pytestmark = [
    pytest.mark.skipif(not PACKS, reason="no scope pack ships yet"),
    pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name),
]


@cache
def displayed(name: str) -> NDArray[np.float32]:
    """A real radiograph as a viewer shows it, 0.0 black to 1.0 white."""
    return display_grayscale(open_part10(a_demo_file(name)))


def refusal_of(folder: Path, display: NDArray[np.float32]) -> RejectionCode | None:
    """Why this image is refused as it is; None where it is accepted."""
    values = np.rint(np.ascontiguousarray(display) * 4095).astype(np.uint16)
    rows, columns = values.shape
    stored = StoredImage(values, rows, columns, reduction=0, lossy=False)
    try:
        accept_pixels(a_scope_check(folder).answers(stored, PLAIN))
    except StudyRejected as refusal:
        return refusal.code
    return None


def test_it_opens_under_the_name_of_its_folder(folder: Path) -> None:
    assert ScopePack.open(folder).card.name == folder.name


def test_it_answers_for_its_golden_images_as_when_it_was_made(folder: Path) -> None:
    tolerance = GoldenCard.model_validate_json((folder / GOLDEN_FILE).read_bytes()).tolerance

    assert check_golden(a_scope_check(folder)) <= tolerance <= 0.01


def test_some_of_its_golden_images_are_refused(folder: Path) -> None:
    outputs = ScopePack.open(folder).card.outputs
    points = {output.key.value: output.point for output in outputs if output.action == "refuse"}
    cases = GoldenCard.model_validate_json((folder / GOLDEN_FILE).read_bytes()).cases

    assert any(case.probabilities[key] >= point for case in cases for key, point in points.items())


def test_it_holds_nothing_but_what_its_card_names(folder: Path) -> None:
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}

    assert files == {*ScopePack.open(folder).card.files, "pack.json"}


def test_it_is_small(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= LARGEST_BYTES


def test_it_says_how_often_it_errs_and_what_could_not_be_measured(folder: Path) -> None:
    card = ScopePack.open(folder).card

    assert card.performance is not None
    assert {share.is_wanted for share in card.performance.shares} == {True, False}
    assert all(share.low <= share.share <= share.high for share in card.performance.shares)
    assert card.limits


def test_its_card_for_people_speaks_of_the_same_version(folder: Path) -> None:
    card = ScopePack.open(folder).card

    text = (folder / "MODEL_CARD.md").read_text("utf-8")

    assert text.startswith(f"# {card.name} {card.version}\n")
    assert card.intended_use in text


def test_it_does_not_tell_on_which_machine_it_was_made(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()

    assert b"site-packages" not in content
    assert b'File "/' not in content


def test_a_real_chest_is_accepted(folder: Path) -> None:
    assert refusal_of(folder, displayed("RG1_UNCR")) is None


@pytest.mark.parametrize("quarters", range(4))
def test_a_real_tibia_is_refused_however_it_lies(folder: Path, quarters: int) -> None:
    assert refusal_of(folder, np.rot90(displayed("RG3_UNCR"), quarters)) is RejectionCode.NOT_FRONTAL_CHEST


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_chest_is_refused(folder: Path, quarters: int) -> None:
    assert refusal_of(folder, np.rot90(displayed("RG1_UNCR"), -quarters)) is RejectionCode.TURNED


def test_a_negative_is_refused_as_inverted(folder: Path) -> None:
    assert refusal_of(folder, 1.0 - displayed("RG1_UNCR")) is RejectionCode.LOOKS_INVERTED
