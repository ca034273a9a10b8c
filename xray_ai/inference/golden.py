"""Golden scores: synthetic images in the pack that must score as they did when it was made."""

from pathlib import Path

from pydantic import Field, ValidationError

from xray_ai.errors import StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.inference.model_pack import PackUnsound
from xray_ai.inference.pack_card import Card, Probability
from xray_ai.inference.reader import Reader
from xray_ai.inference.scope_check import ScopeCheck

GOLDEN_FILE = "golden/golden.json"


class GoldenCase(Card):
    """One image and its probabilities by key of finding or scope output."""

    image: str
    probabilities: dict[str, Probability]


class GoldenCard(Card):
    """All golden cases of a pack, and how far a device may be off."""

    tolerance: Probability
    cases: tuple[GoldenCase, ...] = Field(min_length=1)


def golden_probabilities(model: Reader | ScopeCheck, image: Path) -> dict[str, float]:
    """Score one 8-bit grayscale file by this model alone, prepared as in service."""
    try:
        stored = open_grey_file(image)
        if isinstance(model, ScopeCheck):
            return {answer.question.value: answer.probability for answer in model.answers(stored, PLAIN)}
        return {score.finding.key: score.probability for score in model.score(stored, PLAIN).scores}
    except StudyRejected as rejection:
        raise PackUnsound(model.pack.card.name, f"golden image {image.name} is not read.") from rejection


def golden_file(model: Reader | ScopeCheck) -> str:
    """Name the golden scores of the network that this model runs: each of a pack's networks has its own."""
    return GOLDEN_FILE if isinstance(model, ScopeCheck) else model.pack.network_on(model.device).golden


def check_golden(model: Reader | ScopeCheck) -> float:
    """Score the golden images; returns the largest difference. Raises PackUnsound past the pack's tolerance."""
    name, file = model.pack.card.name, golden_file(model)
    if file not in model.pack.card.files:
        raise PackUnsound(name, "it has no golden scores.")
    try:
        card = GoldenCard.model_validate_json((model.pack.folder / file).read_bytes())
    except ValidationError as error:
        raise PackUnsound(name, f"{file} does not parse.") from error
    largest = 0.0
    for case in card.cases:
        if f"golden/{case.image}" not in model.pack.card.files:
            raise PackUnsound(name, f"golden image {case.image} has no digest in its card.")
        found = golden_probabilities(model, model.pack.folder / "golden" / case.image)
        if found.keys() != case.probabilities.keys():
            raise PackUnsound(name, f"golden case {case.image} names other outputs than the pack.")
        largest = max(largest, *(abs(found[key] - expected) for key, expected in case.probabilities.items()))
    if largest > card.tolerance:
        raise PackUnsound(
            name, f"its golden scores are off by {largest:.4f} on {model.device} (allowed: {card.tolerance})."
        )
    return largest
