"""The peer: a chest radiograph scored as people write it today, with pydicom, scikit-image and torch.

A published model (DenseNet-121 at 224 px, loaded once), scores first, then Grad-CAM for the top finding.
The weights are random: they decide what is scored and not how long it takes.
"""

import time
from pathlib import Path

import numpy as np
import torch
from monai.networks.nets import DenseNet121
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut
from skimage.transform import resize
from torch.nn import functional

from bench.worker import answer, peak_memory_mb

SIDE_PX = 224
FINDINGS = 18  # as torchxrayvision's

torch.set_num_threads(1)
torch.manual_seed(1)
MODEL = DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS).eval()
LAST_MAPS: list[torch.Tensor] = []
MODEL.get_submodule("class_layers.relu").register_forward_hook(lambda _module, _given, maps: LAST_MAPS.append(maps))


def read(path: Path) -> dict[str, float]:
    """Read one file; seconds by stage."""
    times = [time.perf_counter()]
    dataset = dcmread(path)
    grey = grey_of(dataset)
    times.append(time.perf_counter())
    image = as_input(grey)
    times.append(time.perf_counter())
    probabilities = score(image)
    times.append(time.perf_counter())
    grad_cam(image, int(probabilities.argmax()))
    times.append(time.perf_counter())
    stages = ("read, decode", "resize", "network", "Grad-CAM")
    seconds = dict(zip(stages, np.diff(times).tolist(), strict=True))
    return {"total": times[-1] - times[0], **seconds}


def grey_of(dataset: Dataset) -> NDArray[np.float32]:
    """Decode and rescale to 0.0 to 1.0."""
    pixels = apply_modality_lut(dataset.pixel_array, dataset).astype(np.float32)
    pixels -= pixels.min()
    pixels /= pixels.max()
    return 1 - pixels if dataset.PhotometricInterpretation == "MONOCHROME1" else pixels


def as_input(grey: NDArray[np.float32]) -> torch.Tensor:
    small = resize(grey, (SIDE_PX, SIDE_PX), anti_aliasing=True)
    return torch.from_numpy(np.asarray((small - 0.5) / 0.25, np.float32))[None, None]


def score(image: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        logits = MODEL(image)
    LAST_MAPS.clear()
    return torch.sigmoid(logits[0])


def grad_cam(image: torch.Tensor, finding: int) -> NDArray[np.float32]:
    """Say where one finding's score comes from: (rows, columns) of the input, 0.0 to 1.0.

    Source: Selvaraju et al., Grad-CAM, ICCV 2017.
    """
    logits = MODEL(image)
    maps = LAST_MAPS.pop()
    maps.retain_grad()
    logits[0, finding].backward()
    gradient = maps.grad
    if gradient is None:
        raise RuntimeError
    MODEL.zero_grad(set_to_none=True)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    cam = functional.relu((weights * maps.detach()).sum(dim=1, keepdim=True))
    large = functional.interpolate(cam, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False)[0, 0].numpy()
    return np.asarray(large / max(large.max(), 1e-12), np.float32)


if __name__ == "__main__":
    answer({"read": read, "memory": peak_memory_mb})
