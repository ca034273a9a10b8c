"""ONNX Runtime runs where it was told to, on one thread, and says so when it cannot."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.packs import a_network, a_pack, absent
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.model_pack import ModelPack
from xray_ai.inference.pack_card import GraphCard
from xray_ai.inference.session import Device, Session, available_devices

TASKS = Path("/proc/self/task")


def a_graph(tmp_path: Path) -> tuple[Path, GraphCard]:
    pack = ModelPack.open(a_pack(tmp_path))
    return pack.network, pack.card.graph


def test_the_processor_is_always_available() -> None:
    assert Device.CPU in available_devices()


@pytest.mark.skipif(Device.CUDA in available_devices(), reason="this ONNX Runtime was built for CUDA")
def test_a_configured_device_that_is_not_there_is_an_error_and_never_another_device(tmp_path: Path) -> None:
    network, _ = a_graph(tmp_path)

    with pytest.raises(OperatorNeeded) as needed:
        Session(network, Device.CUDA)

    assert "inference.device is cuda" in needed.value.found
    assert "[gpu]" in needed.value.remedy


def test_a_session_tells_its_device(tmp_path: Path) -> None:
    network, _ = a_graph(tmp_path)

    assert Session(network, Device.CPU).device is Device.CPU


@pytest.mark.skipif(not TASKS.exists(), reason="threads are counted in /proc")
def test_a_session_starts_no_thread_of_its_own(tmp_path: Path) -> None:
    network, _ = a_graph(tmp_path)
    before = len(list(TASKS.iterdir()))

    session = Session(network, Device.CPU)
    session.run(np.zeros((1, 1, 64, 64), np.float32))

    assert len(list(TASKS.iterdir())) == before


def test_it_gives_logits_and_maps_of_which_the_logits_are_the_mean(tmp_path: Path) -> None:
    network, _ = a_graph(tmp_path)
    images = np.random.default_rng(0).random((2, 1, 64, 64), np.float32)

    logits, activation = Session(network, Device.CPU).run(images)

    assert (logits.shape, activation.shape) == ((2, 3), (2, 3, 8, 8))
    assert logits.dtype == activation.dtype == np.float32
    bias = np.array([0.0, -3.0, -3.0])
    np.testing.assert_allclose(activation.mean(axis=(2, 3)) + bias, logits, atol=1e-5)


def test_outputs_are_given_by_name_in_the_order_asked_for(tmp_path: Path) -> None:
    network, _ = a_graph(tmp_path)
    image = np.zeros((1, 1, 64, 64), np.float32)

    session = Session(network, Device.CPU)

    assert [output.ndim for output in session.run(image, ("activation", "logits"))] == [4, 2]
    assert [output.ndim for output in session.run(image, ("logits",))] == [2]


def test_a_network_matches_its_own_card(tmp_path: Path) -> None:
    network, graph = a_graph(tmp_path)

    assert Session(network, Device.CPU).matches(graph)


@pytest.mark.parametrize(("findings", "shape"), [(2, (64, 64)), (3, (128, 64)), (3, (64, 128))])
def test_a_network_of_another_shape_does_not_match_the_card(
    tmp_path: Path, findings: int, shape: tuple[int, int]
) -> None:
    network, graph = a_graph(tmp_path)

    onnx.save(a_network([absent("mass")] * findings, shape), network)

    assert not Session(network, Device.CPU).matches(graph)


def test_a_network_of_other_numbers_than_float32_does_not_match_the_card(tmp_path: Path) -> None:
    network, graph = a_graph(tmp_path)
    image, doubled = (
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 3]) for name in ("image", "logits")
    )
    node = helper.make_node("Add", ["image", "image"], ["logits"])

    onnx.save(helper.make_model(helper.make_graph([node], "double", [image], [doubled]), ir_version=8), network)

    assert not Session(network, Device.CPU).matches(graph)


@pytest.mark.parametrize("content", [b"", b"no network at all", b"\x08\x08\x12\x02hi"])
def test_a_file_that_is_no_network_needs_an_operator(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)

    with pytest.raises(OperatorNeeded, match="cannot load the network on cpu"):
        Session(file, Device.CPU)


def test_a_network_of_an_opset_to_come_needs_an_operator(tmp_path: Path) -> None:
    network, _ = a_graph(tmp_path)
    model = onnx.load(network)
    model.opset_import[0].version = 9999
    onnx.save(model, network)

    with pytest.raises(OperatorNeeded, match="cannot load the network on cpu"):
        Session(network, Device.CPU)
