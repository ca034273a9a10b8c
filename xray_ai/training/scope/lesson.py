"""One step's images and labels: chests in every role that they can play, and images that are no chests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch

from xray_ai.domain.scope import ScopeQuestion
from xray_ai.training.batches import Batch, chance
from xray_ai.training.scope.augment import AS_TAKEN_POSE, CHEST_POSE, FREE_POSE, posed
from xray_ai.training.scope.degradations import clipped, moved, overexposed, underexposed
from xray_ai.training.scope.derived import DERIVED

QUESTIONS = tuple(ScopeQuestion)
AS_TAKEN_OTHERS = 0.6  # share of negatives that lie as they were taken, but for some degrees
INVERTED_OTHERS = 0.25  # share of negatives that are shown inverted
INVERTED_TURNED = 0.15  # share of turned chests that are inverted too

Spoil = Callable[[Batch, torch.Generator], Batch]
SPOILED: Mapping[ScopeQuestion, Spoil] = MappingProxyType(
    {
        ScopeQuestion.CLIPPED: clipped,
        ScopeQuestion.MOTION: moved,
        ScopeQuestion.UNDEREXPOSED: underexposed,
        ScopeQuestion.OVEREXPOSED: overexposed,
    }
)
TURNED, INVERTED, DERIVED_SHARE, SPOILED_EACH = 0.18, 0.1, 0.16, 0.05  # shares of chests; the rest is as it was


@dataclass(frozen=True, slots=True)
class Lesson:
    """Images (N, 1, side, side) in the recipe's range and labels (N, 9), NaN where a question makes no sense."""

    images: Batch
    labels: torch.Tensor


def lesson(chests: Batch, others: Batch, left_out: frozenset[str], draw: torch.Generator) -> Lesson:
    """Give each chest a role by its place in the batch, which is random already.

    Shape: (N, 1, stored side, stored side) float32, 0.0 to 1.0, chests and others.
    """
    images = posed(chests, CHEST_POSE, draw)
    labels = torch.zeros(len(images), len(QUESTIONS), device=images.device)
    count = len(images)
    start = _turn(images, labels, round(TURNED * count), draw)
    start = _invert(images, labels, start, round(INVERTED * count))
    for question, spoil in SPOILED.items():
        part = slice(start, start + round(SPOILED_EACH * count))
        images[part] = spoil(images[part], draw)
        _say(labels, part, question)
        start = int(part.stop)
    start = _derive(images, labels, start, left_out, draw)
    free = torch.where(
        chance(others, AS_TAKEN_OTHERS, draw), posed(others, AS_TAKEN_POSE, draw), posed(others, FREE_POSE, draw)
    )
    free = torch.where(chance(free, INVERTED_OTHERS, draw), 1 - free, free)
    return Lesson(torch.cat([images, free]), torch.cat([labels, _no_chests(len(free), images.device)]))


def _turn(images: Batch, labels: torch.Tensor, count: int, draw: torch.Generator) -> int:
    """Turn the first images clockwise by 90, 180 and 270 degrees; their quality is not asked."""
    turns = (ScopeQuestion.TURNED_90, ScopeQuestion.TURNED_180, ScopeQuestion.TURNED_270)
    for quarter, question in enumerate(turns, 1):
        part = slice((quarter - 1) * count // 3, quarter * count // 3)
        images[part] = torch.rot90(images[part], -quarter, (2, 3))
        _unasked(labels, part, SPOILED)
        _say(labels, part, question)
    inverted = chance(images[:count], INVERTED_TURNED, draw)
    images[:count] = torch.where(inverted, 1 - images[:count], images[:count])
    labels[:count, QUESTIONS.index(ScopeQuestion.INVERTED)] = inverted[:, 0, 0, 0].float()
    return count


def _invert(images: Batch, labels: torch.Tensor, start: int, count: int) -> int:
    part = slice(start, start + count)
    images[part] = 1 - images[part]
    _unasked(labels, part, SPOILED)
    _say(labels, part, ScopeQuestion.INVERTED)
    return start + count


def _derive(images: Batch, labels: torch.Tensor, start: int, left_out: frozenset[str], draw: torch.Generator) -> int:
    """Turn some chests into negatives of two kinds a step."""
    kinds = [derive for name, derive in DERIVED.items() if name not in left_out]
    if not kinds:
        return start
    count = round(DERIVED_SHARE * len(images)) // 2
    for choice in torch.randint(0, len(kinds), (2,), generator=draw, device=draw.device).tolist():
        part = slice(start, start + count)
        images[part] = kinds[choice](images[part], draw)
        labels[part] = _no_chests(count, labels.device)
        start += count
    return start


def _no_chests(count: int, device: torch.device) -> torch.Tensor:
    labels = torch.full((count, len(QUESTIONS)), torch.nan, device=device)
    labels[:, 0] = 1.0
    return labels


def _say(labels: torch.Tensor, part: slice, question: ScopeQuestion) -> None:
    labels[part, QUESTIONS.index(question)] = 1.0


def _unasked(labels: torch.Tensor, part: slice, questions: Mapping[ScopeQuestion, Spoil]) -> None:
    labels[part, [QUESTIONS.index(question) for question in questions]] = torch.nan
