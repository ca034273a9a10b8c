"""Tiny model packs for tests: complete folders whose network is average pooling, so that a score can be foretold.

The activation of a finding is `weight * (grey - brighter_than)` of each cell, with grey from 0.0 to 1.0 as prepared;
its logit is the mean of the activation plus `bias`.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.factories import some_pixels
from xray_ai.imaging.preprocess import thumbnail
from xray_ai.inference.golden import golden_probabilities
from xray_ai.inference.model_pack import ModelPack
from xray_ai.inference.reader import Reader
from xray_ai.inference.session import Device

Tree = dict[str, Any]  # JSON

CELL_PX = 8
OPSET = 17
MEAN, STANDARD_DEVIATION = 0.5, 0.25
GOLDEN_IMAGE = "chest.png"


@dataclass(frozen=True, slots=True)
class TinyFinding:
    """One output of the network, and how its card says to use it."""

    key: str
    weight: float = 0.0  # 0.0: the image does not matter, the bias alone decides
    brighter_than: float = 0.5
    bias: float = 0.0
    operating_point: float = 0.5
    rule_out_point: float = 0.1


def present(key: str, bias: float = 2.0) -> TinyFinding:
    """A finding that this network sees in every image."""
    return TinyFinding(key, bias=bias)


def absent(key: str) -> TinyFinding:
    """A finding that this network never sees."""
    return TinyFinding(key, bias=-3.0)


BRIGHT_MASS = TinyFinding("mass", weight=10.0, brighter_than=0.7)
NO_PNEUMOTHORAX = absent("pneumothorax")
NO_ABNORMALITY = absent("abnormality")


def a_pack(
    root: Path,
    findings: Sequence[TinyFinding] = (BRIGHT_MASS, NO_PNEUMOTHORAX),
    *,
    abnormality: TinyFinding = NO_ABNORMALITY,
    name: str = "tiny",
    shape: tuple[int, int] = (64, 64),
    polarity: Tree | None = None,
) -> Path:
    """Write a sound pack with golden scores into `root`/`name`."""
    folder = root / name
    (folder / "golden").mkdir(parents=True)
    outputs = (*findings, abnormality)
    onnx.save(a_network(outputs, shape), folder / "model.onnx")
    cv2.imwrite(str(folder / "golden" / GOLDEN_IMAGE), some_pixels(96, 80, bits=8))
    _write_card(folder, _card(name, outputs, shape, polarity))
    seal(folder)
    reader = Reader(ModelPack.open(folder), Device.CPU)
    scores = golden_probabilities(reader, folder / "golden" / GOLDEN_IMAGE)
    golden = {"tolerance": 0.001, "cases": [{"image": GOLDEN_IMAGE, "probabilities": scores}]}
    (folder / "golden" / "golden.json").write_text(json.dumps(golden), "utf-8")
    seal(folder)
    return folder


def a_reader(folder: Path) -> Reader:
    return Reader(ModelPack.open(folder), Device.CPU)


def a_network(outputs: Sequence[TinyFinding], shape: tuple[int, int] = (64, 64)) -> onnx.ModelProto:
    """Average pooling and a 1 x 1 convolution: image -> (logits, activation)."""
    # the network meets (grey - MEAN) / STANDARD_DEVIATION
    weight = np.array([one.weight * STANDARD_DEVIATION for one in outputs], np.float32)
    offset = np.array([one.weight * (MEAN - one.brighter_than) for one in outputs], np.float32)
    bias = np.array([one.bias for one in outputs], np.float32)
    count, cells = len(outputs), [side // CELL_PX for side in shape]
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["image"], ["cells"], kernel_shape=[CELL_PX] * 2, strides=[CELL_PX] * 2),
            helper.make_node("Conv", ["cells", "weight", "offset"], ["activation"]),
            helper.make_node("GlobalAveragePool", ["activation"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["means"]),
            helper.make_node("Add", ["means", "bias"], ["logits"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, *shape])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", count]),
            helper.make_tensor_value_info("activation", TensorProto.FLOAT, ["N", count, *cells]),
        ],
        [
            numpy_helper.from_array(weight.reshape(-1, 1, 1, 1), "weight"),
            numpy_helper.from_array(offset, "offset"),
            numpy_helper.from_array(bias, "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def replace_network(folder: Path, network: onnx.ModelProto) -> None:
    """Put another network into the pack, with its right digest; the rest of the card still tells of the old one."""
    onnx.save(network, folder / "model.onnx")
    seal(folder)


def a_polarity() -> Tree:
    """A template that finds the factories' chest upright and its negative inverted: the chest's own thumbnail."""
    weights = thumbnail(np.asarray(some_pixels(bits=8) / 255, np.float32), 16)
    return {"weights": weights.tolist(), "bias": 0.0, "inverted_below": 0.0}


def seal(folder: Path) -> None:
    """Write the digest of every file into the pack's card."""

    def name_digests(card: Tree) -> None:
        files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != "pack.json")
        card["files"] = {file.relative_to(folder).as_posix(): _sha256(file) for file in files}

    edit_card(folder, name_digests)


