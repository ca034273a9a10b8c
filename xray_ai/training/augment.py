"""Random changes that leave every label true."""

import torch

from xray_ai.training.torchvision_cpu import transforms


def frontal_augmentation(side: int) -> transforms.Compose:
    """What differs between two frontal radiographs of one patient without changing what they show.

    A mirror image keeps all fourteen findings (none of them names a side); small turns, shifts and zooms
    are positioning; brightness, contrast and gamma are a site's processing; blur hides from the network
    which public copy an image came through; an erased patch is a marker or a device.

    Shape: (1, side, side) uint8 -> the same.
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
            transforms.RandomApply([transforms.GaussianBlur(kernel_size=5, sigma=(0.3, side / 160))], p=0.4),
            transforms.RandomErasing(p=0.25, scale=(0.005, 0.04)),
        ]
    )


def _random_gamma(grey: torch.Tensor) -> torch.Tensor:
    gamma = float(torch.empty(1).uniform_(0.7, 1.4))
    changed: torch.Tensor = transforms.functional.adjust_gamma(grey, gamma)
    return changed
