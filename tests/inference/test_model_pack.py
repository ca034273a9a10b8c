"""A pack is opened only when every byte is what its card says; else the operator is told what is not."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packs import Tree, a_pack, absent, edit_card, edit_golden, present
from xray_ai.domain.reading import ModelIdentity
from xray_ai.inference.model_pack import ModelPack, PackUnsound, installed_packs


def complaint(folder: Path) -> str:
    """What is said of a pack that is not sound."""
    with pytest.raises(PackUnsound) as unsound:
        ModelPack.open(folder)
    return unsound.value.found


def test_a_sound_pack_opens_under_its_name_version_and_digest(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    pack = ModelPack.open(folder)

    digest = hashlib.sha256((folder / "pack.json").read_bytes()).hexdigest()
    assert pack.identity == ModelIdentity("tiny", "1.2.3", digest)


def test_findings_stand_in_the_cards_order_with_abnormality_last(tmp_path: Path) -> None:
    folder = a_pack(tmp_path, [present("hernia"), absent("edema"), absent("mass")])

    keys = [finding.key for finding in ModelPack.open(folder).card.findings]

    assert keys == ["hernia", "edema", "mass", "abnormality"]


def test_another_golden_score_makes_another_digest(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)
    before = ModelPack.open(folder).identity.digest

    edit_golden(folder, lambda golden: golden.update(tolerance=0.002))

    assert ModelPack.open(folder).identity.digest != before


@pytest.mark.parametrize("name", ["model.onnx", "golden/golden.json", "golden/chest.png"])
def test_a_changed_byte_is_found_and_its_file_named(tmp_path: Path, name: str) -> None:
    folder = a_pack(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1

    (folder / name).write_bytes(content)

    assert f"{name} has not the SHA-256" in complaint(folder)


@pytest.mark.parametrize("name", ["model.onnx", "golden/golden.json", "golden/chest.png"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = a_pack(tmp_path)

    (folder / name).unlink()

    assert f"{name} is missing" in complaint(folder)


def test_a_folder_without_a_card_is_no_pack(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    (folder / "pack.json").unlink()

    assert "pack.json cannot be read" in complaint(folder)


def test_a_folder_that_is_not_there_is_no_pack(tmp_path: Path) -> None:
    assert "pack.json cannot be read" in complaint(tmp_path / "nowhere")


def test_a_file_outside_the_folder_is_none_of_the_packs(tmp_path: Path) -> None:
    folder, outside = a_pack(tmp_path), tmp_path / "outside.txt"
    outside.write_text("elsewhere", "utf-8")

    digest = hashlib.sha256(b"elsewhere").hexdigest()
    edit_card(folder, lambda card: card["files"].update({"../outside.txt": digest}))

    assert "../outside.txt is missing" in complaint(folder)


def test_a_link_that_leaves_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = a_pack(tmp_path)

    (folder / "model.onnx").rename(tmp_path / "model.onnx")
    (folder / "model.onnx").symlink_to(tmp_path / "model.onnx")

    assert "model.onnx is missing" in complaint(folder)


def _forget_network(card: Tree) -> None:
    del card["files"]["model.onnx"]


def _swap_last_findings(card: Tree) -> None:
    card["findings"].reverse()


def _repeat_a_finding(card: Tree) -> None:
    card["findings"].insert(0, card["findings"][0])


def _name_a_view_that_is_none(card: Tree) -> None:
    card["acceptance"]["view_positions"] = ["PA", "UPSIDE DOWN"]


def _misspell_a_key_of_the_recipe(card: Tree) -> None:
    card["preprocessing"]["standart_deviation"] = card["preprocessing"].pop("standard_deviation")


def _give_an_impossible_operating_point(card: Tree) -> None:
    card["findings"][0]["operating_point"] = 1.5


def _come_from_the_future(card: Tree) -> None:
    card["schema_version"] = 2


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (_forget_network, "does not name model.onnx"),
        (_swap_last_findings, "abnormality is not the last"),
        (_repeat_a_finding, "more than one finding mass"),
        (_name_a_view_that_is_none, "acceptance.view_positions"),
        (_misspell_a_key_of_the_recipe, "preprocessing.standard_deviation"),
        (_give_an_impossible_operating_point, "findings.0.operating_point"),
        (_come_from_the_future, "schema_version"),
        (lambda card: card.update(colour="blue"), "colour"),
        (lambda card: card["findings"][0].update(severity=3), "findings.0.severity"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused_by_the_place_where_it_does_not(
    tmp_path: Path, edit: Callable[[Tree], None], named: str
) -> None:
    folder = a_pack(tmp_path)

    edit_card(folder, edit)

    assert named in complaint(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "no json \udc80"])
def test_a_card_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    folder = a_pack(tmp_path)

    (folder / "pack.json").write_text(text, "utf-8", "surrogateescape")

    assert "pack.json at its root" in complaint(folder)


def _take_colour(card: Tree) -> None:
    card["graph"]["inputs"][0]["shape"] = ["N", 3, 64, 64]


def _take_larger_images(card: Tree) -> None:
    card["preprocessing"]["rows"] = 128


def _take_two_images(card: Tree) -> None:
    card["graph"]["inputs"].append({"name": "prior", "shape": ["N", 1, 64, 64], "dtype": "float32"})


def _give_half_floats(card: Tree) -> None:
    card["graph"]["outputs"][0]["dtype"] = "tensor(float16)"


def _give_no_maps(card: Tree) -> None:
    card["graph"]["outputs"].pop()


def _give_too_many_scores(card: Tree) -> None:
    card["graph"]["outputs"][0]["shape"] = ["N", 14]


@pytest.mark.parametrize(
    "edit",
    [_take_colour, _take_larger_images, _take_two_images, _give_half_floats, _give_no_maps, _give_too_many_scores],
)
def test_a_graph_that_does_not_fit_the_recipe_and_the_findings_is_refused(
    tmp_path: Path, edit: Callable[[Tree], None]
) -> None:
    folder = a_pack(tmp_path)

    edit_card(folder, edit)

    assert "its graph does not go from image" in complaint(folder)


def test_every_complaint_names_the_pack_and_says_what_to_do(tmp_path: Path) -> None:
    folder = a_pack(tmp_path, name="chest-7")
    (folder / "model.onnx").unlink()

    with pytest.raises(PackUnsound, match=r"chest-7 is unsound.*Install the pack again"):
        ModelPack.open(folder)


def test_installed_packs_are_the_folders_with_a_card_by_name(tmp_path: Path) -> None:
    packs = [a_pack(tmp_path, name=name) for name in ("beta", "alpha")]

    (tmp_path / "notes").mkdir()

    assert installed_packs(tmp_path) == tuple(reversed(packs))


def test_no_pack_is_installed_where_there_is_no_folder(tmp_path: Path) -> None:
    assert installed_packs(tmp_path / "nowhere") == ()
