"""A trained network as ONNX; refused when ONNX Runtime and torch do not agree."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from xray_ai.imaging.preprocess import as_input
from xray_ai.inference.session import Device, Session
from xray_ai.training.cohort_dataset import prepared
from xray_ai.training.courses import trained_network
from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.onnx_file import (
    LARGEST_DIFFERENCE,
    MOST_IMAGES,
    OPSET,
    PROBES,
    ExportDiffers,
    forget_where_it_was_made,
)
from xray_ai.training.run import TrainingRun

REFERENCE_IMAGES = 512


class RelativeActivation(nn.Module):
    """A network whose maps are told relative to what each place looks like where nothing was found.

    Subtracting a fixed map changes no logit: its mean moves into the bias, and logits = mean(activation) + bias
    holds as before. Without it, cells at the border, which say nothing, would stand out by their mere place.
    """

    reference: torch.Tensor  # (K, h, w)

    def __init__(self, network: nn.Module, reference: torch.Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("reference", reference)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, activation = self.network(image)
        return logits, activation - self.reference


@torch.no_grad()
def mean_activation(network: nn.Module, images: Sequence[CohortImage], run: TrainingRun) -> torch.Tensor:
    """Average the maps over the images without any finding, at most 512 of them, evenly chosen: (K, h, w)."""
    clear = [image for image in images if not any(image.labels)]
    chosen = clear[:: max(1, -(-len(clear) // REFERENCE_IMAGES))]
    recipe = run.recipe.recipe()
    inputs = (torch.from_numpy(as_input(prepared(image.path, recipe).grey, recipe)) for image in chosen)
    return torch.stack([network(image)[1][0] for image in inputs]).mean(dim=0)


def export_onnx(run: TrainingRun, folder: Path, cohort: Cohort, file: Path) -> float:
    """Write `file` and return its largest relative difference from torch. Raises ExportDiffers above 1e-4."""
    trained = trained_network(run, folder, len(cohort.finding_keys))
    reference = mean_activation(trained, cohort.of(Split.TRAIN, run.stages[-1].sources), run)
    network = RelativeActivation(trained, reference).eval()
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
    forget_where_it_was_made(file)
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
