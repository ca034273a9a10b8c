"""The points of a scope pack: from which probability on an image is refused or noted, set on tuning chests."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from xray_ai.domain.scope import ScopeQuestion
from xray_ai.inference.pack_card import Card, Probability
from xray_ai.training.scope.augment import FREE_POSE, posed, to_range
from xray_ai.training.scope.examples import Examples
from xray_ai.training.scope.export import ScopeGraph
from xray_ai.training.scope.lesson import SPOILED
from xray_ai.training.scope.network import QUESTIONS, TURNS
from xray_ai.training.scope.run import ScopeRun

FloatArray = NDArray[np.float64]

BATCH = 64
DECIMALS = 4


class ScopePoint(Card):
    """Where one output says yes, and how often it was right and wrong on the tuning images."""

    key: ScopeQuestion
    point: Probability
    chests: int
    false_yes: int
    asked_of: int  # images that ought to get a yes
    true_yes: int

    @property
    def measured(self) -> str:
        return (
            f"Set on {self.chests} tuning chests, of which {self.false_yes} ({self.false_yes / self.chests:.2%}) are at"
            f" or above the point; of {self.asked_of} images made to be so, {self.true_yes}"
            f" ({self.true_yes / self.asked_of:.1%}) are."
        )


class ScopePoints(Card):
    """All points of a run."""

    outputs: tuple[ScopePoint, ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """Tuning images at the network's size: chests, and drawn negatives that training did not see."""

    chests: Examples
    others: Examples


def set_points(run: ScopeRun, graph: ScopeGraph, tuning: Tuning) -> ScopePoints:
    """Put each point above all but its share of the tuning chests, and at or above the run's least point."""
    asked = Asked(run, graph)
    chests = _floats(tuning.chests)
    as_they_are = asked.probabilities(chests)
    wanted = _images_for_each_question(chests, _floats(tuning.others), run)
    points = []
    for place, question in enumerate(QUESTIONS):
        share = run.noted_share if question.is_about_quality else run.refused_share
        quantile = float(np.quantile(as_they_are[:, place], 1 - share, method="higher"))
        point = min(round(max(quantile * 1.0001 + 1e-4, run.least_point), DECIMALS), run.largest_point)
        found = asked.probabilities(wanted[question])[:, place]
        points.append(
            ScopePoint(
                key=question,
                point=point,
                chests=len(chests),
                false_yes=int((as_they_are[:, place] >= point).sum()),
                asked_of=len(found),
                true_yes=int((found >= point).sum()),
            )
        )
    return ScopePoints(outputs=tuple(points))


@dataclass(frozen=True, slots=True)
class Asked:
    """The graph, asked with images in the range 0.0 to 1.0."""

    run: ScopeRun
    graph: ScopeGraph

    @torch.no_grad()
    def probabilities(self, images: torch.Tensor) -> FloatArray:
        """(N, 1, rows, columns) float32 of any size -> (N, 9)."""
        recipe = self.run.recipe
        grey_range = recipe.recipe().grey_range
        rows = []
        for part in images.split(BATCH):
            small = functional.interpolate(part, size=(recipe.rows, recipe.columns), mode="bilinear", antialias=True)
            rows.append(self.graph((to_range(small, grey_range) - recipe.mean) / recipe.standard_deviation))
        return torch.cat(rows).double().numpy()


def _images_for_each_question(
    chests: torch.Tensor, others: torch.Tensor, run: ScopeRun
) -> dict[ScopeQuestion, torch.Tensor]:
    draw = torch.Generator().manual_seed(run.seed + 2)
    images = {
        ScopeQuestion.NOT_FRONTAL_CHEST: posed(others, FREE_POSE, draw),
        ScopeQuestion.INVERTED: 1 - chests,
    }
    images |= {question: torch.rot90(chests, -quarter, (2, 3)) for quarter, question in enumerate(TURNS, 1)}
    images |= {question: spoil(chests, draw) for question, spoil in SPOILED.items()}
    return images


def _floats(examples: Examples) -> torch.Tensor:
    return torch.from_numpy(examples.greys)[:, None].float() / 255
