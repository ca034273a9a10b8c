"""A pack may hold one network for the CPU and another for CUDA; each has golden scores of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from tests.packs import BRIGHT_MASS, NO_ABNORMALITY, TinyFinding, Tree, a_network, a_pack, edit_card, edit_golden, seal
from xray_ai.inference.golden import check_golden
from xray_ai.inference.model_pack import ModelPack, PackUnsound
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device

BRIGHTER_MASS = TinyFinding("mass", weight=10.0, brighter_than=0.6)
CPU = {"file": "model.onnx", "precision": "int8", "devices": ["cpu"], "golden": "golden/golden.json"}
CUDA = {"file": "model-fp32.onnx", "precision": "float32", "devices": ["cuda"], "golden": "golden/golden-fp32.json"}


def name_networks(*networks: Tree) -> Callable[[Tree], None]:
    return lambda card: card.update(networks=list(networks))


def a_pack_of_two(root: Path) -> Path:
    """A pack whose network for CUDA sees more masses than the CPU's, with the golden scores of the CPU's for both."""
    folder = a_pack(root, [BRIGHT_MASS])
    onnx.save(a_network([BRIGHTER_MASS, NO_ABNORMALITY]), folder / "model-fp32.onnx")
    shutil.copyfile(folder / "golden" / "golden.json", folder / "golden" / "golden-fp32.json")
    edit_card(folder, name_networks(CPU, CUDA))
    seal(folder)
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(PackUnsound) as unsound:
        ModelPack.open(folder)
    return unsound.value.found


def test_a_card_that_names_no_networks_has_one_for_all_devices(tmp_path: Path) -> None:
    pack = ModelPack.open(a_pack(tmp_path))

    assert {pack.network_on(device).file for device in Device} == {"model.onnx"}
    assert pack.network_on("cpu").precision == "float32"


def test_each_device_has_the_network_that_the_card_names(tmp_path: Path) -> None:
    pack = ModelPack.open(a_pack_of_two(tmp_path))

    assert pack.network_on(Device.CPU).file == "model.onnx"
    assert pack.network_on(Device.CUDA).file == "model-fp32.onnx"


def test_golden_scores_are_those_of_the_network_that_runs(tmp_path: Path) -> None:
    pack = ModelPack.open(a_pack_of_two(tmp_path))

    assert check_golden(Reader(pack, Device.CPU)) == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(PackUnsound, match="golden scores are off"):
        check_golden(Reader(pack.run_by(pack.network_on(Device.CUDA)), Device.CPU))


def test_another_networks_golden_scores_do_not_matter(tmp_path: Path) -> None:
    folder = a_pack_of_two(tmp_path)
    shutil.copyfile(folder / "golden" / "golden.json", folder / "golden" / "kept.json")
    edit_golden(folder, lambda golden: golden["cases"][0]["probabilities"].update(mass=0.5))
    shutil.copyfile(folder / "golden" / "golden.json", folder / "golden" / "golden-fp32.json")
    shutil.copyfile(folder / "golden" / "kept.json", folder / "golden" / "golden.json")
    seal(folder)

    assert check_golden(Reader(ModelPack.open(folder), Device.CPU)) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "networks",
    [
        [],
        [CPU],
        [CUDA],
        [CPU, CPU, CUDA],
        [CPU | {"devices": ["cuda"]}, CUDA | {"devices": ["cpu"]}],
    ],
)
def test_networks_that_leave_a_device_without_one_are_refused(tmp_path: Path, networks: list[Tree]) -> None:
    folder = a_pack_of_two(tmp_path)

    edit_card(folder, name_networks(*networks))

    assert "its networks are not one for cpu, in model.onnx, and one for cuda" in complaint(folder)


def test_a_network_without_a_digest_is_refused(tmp_path: Path) -> None:
    folder = a_pack_of_two(tmp_path)

    edit_card(folder, lambda card: card["files"].pop("model-fp32.onnx"))

    assert "no digest of model-fp32.onnx" in complaint(folder)
