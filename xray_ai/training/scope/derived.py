"""Negatives made of chests: out of order, in part, stretched, doubled, tilted. Batches on any device.

Each takes and gives (N, 1, rows, columns) float32, 0.0 to 1.0. They have a chest's texture without its layout, so that
the network cannot judge by texture alone.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch.nn import functional

from xray_ai.training.batches import Batch, per_pixel, sampled, uniform

Derive = Callable[[Batch, torch.Generator], Batch]


def shuffled(images: Batch, draw: torch.Generator) -> Batch:
    """The same tiles in another order."""
    parts = int(torch.randint(2, 6, (1,), generator=draw, device=images.device))
    side = images.shape[-1] // parts
    whole = images[..., : side * parts, : side * parts]
    tiles = whole.unfold(2, side, side).unfold(3, side, side).reshape(len(images), parts * parts, side, side)
    keys = torch.rand(len(images), parts * parts, generator=draw, device=images.device)
    order = keys.argsort(dim=1)[:, :, None, None].expand_as(tiles)
    moved = tiles.gather(1, order).reshape(len(images), parts, parts, side, side)
    out = torch.zeros_like(images)
    out[..., : side * parts, : side * parts] = moved.permute(0, 1, 3, 2, 4).reshape(whole.shape)
    return out


def mixed(images: Batch, draw: torch.Generator) -> Batch:
    """One half of a chest in the place of the other: top below bottom, left twice, or right before left."""
    half = images.shape[-1] // 2
    left, right, top, bottom = images[..., :half], images[..., half:], images[..., :half, :], images[..., half:, :]
    kinds = (
        torch.cat([bottom, top], dim=2),
        torch.cat([right, left], dim=3),
        torch.cat([bottom, bottom.flip(2)], dim=2),
        torch.cat([top.flip(2), top], dim=2),
        torch.cat([left, left], dim=3),
    )
    return torch.stack(kinds)[_choice(images, len(kinds), draw), torch.arange(len(images), device=images.device)]


def cropped(images: Batch, draw: torch.Generator) -> Batch:
    """A small piece of a chest: a shoulder, a corner, a few ribs, half an abdomen."""
    size = uniform(images, 0.15, 0.42, draw)
    return _window(images, size, size * uniform(images, 0.8, 1.25, draw), 0.95, draw)


def stretched(images: Batch, draw: torch.Generator) -> Batch:
    """A narrow strip pulled over the whole frame."""
    narrow, wide = uniform(images, 0.1, 0.25, draw), uniform(images, 0.7, 1.0, draw)
    upright = torch.rand(len(images), generator=draw, device=images.device) < 0.5  # noqa: PLR2004 - one in two
    return _window(images, torch.where(upright, narrow, wide), torch.where(upright, wide, narrow), 1.0, draw)


def halved(images: Batch, draw: torch.Generator) -> Batch:
    """One lung: half a chest over the whole frame."""
    theta = torch.zeros(len(images), 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 1, 1] = uniform(images, 0.36, 0.5, draw), uniform(images, 0.8, 1.0, draw)
    theta[:, 0, 2] = torch.sign(uniform(images, -1.0, 1.0, draw)) * uniform(images, 0.5, 0.6, draw)
    return sampled(images, theta)


def superposed(images: Batch, draw: torch.Generator) -> Batch:
    """One lung on the other, the spine on one edge: as near to a lateral view as a frontal one can be brought."""
    half = images.shape[-1] // 2
    left, right = images[..., :half], images.flip(3)[..., :half]
    share = per_pixel(uniform(images, 0.3, 0.7, draw))
    both = functional.interpolate(share * left + (1 - share) * right, size=images.shape[-2:], mode="bilinear")
    angle = torch.deg2rad(uniform(images, -15.0, 15.0, draw))
    theta = torch.zeros(len(images), 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 1, 1] = uniform(images, 0.9, 1.4, draw), uniform(images, 0.8, 1.1, draw)
    theta[:, 0, 1], theta[:, 1, 0] = -angle.sin(), angle.sin() + uniform(images, -0.3, 0.3, draw)
    theta[:, :, 2] = torch.stack([uniform(images, -0.2, 0.2, draw) for _ in range(2)], dim=1)
    return sampled(both, theta)


def tiled(images: Batch, draw: torch.Generator) -> Batch:
    """Two or more images side by side, as a screenshot shows them."""
    others = images[torch.randperm(len(images), generator=draw, device=images.device)]
    beside = torch.cat([images[..., ::2], others[..., ::2]], dim=3)
    below = torch.cat([images[..., ::2, :], others[..., ::2, :]], dim=2)
    four = torch.cat([beside[..., ::2, :], beside.flip(0)[..., ::2, :]], dim=2)
    kinds = torch.stack((beside, below, four))
    return kinds[_choice(images, len(kinds), draw), torch.arange(len(images), device=images.device)]


def tilted(images: Batch, draw: torch.Generator) -> Batch:
    """Turned by 35 to 55 degrees, from any quarter: neither upright nor a right angle."""
    quarter = torch.randint(0, 4, (len(images),), generator=draw, device=images.device)
    angle = torch.deg2rad(quarter * 90 + uniform(images, 35.0, 55.0, draw))
    zoom = uniform(images, 0.8, 1.3, draw)
    theta = torch.zeros(len(images), 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 0, 1] = angle.cos() * zoom, -angle.sin() * zoom
    theta[:, 1, 0], theta[:, 1, 1] = angle.sin() * zoom, angle.cos() * zoom
    return sampled(images, theta)


DERIVED: Mapping[str, Derive] = MappingProxyType(
    {
        "shuffled": shuffled,
        "mixed": mixed,
        "cropped": cropped,
        "stretched": stretched,
        "halved": halved,
        "superposed": superposed,
        "tiled": tiled,
        "tilted": tilted,
    }
)


def _window(images: Batch, wide: torch.Tensor, high: torch.Tensor, reach: float, draw: torch.Generator) -> Batch:
    """Show a window of these shares of the sides, anywhere inside `reach`."""
    theta = torch.zeros(len(images), 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 1, 1] = wide, high
    theta[:, 0, 2] = uniform(images, -1.0, 1.0, draw) * (reach - wide).clamp_min(0.0)
    theta[:, 1, 2] = uniform(images, -1.0, 1.0, draw) * (reach - high).clamp_min(0.0)
    return sampled(images, theta)


def _choice(images: Batch, count: int, draw: torch.Generator) -> torch.Tensor:
    return torch.randint(0, count, (len(images),), generator=draw, device=images.device)
