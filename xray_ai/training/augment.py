"""Random changes that leave every label true, for a whole batch on any device."""

import math
import random

import torch

from xray_ai.training.batches import Batch, blurred, chance, normal, on_some, one_number, per_pixel, sampled, uniform

TURN_DEG, SHEAR, SHIFT = 9.0, 0.07, 0.13  # a shift is a share of half the side
ZOOM, STRETCH = 0.13, 0.06  # natural logarithms
GAMMA, CONTRAST, BRIGHTNESS = 0.4, 0.3, 0.12  # the first two are natural logarithms
BLUR_OF_SIDE = (0.3, 1.4)  # px at a side of 224
BLUR_SHARE, ERASED_SHARE = 0.45, 0.3
ERASED_SIDE = (0.05, 0.22)


def augmented(images: Batch, noise: float, draw: torch.Generator) -> Batch:
    """What differs between two frontal radiographs of one patient without changing what they show.

    A mirror image keeps all fourteen findings (none of them names a side); small turns, shifts and zooms
    are positioning; brightness, contrast and gamma are a site's processing; blur hides from the network
    which public copy an image came through; an erased patch is a marker or a device.

    Noise, up to a standard deviation of `noise`, is what detectors add and what compression takes away; without
    it the network reads the copy's own noise.

    Shape: (N, 1, side, side) float32, 0.0 to 1.0 -> the same.
    """
    grey = _looked_at(_posed(images, draw), draw)
    blur = one_number(*BLUR_OF_SIDE, draw) * images.shape[-1] / 224
    grey = on_some(grey, BLUR_SHARE, draw, lambda part: blurred(part, blur))
    grey = _erased(grey, draw)
    if noise:
        grey = grey + normal(grey, draw) * per_pixel(uniform(grey, 0.0, noise, draw))
    return grey.clamp(0.0, 1.0)


def _posed(images: Batch, draw: torch.Generator) -> Batch:
    angle = uniform(images, -math.radians(TURN_DEG), math.radians(TURN_DEG), draw)
    zoom = torch.exp(uniform(images, -ZOOM, ZOOM, draw))
    stretch = torch.exp(uniform(images, -STRETCH, STRETCH, draw))
    shear = uniform(images, -SHEAR, SHEAR, draw)
    mirror = torch.where(chance(images, 0.5, draw)[:, 0, 0, 0], -1.0, 1.0)
    theta = torch.zeros(len(images), 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * angle.cos() * zoom * stretch, (shear - angle.sin()) * zoom
    theta[:, 1, 0], theta[:, 1, 1] = mirror * angle.sin() * zoom, angle.cos() * zoom / stretch
    theta[:, :, 2] = torch.stack([uniform(images, -SHIFT, SHIFT, draw) for _ in range(2)], dim=1)
    return sampled(images, theta)


def _looked_at(images: Batch, draw: torch.Generator) -> Batch:
    grey = images.clamp(1e-4, 1.0) ** per_pixel(torch.exp(uniform(images, -GAMMA, GAMMA, draw)))
    contrast = per_pixel(torch.exp(uniform(images, -CONTRAST, CONTRAST, draw)))
    brightness = per_pixel(uniform(images, -BRIGHTNESS, BRIGHTNESS, draw))
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)
    return ((grey - mean) * contrast + mean + brightness).clamp(0.0, 1.0)


def _erased(images: Batch, draw: torch.Generator) -> Batch:
    axis = (torch.arange(images.shape[-1], device=images.device) + 0.5) / images.shape[-1]
    across, down = axis[None, None, None, :], axis[None, None, :, None]
    x, y = (per_pixel(uniform(images, 0.0, 1.0, draw)) for _ in range(2))
    wide, high = (per_pixel(uniform(images, *ERASED_SIDE, draw)) for _ in range(2))
    patch = ((across - x).abs() < wide / 2) & ((down - y).abs() < high / 2) & chance(images, ERASED_SHARE, draw)
    return torch.where(patch, per_pixel(uniform(images, 0.0, 1.0, draw)), images)


def mixed(images: Batch, labels: torch.Tensor, alpha: float, draw: torch.Generator) -> tuple[Batch, torch.Tensor]:
    """Lay each image over another one, labels in the same proportion (Zhang et al., ICLR 2018); alpha 0: none.

    Shape: images (N, 1, side, side), labels (N, K) -> the same.
    """
    if not alpha:
        return images, labels
    share = random.betavariate(alpha, alpha)
    other = torch.randperm(len(images), generator=draw, device=images.device)
    return images * share + images[other] * (1 - share), labels * share + labels[other] * (1 - share)
