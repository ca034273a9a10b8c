"""What every change to a batch of images draws and samples with, on the batch's own device."""

from collections.abc import Callable

import torch
from torch.nn import functional

Batch = torch.Tensor  # (N, 1, rows, columns) float32, 0.0 to 1.0


def uniform(images: Batch, low: float, high: float, draw: torch.Generator) -> torch.Tensor:
    """One number an image: (N,)."""
    return torch.rand(len(images), generator=draw, device=images.device) * (high - low) + low


def chance(images: Batch, share: float, draw: torch.Generator) -> torch.Tensor:
    """Which images are changed: (N, 1, 1, 1) boolean."""
    return per_pixel(torch.rand(len(images), generator=draw, device=images.device) < share)


def on_some(images: Batch, share: float, draw: torch.Generator, change: Callable[[Batch], Batch]) -> Batch:
    """Change about this share of the images; the others cost nothing."""
    chosen = torch.rand(len(images), generator=draw, device=images.device) < share
    if not chosen.any():
        return images
    out = images.clone()
    out[chosen] = change(images[chosen])
    return out


def normal(images: Batch, draw: torch.Generator) -> Batch:
    return torch.randn(images.shape, generator=draw, device=images.device)


def per_pixel(numbers: torch.Tensor) -> torch.Tensor:
    """(N,) -> (N, 1, 1, 1)."""
    return numbers[:, None, None, None]


def one_number(low: float, high: float, draw: torch.Generator) -> float:
    """One number for the whole batch."""
    return float(torch.rand(1, generator=draw, device=draw.device)) * (high - low) + low


def sampled(images: Batch, theta: torch.Tensor, padding: str = "zeros") -> Batch:
    """Sample at an affine grid: theta (N, 2, 3) goes from output to input, both -1.0 to 1.0."""
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=padding, align_corners=False)


def blurred(images: Batch, sigma_px: float) -> Batch:
    """Blur with one Gaussian for the whole batch; the border is repeated."""
    reach = max(1, round(2.5 * sigma_px))
    axis = torch.arange(-reach, reach + 1, device=images.device, dtype=torch.float32)
    kernel = torch.exp(-(axis**2) / (2 * sigma_px**2))
    kernel = kernel / kernel.sum()
    wide = functional.conv2d(functional.pad(images, (reach, reach, 0, 0), mode="replicate"), kernel[None, None, None])
    return functional.conv2d(functional.pad(wide, (0, 0, reach, reach), mode="replicate"), kernel[None, None, :, None])


def quantiles(images: Batch, shares: torch.Tensor) -> torch.Tensor:
    """Each image's own quantile: (N,) shares -> (N, 1, 1, 1)."""
    ordered = images.flatten(1).sort(dim=1).values
    place = (shares * (ordered.shape[1] - 1)).long()
    return per_pixel(ordered.gather(1, place[:, None])[:, 0])
