"""The scope network: the first blocks of EfficientNet-Lite0, what it answers, and how far an image is from chests."""

import torch
from torch import nn

from xray_ai.domain.scope import ScopeQuestion
from xray_ai.training.lite0 import grey_lite0

TURNS = (ScopeQuestion.TURNED_90, ScopeQuestion.TURNED_180, ScopeQuestion.TURNED_270)
QUESTIONS = tuple(ScopeQuestion)
WIDTH = 256  # channels of the last layer
MIDDLE_BLOCK = 5  # features after this block keep what training has no use for
LOGITS = len(QUESTIONS) + 1  # an upright chest has a logit of its own among the turns


class ScopeNetwork(nn.Module):
    """Image [N,1,H,W] -> logits [N,10] and features [N,F], from the first `blocks` of EfficientNet-Lite0's 16.

    Logits: not_frontal_chest, upright, turned by 90, 180, 270, inverted, and four of quality. Features: the means of
    a middle and of the last layer. The weights that it sets out from are ImageNet's (Apache-2.0).
    """

    def __init__(self, blocks: int, dropout: float) -> None:
        super().__init__()
        whole = grey_lite0()
        layers = list(whole._blocks)[:blocks]  # noqa: SLF001 - the package offers no other way to its layers
        self.stem = nn.Sequential(whole._conv_stem, whole._bn0, nn.ReLU6())  # noqa: SLF001
        self.low, self.high = nn.Sequential(*layers[:MIDDLE_BLOCK]), nn.Sequential(*layers[MIDDLE_BLOCK:])
        channels = int(layers[-1]._project_conv.out_channels)  # noqa: SLF001
        self.last = nn.Sequential(nn.Conv2d(channels, WIDTH, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU6())
        self.dropout = nn.Dropout(dropout)
        self.answer = nn.Linear(WIDTH, LOGITS)

    def freeze(self, blocks: int) -> None:
        """Leave the stem and the first blocks as ImageNet made them: they cost most of a step and gain least."""
        for layer in (self.stem, *list(self.low)[:blocks]):
            layer.requires_grad_(requires_grad=False)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        middle = self.low(self.stem(image))
        last = self.last(self.high(middle)).mean((2, 3))
        return self.answer(self.dropout(last)), torch.cat([middle.mean((2, 3)), last], dim=1)


def probabilities_of(logits: torch.Tensor) -> torch.Tensor:
    """(N, 10) logits -> (N, 9) probabilities in the order of the questions; the turns share one softmax."""
    turns = torch.softmax(logits[:, 1:5], dim=1)[:, 1:]
    return torch.cat([torch.sigmoid(logits[:, :1]), turns, torch.sigmoid(logits[:, 5:])], dim=1)
