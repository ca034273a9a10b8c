"""Tiny scope packs for tests: complete folders whose network looks at the mean grey alone.

So an answer can be foretold: it is `sigmoid(weight * (mean grey - brighter_than) + bias)`, with grey from 0.0 to 1.0
as prepared.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.factories import some_pixels
from tests.packs import GOLDEN_IMAGE, MEAN, OPSET, STANDARD_DEVIATION, Tree, edit_card, seal
from xray_ai.domain.scope import ScopeQuestion
from xray_ai.inference.golden import golden_probabilities
from xray_ai.inference.model_pack import ModelPack, ScopePack
from xray_ai.inference.reader import Reader
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device

SIDE = 32
POINT = 0.5


@dataclass(frozen=True, slots=True)
class TinyAnswer:
    """One output of the network."""

    bias: float
    weight: float = 0.0  # 0.0: the image does not matter, the bias alone decides
    brighter_than: float = 0.5


YES, NO = TinyAnswer(bias=3.0), TinyAnswer(bias=-3.0)
ONLY_OF_DARK_IMAGES = TinyAnswer(bias=0.0, weight=-100.0)  # the factories' chest is bright, its negative dark
Answers = Mapping[ScopeQuestion, TinyAnswer]
ALL_IS_WELL: Answers = MappingProxyType({})


def a_scope_pack(root: Path, answers: Answers = ALL_IS_WELL, *, name: str = "tiny-scope") -> Path:
    """Write a sound pack with golden scores into `root`/`name`; what `answers` does not name is answered with no."""
    folder = root / name
    (folder / "golden").mkdir(parents=True)
    onnx.save(a_scope_network([answers.get(question, NO) for question in ScopeQuestion]), folder / "model.onnx")
    cv2.imwrite(str(folder / "golden" / GOLDEN_IMAGE), some_pixels(96, 80, bits=8))
    (folder / "pack.json").write_text(json.dumps(_card(name)), "utf-8")
    seal(folder)
    found = golden_probabilities(a_scope_check(folder), folder / "golden" / GOLDEN_IMAGE)
    golden = {"tolerance": 0.001, "cases": [{"image": GOLDEN_IMAGE, "probabilities": found}]}
    (folder / "golden" / "golden.json").write_text(json.dumps(golden), "utf-8")
    seal(folder)
    return folder


def a_scope_check(folder: Path) -> ScopeCheck:
    return ScopeCheck(ScopePack.open(folder), Device.CPU)


def a_gated_reader(pack: Path, answers: Answers = ALL_IS_WELL) -> Reader:
    """Load a classifier behind a scope check of its own."""
    scope = a_scope_pack(pack.parent, answers, name=f"{pack.name}-scope")
    return Reader(ModelPack.open(pack), Device.CPU, a_scope_check(scope))


def a_scope_network(answers: list[TinyAnswer], side: int = SIDE) -> onnx.ModelProto:
    """The mean of the image, then one line for each answer: image -> probabilities."""
    # the network meets (grey - MEAN) / STANDARD_DEVIATION
    weight = np.array([[one.weight * STANDARD_DEVIATION for one in answers]], np.float32)
    bias = np.array([one.bias + one.weight * (MEAN - one.brighter_than) for one in answers], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["mean"]),
            helper.make_node("Gemm", ["mean", "weight", "bias"], ["logits"]),
            helper.make_node("Sigmoid", ["logits"], ["probabilities"]),
        ],
        "tiny-scope",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, side, side])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", len(answers)])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def add_performance(folder: Path) -> None:
    """Say in the card how often it refused what."""
    share: Tree = {"images_of": "drawn chests", "outcome": "refused", "is_wanted": False}
    share |= {"images": 200, "counted": 1, "low": 0.0, "high": 0.028}
    shares = {"measured_on": "Drawings.", "interval_method": "Wilson", "shares": [share]}
    edit_card(folder, lambda card: card.update(performance=shares))


def _card(name: str) -> Tree:
    questions = list(ScopeQuestion)
    return {
        "schema_version": 1,
        "kind": "scope",
        "name": name,
        "version": "0.1.0",
        "licence": "Apache-2.0",
        "intended_use": "Tests only.",
        "files": {},
        "graph": {
            "opset": OPSET,
            "inputs": [{"name": "image", "shape": ["batch", 1, SIDE, SIDE], "dtype": "float32"}],
            "outputs": [{"name": "probabilities", "shape": ["batch", len(questions)], "dtype": "float32"}],
        },
        "preprocessing": {
            "rows": SIDE,
            "columns": SIDE,
            "smoothing_px": 0.0,
            "collimation": {"flat_span": 0.04, "largest_share": 0.2},
            "grey_range": {"low_percentile": 1.0, "high_percentile": 99.0, "central_share": 0.9},
            "mean": MEAN,
            "standard_deviation": STANDARD_DEVIATION,
        },
        "outputs": [
            {
                "key": question.value,
                "point": POINT,
                "action": "note" if question.is_about_quality else "refuse",
                "measured": "Set by a test.",
            }
            for question in questions
        ],
        "limits": ["It tells bright from dark."],
        "lineage": {
            "cohort_sha256": "0" * 64,
            "cohort_description": "None.",
            "source_commit": "none",
            "seed": 0,
            "run": {},
        },
    }
