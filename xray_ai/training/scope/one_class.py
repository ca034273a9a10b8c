"""How far an image's features lie from those of chests: refuses what no negative in training was like.

Source: Mahalanobis distance with a shared covariance, Lee et al., NeurIPS 2018.
"""

from dataclasses import dataclass, replace
from functools import partial

import torch

from xray_ai.training.batches import Batch
from xray_ai.training.scope.augment import CHEST_POSE, looked_at, posed
from xray_ai.training.scope.lesson import SPOILED, Spoil
from xray_ai.training.scope.network import ScopeNetwork
from xray_ai.training.scope.run import ScopeRun

LEAST_VARIANCE = 1e-4
SHRINKAGE = 0.05  # of the covariance towards its diagonal
STEEPNESS = 8.0  # the probability goes from 0.12 to 0.88 while the distance grows by half
BATCH = 64
CHESTS = 1200  # of the training chests, in each attitude


def _turned(images: Batch, _: torch.Generator, quarters: int) -> Batch:
    return torch.rot90(images, -quarters, (2, 3))


def _inverted(images: Batch, _: torch.Generator) -> Batch:
    return 1 - images


ATTITUDES: tuple[Spoil, ...] = (*(partial(_turned, quarters=quarters) for quarters in range(4)), _inverted)


@dataclass(frozen=True, slots=True)
class OneClass:
    """Where chests lie: in each attitude, and with each fault of quality, a cluster of its own, all of one shape."""

    centres: torch.Tensor  # (9, F): upright, turned by 90, 180, 270, inverted; clipped, moved, under-, overexposed
    whitening: torch.Tensor  # (F, F)
    log_limit: float  # of the mean squared whitened distance; at it the probability is one half

    def log_distance(self, features: torch.Tensor) -> torch.Tensor:
        """(N, F) -> (N,): logarithm of the mean squared distance to the nearest centre."""
        white = features @ self.whitening
        apart = white[:, None] - (self.centres @ self.whitening)[None]
        return (apart**2).mean(dim=2).min(dim=1).values.clamp_min(1e-6).log()

    def probability(self, features: torch.Tensor) -> torch.Tensor:
        """(N, F) -> (N,): how likely the image is something else than a chest."""
        return torch.sigmoid(STEEPNESS * (self.log_distance(features) - self.log_limit))


def fit_one_class(network: ScopeNetwork, run: ScopeRun, greys: torch.Tensor) -> OneClass:
    """Fit on training chests in all attitudes and looks: (N, 1, stored side, stored side) uint8. Sets no limit yet."""
    draw = torch.Generator().manual_seed(run.seed + 1)
    chosen = greys[torch.randperm(len(greys), generator=draw)[:CHESTS]]
    grey_range = run.recipe.recipe().grey_range
    clusters = []
    for change in (*ATTITUDES, *SPOILED.values()):
        features = []
        for part in chosen.split(BATCH):
            images = change(posed(part.float() / 255, CHEST_POSE, draw), draw)
            features.append(features_of(network, run, looked_at(images, run.recipe.rows, grey_range, draw)))
        clusters.append(torch.cat(features))
    centres = torch.stack([cluster.mean(dim=0) for cluster in clusters])
    spread = torch.cat([cluster - centre for cluster, centre in zip(clusters, centres, strict=True)])
    covariance = spread.T @ spread / len(spread)
    own = torch.diag(covariance.diagonal() + LEAST_VARIANCE)
    values, vectors = torch.linalg.eigh((1 - SHRINKAGE) * covariance + SHRINKAGE * own)
    return OneClass(centres, vectors / values.sqrt(), 0.0)


def with_limit(one_class: OneClass, chests: torch.Tensor, share: float) -> OneClass:
    """Set the limit that this share of tuning chests passes: features (N, F)."""
    return replace(one_class, log_limit=float(torch.quantile(one_class.log_distance(chests), 1 - share)))


@torch.no_grad()
def features_of(network: ScopeNetwork, run: ScopeRun, images: torch.Tensor) -> torch.Tensor:
    """(N, 1, rows, columns) in the recipe's range -> (N, F)."""
    parts = [network((part - run.recipe.mean) / run.recipe.standard_deviation)[1] for part in images.split(BATCH)]
    return torch.cat(parts)
