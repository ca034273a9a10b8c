"""Chests made worse on purpose: cut off, moved, under- and overexposed. Batches on any device.

Each takes and gives (N, 1, rows, columns) float32, 0.0 to 1.0. No set of radiographs with judged quality is at hand:
what these draw is all that the quality outputs ever saw.
"""

import torch
from torch.nn import functional

from xray_ai.training.batches import Batch, chance, normal, per_pixel, quantiles, sampled, uniform

LEAST_CUT, MOST_CUT = 0.24, 0.42  # share of the side that is cut off; the lungs fill about four fifths of it
LEAST_MOTION, MOST_MOTION = 0.045, 0.11  # length of the movement as a share of the side
MOTION_STEPS = 17


def clipped(images: Batch, draw: torch.Generator) -> Batch:
    """Cut a strip off one side, the top or the bottom, and fill the frame with the rest."""
    count, device = len(images), images.device
    share = uniform(images, LEAST_CUT, MOST_CUT, draw)
    edge = torch.randint(0, 4, (count,), generator=draw, device=device)
    near = torch.where(edge % 2 == 0, share, -share)  # the centre of what is left, in grid units
    across = edge < 2  # noqa: PLR2004 - left and right; then top and bottom
    theta = torch.zeros(count, 2, 3, device=device)
    theta[:, 0, 0] = torch.where(across, 1 - share, torch.ones_like(share))
    theta[:, 1, 1] = torch.where(across, torch.ones_like(share), 1 - share)
    theta[:, 0, 2] = torch.where(across, near, torch.zeros_like(near))
    theta[:, 1, 2] = torch.where(across, torch.zeros_like(near), near)
    return sampled(images, theta)


def moved(images: Batch, draw: torch.Generator) -> Batch:
    """Blur along a line, as a patient who moves or breathes during the exposure."""
    count, device = len(images), images.device
    length = uniform(images, LEAST_MOTION, MOST_MOTION, draw) * 2  # in grid units
    angle = uniform(images, 0.0, torch.pi, draw)
    theta = torch.eye(2, 3, device=device).repeat(count, 1, 1)
    total = torch.zeros_like(images)
    for step in torch.linspace(-0.5, 0.5, MOTION_STEPS).tolist():
        theta[:, 0, 2] = step * length * torch.cos(angle)
        theta[:, 1, 2] = step * length * torch.sin(angle)
        total += sampled(images, theta, padding="border")
    return total / MOTION_STEPS


def underexposed(images: Batch, draw: torch.Generator) -> Batch:
    """Too few photons: what is dense ends in white, and noise covers the rest."""
    white = quantiles(images, uniform(images, 0.35, 0.7, draw))
    grain = per_pixel(uniform(images, 0.1, 0.25, draw))
    coarse = functional.interpolate(normal(images, draw)[..., ::2, ::2], size=images.shape[-2:], mode="bilinear")
    mottle = torch.where(chance(images, 0.5, draw), normal(images, draw), coarse)
    return (images / white.clamp_min(0.05) + mottle * grain).clamp(0.0, 1.0)


def overexposed(images: Batch, draw: torch.Generator) -> Batch:
    """Burnt out: the lungs and all that is less dense end in black."""
    black = quantiles(images, uniform(images, 0.4, 0.65, draw))
    return ((images - black) / (1 - black).clamp_min(0.05)).clamp(0.0, 1.0)
