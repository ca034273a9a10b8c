"""Backbones by name, each ending in global average pooling and a linear layer.

With that head, the class activation maps are the linear layer applied before the pooling, so one
forward pass gives scores and maps together: logits = mean(activation) + bias (Zhou et al., CVPR 2016).
"""

from collections.abc import Callable, Sequence

import torch
from monai.networks.nets import DenseNet121
from torch import nn

from xray_ai.training.lite0 import grey_lite0

DROP_CONNECT = 0.2  # of the last block's output while training, less for earlier ones (Huang et al., ECCV 2016)


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


class EfficientNetLiteFeatures(nn.Module):
    """EfficientNet-Lite0 for one grey channel, whose first blocks can be frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen_blocks = 0
        self.network = grey_lite0()
        self.network._fc = nn.Identity()  # noqa: SLF001 - the classifier above takes its place

    def freeze(self, blocks: int) -> None:
        """Keep the stem and the first blocks as they are: no gradients, and their batch statistics stand still."""
        self.frozen_blocks = blocks
        for part in self._first_parts(blocks):
            part.requires_grad_(False)  # noqa: FBT003 - torch's own signature

    def train(self, mode: bool = True) -> "EfficientNetLiteFeatures":  # noqa: FBT001, FBT002 - torch's own signature
        super().train(mode)
        for part in self._first_parts(self.frozen_blocks):
            part.eval()
        return self

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        network, blocks = self.network, len(self.network._blocks)  # noqa: SLF001
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen_blocks):
            features = network._swish(network._bn0(network._conv_stem(image)))  # noqa: SLF001
            features = self._through(features, range(self.frozen_blocks))
        features = self._through(features, range(self.frozen_blocks, blocks))
        last: torch.Tensor = network._swish(network._bn1(network._conv_head(features)))  # noqa: SLF001
        return last

    def _through(self, features: torch.Tensor, blocks: range) -> torch.Tensor:
        every = self.network._blocks  # noqa: SLF001
        for index in blocks:
            features = every[index](features, drop_connect_rate=DROP_CONNECT * index / len(every))
        return features

    def _first_parts(self, blocks: int) -> list[nn.Module]:
        if not blocks:
            return []
        network = self.network
        return [network._conv_stem, network._bn0, *network._blocks[:blocks]]  # noqa: SLF001


def backbone_of(network: ActivationMapNetwork) -> EfficientNetLiteFeatures:
    """The backbone, where its first blocks can be frozen. Raises ValueError where they cannot."""
    if not isinstance(network.features, EfficientNetLiteFeatures):
        message = "Only the blocks of an EfficientNet-Lite can be frozen: set frozen_blocks = 0."
        raise ValueError(message)  # noqa: TRY004 - what is wrong is a value in the run's TOML
    return network.features


class AveragedNetwork(nn.Module):
    """Networks side by side, averaged: image [N,1,H,W] -> (logits [N,K], activation [N,K,h,w]).

    Every second one looks at the mirror image, and its maps are mirrored back: no finding names a side, and what two
    networks get wrong is then less alike, for nothing.
    """

    def __init__(self, members: Sequence[ActivationMapNetwork]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        judged = [_mirrored(member, image) if place % 2 else member(image) for place, member in enumerate(self.members)]
        logits, activation = (torch.stack(part).mean(dim=0) for part in zip(*judged, strict=True))
        return logits, activation


def _mirrored(network: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    logits, activation = network(image.flip(-1))
    return logits, activation.flip(-1)


def _efficientnet_lite0(outputs: int, dropout: float) -> ActivationMapNetwork:
    return ActivationMapNetwork(EfficientNetLiteFeatures(), 1280, outputs, dropout)


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
