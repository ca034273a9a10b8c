"""Every classifier that ships opens, scores as when it was made, is small enough for git, and says how good it is."""

from pathlib import Path

import pytest

from tests.house.shape import ROOT
from tests.packs import a_reader
from xray_ai.domain.finding import ABNORMALITY
from xray_ai.inference.golden import GOLDEN_FILE, GoldenCard, check_golden
from xray_ai.inference.model_pack import ModelPack, PackKind, installed_packs, kind_of
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device

LARGEST_BYTES = 40 * 10**6
PACKS = [pack for pack in installed_packs(ROOT / "models") if kind_of(pack) is PackKind.CLASSIFIER]

pytestmark = [
    pytest.mark.skipif(not PACKS, reason="no pack ships yet: models/ is empty"),
    pytest.mark.parametrize("folder", PACKS, ids=lambda folder: folder.name),
]


def test_it_opens_under_the_name_of_its_folder(folder: Path) -> None:
    assert ModelPack.open(folder).card.name == folder.name


def test_it_scores_its_golden_images_as_when_it_was_made(folder: Path) -> None:
    tolerance = GoldenCard.model_validate_json((folder / GOLDEN_FILE).read_bytes()).tolerance

    assert check_golden(a_reader(folder)) <= tolerance <= 0.01


def test_each_of_its_networks_scores_the_golden_images_as_when_it_was_made(folder: Path) -> None:
    pack = ModelPack.open(folder)

    for network in pack.card.networks:
        check_golden(Reader(pack.run_by(network), Device.CPU))


def test_it_holds_nothing_but_what_its_card_names(folder: Path) -> None:
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}

    assert files == {*ModelPack.open(folder).card.files, "pack.json"}


def test_it_is_small_enough_for_git(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= LARGEST_BYTES


def test_it_says_how_good_it_is_with_intervals(folder: Path) -> None:
    card = ModelPack.open(folder).card

    assert card.performance is not None
    assert card.performance.auroc.keys() == {finding.key for finding in card.findings}
    for figure in (card.performance.mean_auroc, *card.performance.auroc.values()):
        assert 0.0 <= figure.low <= figure.value <= figure.high <= 1.0
    assert card.performance.mean_auroc.low > 0.5


def test_its_alerts_stay_within_what_radiologists_bear(folder: Path) -> None:
    findings = {finding.key: finding for finding in ModelPack.open(folder).card.findings}

    assert findings["pneumothorax"].expected_alert_share <= 0.03
    assert findings[ABNORMALITY].expected_alert_share <= 0.15


def test_its_golden_images_are_drawn_and_of_no_patient(folder: Path) -> None:
    scores = {network.golden for network in ModelPack.open(folder).card.networks}

    names = {f"golden/{file.name}" for file in (folder / "golden").iterdir()}

    assert names - scores == {"golden/clear.png", "golden/masses.png", "golden/large-heart.png"}
    assert scores <= names


def test_its_card_for_people_speaks_of_the_same_version(folder: Path) -> None:
    card = ModelPack.open(folder).card

    text = (folder / "MODEL_CARD.md").read_text("utf-8")

    assert text.startswith(f"# {card.name} {card.version}\n")
    assert card.intended_use in text


def test_it_does_not_tell_on_which_machine_it_was_made(folder: Path) -> None:
    content = (folder / "model.onnx").read_bytes()

    assert b"site-packages" not in content
    assert b'File "/' not in content
