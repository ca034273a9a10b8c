"""Class activation maps to heatmaps. No gradients: the graph has computed the maps already."""

import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.reading import Heatmap, SourceBox

Floats = NDArray[np.float32]


def heatmaps_of(
    activation: Floats, logits: Floats, present_from: NDArray[np.float64], keys: tuple[FindingKey, ...], box: SourceBox
) -> tuple[Heatmap, ...]:
    """Keep the cells that would be called present if the whole image looked like them, the strongest as 1.0.

    A logit is the mean of its map plus a bias, so each cell, with that bias, is a logit of its own. Cells below
    the operating point count nothing; a finding at or above its operating point keeps at least one cell.

    Shape:  activation (K, h, w), logits (K,), present_from (K,), the operating points as logits -> K heatmaps (h, w).
    Units:  0.0 (would not be called present) to 1.0 (strongest cell of this map).
    Source: Zhou et al., Learning deep features for discriminative localization, CVPR 2016.
    """
    bias = logits - activation.mean(axis=(1, 2))
    supporting = np.maximum(activation - (present_from - bias)[:, None, None], 0.0)
    strongest = supporting.max(axis=(1, 2), keepdims=True)
    shares = np.divide(supporting, strongest, out=np.zeros_like(supporting), where=strongest > 0).astype(np.float32)
    return tuple(Heatmap(key, share, box) for key, share in zip(keys, shares, strict=True))
