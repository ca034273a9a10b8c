"""Stored values of one grayscale frame, as they leave the decoder."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One frame before any grey-value transform.

    At reduced resolution each value is the mean of a block of `2 ** (reduction - 1)` source pixels a side:
    the grid is centred on the blocks, whichever codec made it.
    """

    values: NDArray[np.integer[Any]]  # (rows, columns), or less where reduced; uint8, int8 -> int16, uint16 or int16
    rows: int  # of the full-resolution source
    columns: int
    reduction: int  # how often decoding halved the resolution; 0: it is whole
    lossy: bool