def edit_card(folder: Path, edit: Callable[[Tree], None]) -> None:
    """Change pack.json, and nothing that would make the change sound."""
    card = json.loads((folder / "pack.json").read_text("utf-8"))
    edit(card)
    _write_card(folder, card)


def edit_golden(folder: Path, edit: Callable[[Tree], None]) -> None:
    """Change the golden scores and seal the pack again: all digests are right, the scores are not."""
    file = folder / "golden" / "golden.json"
    golden = json.loads(file.read_text("utf-8"))
    edit(golden)
    file.write_text(json.dumps(golden), "utf-8")
    seal(folder)


def _write_card(folder: Path, card: Tree) -> None:
    (folder / "pack.json").write_text(json.dumps(card), "utf-8")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _card(name: str, outputs: Sequence[TinyFinding], shape: tuple[int, int], polarity: Tree | None) -> Tree:
    count, (rows, columns) = len(outputs), shape
    return {
        "schema_version": 1,
        "name": name,
        "version": "1.2.3",
        "licence": "Apache-2.0",
        "intended_use": "Tests only.",
        "files": {},
        "graph": {
            "opset": OPSET,
            "inputs": [_tensor("image", 1, rows, columns)],
            "outputs": [_tensor("logits", count), _tensor("activation", count, rows // CELL_PX, columns // CELL_PX)],
        },
        "preprocessing": {
            "rows": rows,
            "columns": columns,
            "smoothing_px": 0.0,
            "collimation": {"flat_span": 0.04, "largest_share": 0.2},
            "grey_range": {"low_percentile": 1.0, "high_percentile": 99.0, "central_share": 0.9},
            "mean": MEAN,
            "standard_deviation": STANDARD_DEVIATION,
            "polarity": polarity,
        },
        "findings": [_finding(one) for one in outputs],
        "operating_point_aim": "None; this pack is a test's.",
        "operating_points_set_on": "Nothing.",
        "limits": ["It tells bright from dark."],
        "acceptance": {
            "sop_class_uids": ["1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.7"],
            "modalities": ["CR", "DX", "RG"],
            "body_parts": ["CHEST"],
            "view_positions": ["PA", "AP"],
            "youngest_age_years": 1,
            "oldest_age_years": 120,
        },
        "lineage": {
            "cohort_sha256": "0" * 64,
            "cohort_description": "None.",
            "source_commit": "none",
            "seed": 0,
            "run": {},
        },
    }


def _tensor(name: str, *axes: int) -> Tree:
    return {"name": name, "shape": ["N", *axes], "dtype": "float32"}


def _finding(one: TinyFinding) -> Tree:
    name = one.key.replace("_", " ").capitalize()
    return {
        "key": one.key,
        "name": name,
        "code": {"scheme": "99TEST", "value": one.key[:16], "meaning": name},
        "stated_prevalence": 0.1,
        "calibration": {"slope": 1.0, "intercept": 0.0},
        "operating_point": one.operating_point,
        "rule_out_point": one.rule_out_point,
        "expected_alert_share": 0.05,
    }
