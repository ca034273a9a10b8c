"""A scope pack is held to its card as strictly as a classifier's, and neither passes for the other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packs import Tree, a_pack, edit_card, edit_golden, replace_network
from tests.scope_packs import NO, a_scope_check, a_scope_network, a_scope_pack, add_performance
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack, PackKind, PackUnsound, ScopePack, kind_of


def complaint(folder: Path) -> str:
    with pytest.raises(PackUnsound) as unsound:
        ScopePack.open(folder)
    return unsound.value.found


def test_a_sound_scope_pack_opens_under_its_name_and_version(tmp_path: Path) -> None:
    pack = ScopePack.open(a_scope_pack(tmp_path))

    assert (pack.identity.name, pack.identity.version) == ("tiny-scope", "0.1.0")


def test_a_pack_says_which_kind_it_is_and_one_that_does_not_is_a_classifier(tmp_path: Path) -> None:
    classifier, scope = a_pack(tmp_path), a_scope_pack(tmp_path)

    assert (kind_of(classifier), kind_of(scope)) == (PackKind.CLASSIFIER, PackKind.SCOPE)


@pytest.mark.parametrize("card", ["{}", "no JSON", '{"kind": "oracle"}'])
def test_a_card_that_cannot_be_understood_is_opened_as_a_classifier_and_then_refused(tmp_path: Path, card: str) -> None:
    (tmp_path / "pack.json").write_text(card, "utf-8")

    assert kind_of(tmp_path) is PackKind.CLASSIFIER
    with pytest.raises(PackUnsound):
        ModelPack.open(tmp_path)


def test_neither_kind_passes_for_the_other(tmp_path: Path) -> None:
    classifier, scope = a_pack(tmp_path), a_scope_pack(tmp_path)

    assert "pack.json at" in complaint(classifier)
    with pytest.raises(PackUnsound, match=r"pack\.json at kind"):
        ModelPack.open(scope)


def test_what_was_measured_is_told_as_shares_with_their_intervals(tmp_path: Path) -> None:
    folder = a_scope_pack(tmp_path)

    add_performance(folder)
    card = ScopePack.open(folder).card

    assert card.performance is not None
    assert card.performance.shares[0].share == pytest.approx(0.005)


def _leave_out_a_refusal(card: Tree) -> None:
    del card["outputs"][4]  # inverted
    card["graph"]["outputs"][0]["shape"][1] = 8


def _ask_in_another_order(card: Tree) -> None:
    card["outputs"].reverse()


def _ask_twice(card: Tree) -> None:
    card["outputs"].append(card["outputs"][-1])


def _only_note_what_is_no_chest(card: Tree) -> None:
    card["outputs"][0]["action"] = "note"


def _refuse_a_poor_image(card: Tree) -> None:
    card["outputs"][-1]["action"] = "refuse"


def _say_yes_to_everything(card: Tree) -> None:
    card["outputs"][0]["point"] = 0.0


def _ask_something_else(card: Tree) -> None:
    card["outputs"][0]["key"] = "is_a_cat"


def _bring_a_template(card: Tree) -> None:
    card["preprocessing"]["polarity"] = {"weights": [[1.0]], "bias": 0.0, "inverted_below": 0.0}


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (_leave_out_a_refusal, "its outputs are not these, in this order: not_frontal_chest, turned_90"),
        (_ask_in_another_order, "its outputs are not these, in this order"),
        (_ask_twice, "its outputs are not these, in this order"),
        (_only_note_what_is_no_chest, "the action of not_frontal_chest is refuse"),
        (_refuse_a_poor_image, "the action of overexposed is note"),
        (_say_yes_to_everything, "outputs.0.point"),
        (_ask_something_else, "outputs.0.key"),
        (_bring_a_template, "polarity template"),
        (lambda card: card.update(findings=[]), "pack.json at findings"),
        (lambda card: card["files"].pop("model.onnx"), "does not name model.onnx"),
        (lambda card: card["files"].update({"more.txt": "0" * 64}), "more.txt is missing"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused_by_the_place_where_it_does_not(
    tmp_path: Path, edit: Callable[[Tree], None], named: str
) -> None:
    folder = a_scope_pack(tmp_path)

    edit_card(folder, edit)

    assert named in complaint(folder)


def _expect_a_larger_image(card: Tree) -> None:
    card["preprocessing"]["rows"] = 64


def _give_fewer_probabilities(card: Tree) -> None:
    card["graph"]["outputs"][0]["shape"] = ["batch", 8]


def _give_logits(card: Tree) -> None:
    card["graph"]["outputs"][0]["name"] = "logits"


def _give_maps_too(card: Tree) -> None:
    card["graph"]["outputs"].append({"name": "activation", "shape": ["batch", 9, 4, 4], "dtype": "float32"})


@pytest.mark.parametrize("edit", [_expect_a_larger_image, _give_fewer_probabilities, _give_logits, _give_maps_too])
def test_a_graph_that_does_not_go_from_the_recipe_to_the_outputs_is_refused(
    tmp_path: Path, edit: Callable[[Tree], None]
) -> None:
    folder = a_scope_pack(tmp_path)

    edit_card(folder, edit)

    assert "its graph does not go from image" in complaint(folder)


def _forget_the_last_quality(card: Tree) -> None:
    card["outputs"].pop()
    card["graph"]["outputs"][0]["shape"] = ["batch", 8]


def test_a_quality_that_a_pack_cannot_tell_may_be_left_out(tmp_path: Path) -> None:
    folder = a_scope_pack(tmp_path)

    replace_network(folder, a_scope_network([NO] * 8))
    edit_card(folder, _forget_the_last_quality)

    assert len(a_scope_check(folder).pack.card.outputs) == 8


def test_a_network_whose_tensors_are_not_those_of_the_card_makes_the_pack_unsound(tmp_path: Path) -> None:
    folder = a_scope_pack(tmp_path)

    replace_network(folder, a_scope_network([NO] * 8))

    with pytest.raises(PackUnsound, match="not those that its card names"):
        a_scope_check(folder)


def _expect_more(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["motion"] += 0.002


def test_a_scope_pack_is_held_to_its_golden_scores(tmp_path: Path) -> None:
    folder = a_scope_pack(tmp_path)
    assert check_golden(a_scope_check(folder)) == pytest.approx(0.0, abs=1e-6)

    edit_golden(folder, _expect_more)

    with pytest.raises(PackUnsound, match=r"golden scores are off by 0\.0020 on cpu"):
        check_golden(a_scope_check(folder))
