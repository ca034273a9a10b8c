"""The site is built as configured, or the operator is told what is missing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house.shape import ROOT
from tests.packs import Tree, a_pack, edit_golden
from tests.scope_packs import a_scope_pack
from xray_ai.app import acceptance_of, default_pack, load_policy, models_root, open_reading_room, scope_pack
from xray_ai.config import (
    AcceptanceConfig,
    ConfigurationWrong,
    InferenceConfig,
    ModelsConfig,
    Settings,
    Table,
    TriageConfig,
)
from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.domain.radiograph import ViewPosition
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.model_pack import ModelPack, PackUnsound, ScopePack
from xray_ai.inference.session import Device, available_devices
from xray_ai.triage import PolicyUnsound


def settings_of(root: Path, *, default: str | None = None, scope: str | None = None, **tables: Table) -> Settings:
    return Settings.model_validate({"models": ModelsConfig(root=root, default=default, scope=scope), **tables})


@pytest.fixture
def packs(tmp_path: Path) -> Path:
    """A folder with one classifier, 'tiny', and one scope pack, 'tiny-scope'."""
    a_pack(tmp_path)
    a_scope_pack(tmp_path)
    return tmp_path


def _expect_half(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["mass"] /= 2


def _expect_to_be_refused(golden: Tree) -> None:
    golden["cases"][0]["probabilities"]["not_frontal_chest"] = 1.0


def test_packs_are_looked_for_where_the_site_says(tmp_path: Path) -> None:
    assert models_root(settings_of(tmp_path)) == tmp_path


def test_a_checkout_looks_for_packs_beside_the_program() -> None:
    assert models_root(Settings()) == ROOT / "models"


def test_the_only_pack_reads_without_being_named(tmp_path: Path) -> None:
    pack = a_pack(tmp_path)

    assert default_pack(settings_of(tmp_path)) == pack


def test_of_two_packs_the_named_one_reads(tmp_path: Path) -> None:
    packs = [a_pack(tmp_path, name=name) for name in ("old", "new")]

    assert default_pack(settings_of(tmp_path, default="new")) == packs[1]


def test_of_two_packs_none_reads_until_one_is_named(tmp_path: Path) -> None:
    for name in ("old", "new"):
        a_pack(tmp_path, name=name)

    with pytest.raises(OperatorNeeded) as needed:
        default_pack(settings_of(tmp_path))

    assert needed.value.found == "2 model packs are installed: ['new', 'old']."
    assert "models.default" in needed.value.remedy


def test_without_a_pack_nothing_reads(tmp_path: Path) -> None:
    with pytest.raises(OperatorNeeded, match="0 model packs are installed: none"):
        default_pack(settings_of(tmp_path))


def test_a_named_pack_that_is_not_installed_is_a_wrong_configuration(tmp_path: Path) -> None:
    a_pack(tmp_path, name="new")

    with pytest.raises(ConfigurationWrong, match=r"default is newer, but the model packs installed are \['new'\]"):
        default_pack(settings_of(tmp_path, default="newer"))


@pytest.mark.parametrize(("pack", "edit"), [("tiny", _expect_half), ("tiny-scope", _expect_to_be_refused)])
def test_a_pack_whose_golden_scores_are_off_does_not_start(
    packs: Path, pack: str, edit: Callable[[Tree], None]
) -> None:
    edit_golden(packs / pack, edit)

    with pytest.raises(PackUnsound, match=f"{pack} is unsound: its golden scores are off"):
        open_reading_room(settings_of(packs))


def test_the_check_of_golden_scores_can_be_switched_off(packs: Path) -> None:
    edit_golden(packs / "tiny", _expect_half)
    edit_golden(packs / "tiny-scope", _expect_to_be_refused)

    site = open_reading_room(settings_of(packs, inference=InferenceConfig(check_golden_scores=False)))

    assert site.reader.pack.folder == packs / "tiny"


def test_the_only_scope_pack_checks_pixels_without_being_named(packs: Path) -> None:
    site = open_reading_room(settings_of(packs))

    assert site.reader.scope_identity == ScopePack.open(packs / "tiny-scope").identity


def test_without_a_scope_pack_nothing_starts(tmp_path: Path) -> None:
    a_pack(tmp_path)

    with pytest.raises(OperatorNeeded, match="0 scope packs are installed: none") as needed:
        open_reading_room(settings_of(tmp_path))

    assert "models.scope" in needed.value.remedy


def test_a_site_may_want_pixels_not_checked_and_has_to_say_so(packs: Path) -> None:
    site = open_reading_room(settings_of(packs, scope="none"))

    assert site.reader.scope is None


def test_of_two_scope_packs_the_named_one_checks(packs: Path) -> None:
    newer = a_scope_pack(packs, name="newer-scope")

    assert scope_pack(settings_of(packs, scope="newer-scope")) == newer
    with pytest.raises(OperatorNeeded, match=r"2 scope packs are installed: \['newer-scope', 'tiny-scope'\]"):
        scope_pack(settings_of(packs))


@pytest.mark.parametrize(("default", "scope"), [("tiny-scope", None), (None, "tiny")])
def test_a_pack_of_the_other_kind_cannot_be_named(packs: Path, default: str | None, scope: str | None) -> None:
    with pytest.raises(ConfigurationWrong, match=r"models\.(default|scope) is tiny.*, but the .* packs installed are"):
        open_reading_room(settings_of(packs, default=default, scope=scope))


def test_a_decoder_keeps_what_the_larger_of_both_models_needs(packs: Path) -> None:
    reader = open_reading_room(settings_of(packs)).reader

    assert (reader.least_side, reader.scope and reader.scope.least_side) == (64, 32)


@pytest.mark.skipif(Device.CUDA in available_devices(), reason="this ONNX Runtime was built for CUDA")
def test_a_site_configured_for_a_device_that_is_not_there_does_not_start(packs: Path) -> None:
    with pytest.raises(OperatorNeeded, match=r"inference\.device is cuda"):
        open_reading_room(settings_of(packs, inference=InferenceConfig(device="cuda")))


def test_the_pack_says_which_radiographs_are_read(packs: Path) -> None:
    acceptance = open_reading_room(settings_of(packs)).acceptance

    assert acceptance.modalities == {"CR", "DX", "RG"}
    assert acceptance.body_parts == {"CHEST"}
    assert acceptance.view_positions == {ViewPosition.PA, ViewPosition.AP}
    assert (acceptance.youngest_age_years, acceptance.oldest_age_years) == (1, 120)


@pytest.mark.parametrize("is_read", [True, False])
def test_the_site_says_whether_secondary_captures_are_read(packs: Path, *, is_read: bool) -> None:
    site = open_reading_room(settings_of(packs, acceptance=AcceptanceConfig(secondary_capture=is_read)))

    assert site.acceptance.secondary_capture is is_read


def test_a_site_cannot_have_read_what_its_pack_may_not(tmp_path: Path) -> None:
    only_cr = {"sop_class_uids": frozenset({"1.2.840.10008.5.1.4.1.1.1"})}
    card = ModelPack.open(a_pack(tmp_path)).card.acceptance.model_copy(update=only_cr)

    assert not acceptance_of(card, settings_of(tmp_path)).secondary_capture


def test_the_site_says_how_urgent_an_image_without_an_order_is(packs: Path) -> None:
    site = open_reading_room(settings_of(packs, triage=TriageConfig(ordered_priority="HIGH")))

    assert site.ordered_priority is Priority.HIGH


def test_without_a_policy_of_its_own_a_site_uses_the_default_one(packs: Path) -> None:
    assert open_reading_room(settings_of(packs)).policy.name == "default"


def test_a_site_may_bring_its_own_policy(packs: Path) -> None:
    (packs / "ours.toml").write_text('name = "ours"\n[priorities]\nhernia = "STAT"', "utf-8")

    site = open_reading_room(settings_of(packs, triage=TriageConfig(policy=packs / "ours.toml")))

    assert site.policy.name == "ours"
    assert site.policy.priority_of(FindingKey("hernia")) is Priority.STAT


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_policy_that_cannot_be_read_is_a_wrong_configuration(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationWrong, match=r"triage.policy names .*, which cannot be read"):
        load_policy(tmp_path / name)


def test_a_policy_in_another_encoding_is_a_wrong_configuration(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes('name = "für alle"'.encode("latin-1"))

    with pytest.raises(ConfigurationWrong, match="cannot be read"):
        load_policy(tmp_path / "latin.toml")


def test_an_unsound_policy_does_not_start(packs: Path) -> None:
    (packs / "ours.toml").write_text('[priorities]\nabnormality = "STAT"', "utf-8")

    with pytest.raises(PolicyUnsound):
        open_reading_room(settings_of(packs, triage=TriageConfig(policy=packs / "ours.toml")))
