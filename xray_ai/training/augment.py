"""Random changes that leave every label true."""

from functools import partial

import torch

from xray_ai.training.torchvision_cpu import transforms


def frontal_augmentation(side: int, noise: float = 0.0) -> transforms.Compose:
    """What differs between two frontal radiographs of one patient without changing what they show.

    A mirror image keeps all fourteen findings (none of them names a side); small turns, shifts and zooms
    are positioning; brightness, contrast and gamma are a site's processing; blur hides from the network
    which public copy an image came through; an erased patch is a marker or a device.

    Noise, up to a standard deviation of `noise`, is what detectors add and what compression takes away; without
    it the network reads the copy's own noise.

    Shape: (1, side, side) uint8 -> the same, float32, 0.0 to 1.0.
    """
    return transforms.Compose(
        [
            transforms.RandomHorizontalFlip(0.5),
            transforms.RandomAffine(
                degrees=8,
                translate=(0.06, 0.06),
                scale=(0.9, 1.15),
                shear=4,
                interpolation=transforms.InterpolationMode.BILINEAR,
            ),
            transforms.RandomApply([transforms.ColorJitter(brightness=0.2, contrast=0.3)], p=0.7),
            transforms.RandomApply([transforms.Lambda(_random_gamma)], p=0.5),
            transforms.RandomApply([transforms.GaussianBlur(kernel_size=5, sigma=(0.3, max(0.4, side / 160)))], p=0.4),
            transforms.RandomErasing(p=0.25, scale=(0.005, 0.04)),
            transforms.ToDtype(torch.float32, scale=True),
            transforms.Lambda(partial(_with_noise, most=noise)),
        ]
    )


def _random_gamma(grey: torch.Tensor) -> torch.Tensor:
    gamma = float(torch.empty(1).uniform_(0.7, 1.4))
    changed: torch.Tensor = transforms.functional.adjust_gamma(grey, gamma)
    return changed


def _with_noise(grey: torch.Tensor, most: float) -> torch.Tensor:
    deviation = float(torch.empty(1).uniform_(0.0, most)) if most else 0.0
    return (grey + torch.randn_like(grey) * deviation).clamp(0.0, 1.0)
