"""Class activation maps to heatmaps. No gradients: the graph has computed the maps already."""

import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.reading import Heatmap, SourceBox


def heatmaps_of(activation: NDArray[np.float32], keys: tuple[FindingKey, ...], box: SourceBox) -> tuple[Heatmap, ...]:
    """Keep what speaks for each finding, as a share of its strongest cell.

    Shape:  (K, h, w) float32 -> K heatmaps of (h, w) float32.
    Units:  0.0 (nothing, or speaks against) to 1.0 (strongest cell of this map).
    Source: Zhou et al., Learning deep features for discriminative localization, CVPR 2016.
    """
    supporting = np.maximum(activation, 0.0)
    strongest = supporting.max(axis=(1, 2), keepdims=True)
    shares = np.divide(supporting, strongest, out=np.zeros_like(supporting), where=strongest > 0)
    return tuple(Heatmap(key, share, box) for key, share in zip(keys, shares, strict=True))
