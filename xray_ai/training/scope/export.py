"""A trained scope network with its one-class distance as one ONNX graph; refused when ONNX Runtime and torch differ."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from xray_ai.inference.session import Device, Session
from xray_ai.training.onnx_file import (
    LARGEST_DIFFERENCE,
    MOST_IMAGES,
    OPSET,
    PROBES,
    ExportDiffers,
    forget_where_it_was_made,
)
from xray_ai.training.scope.network import ScopeNetwork, probabilities_of
from xray_ai.training.scope.one_class import OneClass
from xray_ai.training.scope.run import ScopeRun


class ScopeGraph(nn.Module):
    """Image [batch,1,R,C] after the recipe's mean and standard deviation -> probabilities [batch,9].

    An image is no frontal chest if either the network says so or its features lie far from those of chests.
    """

    def __init__(self, network: ScopeNetwork, one_class: OneClass) -> None:
        super().__init__()
        self.network = network
        self.one_class = one_class

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits, features = self.network(image)
        said = probabilities_of(logits)
        strange = self.one_class.probability(features)[:, None]
        return torch.cat([torch.maximum(said[:, :1], strange), said[:, 1:]], dim=1)


def export_scope(run: ScopeRun, graph: ScopeGraph, file: Path) -> float:
    """Write `file` and return its largest difference of a probability from torch. Raises ExportDiffers above 1e-4."""
    side = (run.recipe.rows, run.recipe.columns)
    probes = torch.randn(PROBES, 1, *side, generator=torch.Generator().manual_seed(0))
    torch.onnx.export(
        graph.eval(),
        (probes,),
        file,
        input_names=["image"],
        output_names=["probabilities"],
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=MOST_IMAGES)},),
        external_data=False,
        verbose=False,
    )
    forget_where_it_was_made(file)
    with torch.no_grad():
        expected = graph(probes).numpy()
    (found,) = Session(file, Device.CPU).run(probes.numpy(), ("probabilities",))
    difference = float(np.abs(found - expected).max())
    if difference > LARGEST_DIFFERENCE:
        raise ExportDiffers(f"ONNX and torch differ by {difference:.2e}; {LARGEST_DIFFERENCE} is allowed.")
    return difference
