"""A trained network as ONNX; refused when ONNX Runtime and torch do not agree."""

from pathlib import Path

import numpy as np
import torch

from xray_ai.inference.session import Device, Session
from xray_ai.training.networks import ActivationMapNetwork, build_network
from xray_ai.training.run import TrainingRun

LARGEST_DIFFERENCE = 1e-4  # relative to the largest absolute value of the output
OPSET = 20
MOST_IMAGES = 64
PROBES = 4


class ExportDiffers(RuntimeError):
    """The exported graph does not compute what the network computes."""


def trained_network(run: TrainingRun, weights: Path, outputs: int) -> ActivationMapNetwork:
    """Build the run's network with its trained weights, ready to score."""
    network = build_network(run.network, outputs, run.dropout)
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()


def export_onnx(run: TrainingRun, weights: Path, outputs: int, file: Path) -> float:
    """Write `file` and return its largest relative difference from torch. Raises ExportDiffers above 1e-4."""
    network = trained_network(run, weights, outputs)
    probes = torch.randn(PROBES, 1, run.recipe.rows, run.recipe.columns, generator=torch.Generator().manual_seed(0))
    torch.onnx.export(
        network,
        (probes,),
        file,
        input_names=["image"],
        output_names=["logits", "activation"],
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("N", min=1, max=MOST_IMAGES)},),
        external_data=False,
        verbose=False,
    )
    session = Session(file, Device.CPU)
    with torch.no_grad():
        expected = [part.numpy() for part in network(probes)]
    difference = max(
        float(np.abs(theirs - ours).max() / np.abs(ours).max())
        for theirs, ours in zip(session.run(probes.numpy()), expected, strict=True)
    )
    if difference > LARGEST_DIFFERENCE:
        message = f"ONNX and torch differ by {difference:.2e} of the largest value; {LARGEST_DIFFERENCE} is allowed."
        raise ExportDiffers(message)
    return difference
