"""Random poses and looks that leave every label true, and the recipe's grey range, for a batch on any device."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from xray_ai.imaging.preprocess import RangeRecipe
from xray_ai.training.batches import (
    Batch,
    blurred,
    chance,
    normal,
    on_some,
    one_number,
    per_pixel,
    quantiles,
    sampled,
    uniform,
)

SHORTEST_RANGE = 1e-3


@dataclass(frozen=True, slots=True)
class Pose:
    """How far an image may be turned, zoomed, stretched and shifted."""

    turn_deg: float
    zoom: tuple[float, float]
    stretch: float  # 0.15: one side up to 15 % longer than the other
    shift: float  # share of half the side


CHEST_POSE = Pose(turn_deg=12, zoom=(0.86, 1.1), stretch=0.16, shift=0.12)
AS_TAKEN_POSE = Pose(turn_deg=20, zoom=(0.7, 1.15), stretch=0.25, shift=0.2)
FREE_POSE = Pose(turn_deg=180, zoom=(0.55, 1.2), stretch=0.3, shift=0.25)


def posed(images: Batch, pose: Pose, draw: torch.Generator) -> Batch:
    """Mirror, turn, zoom, stretch, shift. A mirror image is a chest too: hearts on the right are not refused."""
    angle = torch.deg2rad(uniform(images, -pose.turn_deg, pose.turn_deg, draw))
    zoom = uniform(images, *pose.zoom, draw)
    stretch = torch.exp(uniform(images, -pose.stretch, pose.stretch, draw) / 2)
    mirror = torch.where(chance(images, 0.5, draw)[:, 0, 0, 0], -1.0, 1.0)
    theta = torch.zeros(len(images), 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * angle.cos() * zoom * stretch, -angle.sin() * zoom * stretch
    theta[:, 1, 0], theta[:, 1, 1] = mirror * angle.sin() * zoom / stretch, angle.cos() * zoom / stretch
    theta[:, :, 2] = torch.stack([uniform(images, -pose.shift, pose.shift, draw) for _ in range(2)], dim=1)
    return sampled(images, theta)


def looked_at(images: Batch, side: int, grey_range: RangeRecipe, draw: torch.Generator) -> Batch:
    """Give images a site's look, the network's size and the recipe's range."""
    small = functional.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    return to_range(marked(processed(small, draw), draw), grey_range)


def processed(images: Batch, draw: torch.Generator) -> Batch:
    """The look of a site: gamma, curve, sharpening, local contrast, blur, noise, window."""
    grey = images.clamp(0.0, 1.0) ** per_pixel(torch.exp(uniform(images, -0.8, 0.8, draw)))
    grey = on_some(grey, 0.25, draw, lambda part: _curved(part, draw))
    grey = on_some(grey, 0.35, draw, lambda part: _sharpened(part, draw))
    grey = on_some(grey, 0.15, draw, lambda part: _evened(part, one_number(6.0, 14.0, draw)))
    grey = on_some(grey, 0.3, draw, lambda part: blurred(part, one_number(0.3, 0.9, draw)))
    grey = on_some(grey, 0.5, draw, lambda part: _noisy(part, draw))
    return on_some(grey, 0.4, draw, lambda part: _windowed(part, draw))


def marked(images: Batch, draw: torch.Generator) -> Batch:
    """Collimation that was not cut away, side markers and lines of devices."""
    grey = on_some(images, 0.12, draw, lambda part: _framed(part, draw))
    for _ in range(2):
        grey = on_some(grey, 0.3, draw, lambda part: _lettered(part, draw))
        grey = on_some(grey, 0.2, draw, lambda part: _wired(part, draw))
    return grey


def to_range(images: Batch, recipe: RangeRecipe) -> Batch:
    """Map the percentiles of the central part to 0.0 and 1.0 and clip, as `prepare` does."""
    margin = round(images.shape[-1] * (1 - recipe.central_share) / 2)
    centre = images[..., margin : images.shape[-2] - margin, margin : images.shape[-1] - margin]
    count = torch.ones(len(images), device=images.device)
    black = quantiles(centre, count * recipe.low_percentile / 100)
    white = quantiles(centre, count * recipe.high_percentile / 100)
    return ((images - black) / (white - black).clamp_min(SHORTEST_RANGE)).clamp(0.0, 1.0)


def _curved(images: Batch, draw: torch.Generator) -> Batch:
    return torch.sigmoid((images - 0.5) * per_pixel(uniform(images, 3.0, 9.0, draw)))


def _sharpened(images: Batch, draw: torch.Generator) -> Batch:
    detail = images - blurred(images, one_number(0.6, 4.5, draw))
    return images + per_pixel(uniform(images, 0.3, 2.5, draw)) * detail


def _noisy(images: Batch, draw: torch.Generator) -> Batch:
    return images + normal(images, draw) * per_pixel(uniform(images, 0.0, 0.05, draw))


def _windowed(images: Batch, draw: torch.Generator) -> Batch:
    """Clip a few percent at either end, as a window burnt into the pixels does."""
    low = quantiles(images, uniform(images, 0.0, 0.06, draw))
    high = quantiles(images, 1 - uniform(images, 0.0, 0.06, draw))
    return torch.minimum(torch.maximum(images, low), high)


def _evened(images: Batch, sigma_px: float) -> Batch:
    """Even out the local mean and contrast, as heavy processing does."""
    mean = blurred(images, sigma_px)
    spread = (blurred(images**2, sigma_px) - mean**2).clamp_min(1e-4).sqrt()
    return 0.5 + 0.18 * (images - mean) / (spread + 0.05)


def _framed(images: Batch, draw: torch.Generator) -> Batch:
    """A black or white frame of up to a tenth of each side."""
    across, down = _axes(images)
    left, right, top, bottom = (per_pixel(uniform(images, 0.8, 1.1, draw)) for _ in range(4))
    outside = (across < -left) | (across > right) | (down < -top) | (down > bottom)
    return torch.where(outside, per_pixel(uniform(images, 0.0, 1.0, draw).round()), images)


def _lettered(images: Batch, draw: torch.Generator) -> Batch:
    """A bright block, as large as a marker."""
    across, down = _axes(images)
    x, y = (per_pixel(uniform(images, -0.95, 0.95, draw)) for _ in range(2))
    wide, high = (per_pixel(uniform(images, 0.015, 0.07, draw)) for _ in range(2))
    block = ((across - x).abs() < wide) & ((down - y).abs() < high)
    return torch.where(block, per_pixel(uniform(images, 0.7, 1.0, draw)), images)


def _wired(images: Batch, draw: torch.Generator) -> Batch:
    """A bent bright line, as of a cable or a catheter."""
    across, down = _axes(images)
    x, y = (per_pixel(uniform(images, -0.95, 0.95, draw)) for _ in range(2))
    angle = per_pixel(uniform(images, 0.0, torch.pi, draw))
    along = (across - x) * angle.cos() + (down - y) * angle.sin()
    off = (down - y) * angle.cos() - (across - x) * angle.sin() + per_pixel(uniform(images, -0.6, 0.6, draw)) * along**2
    wire = (off.abs() < per_pixel(uniform(images, 0.006, 0.015, draw))) & (along.abs() < 0.6)  # noqa: PLR2004
    return torch.where(wire, (images + per_pixel(uniform(images, 0.1, 0.6, draw))).clamp(max=1.0), images)


def _axes(images: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    axis = (torch.arange(images.shape[-1], device=images.device) + 0.5) / images.shape[-1] * 2 - 1
    return axis[None, None, None, :], axis[None, None, :, None]
