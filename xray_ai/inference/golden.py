"""Golden scores: synthetic images in the pack that must score as they did when it was made."""

from pathlib import Path

from pydantic import Field, ValidationError

from xray_ai.errors import StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.inference.model_pack import PackUnsound
from xray_ai.inference.pack_card import Card, Probability
from xray_ai.inference.reader import Reader

GOLDEN_FILE = "golden/golden.json"


class GoldenCase(Card):
    """One image and its probabilities by finding key."""

    image: str
    probabilities: dict[str, Probability]


class GoldenCard(Card):
    """All golden cases of a pack, and how far a device may be off."""

    tolerance: Probability
    cases: tuple[GoldenCase, ...] = Field(min_length=1)


def golden_probabilities(reader: Reader, image: Path) -> dict[str, float]:
    """Score one 8-bit grayscale file through the whole serving path."""
    try:
        reading = reader.read(open_grey_file(image), PLAIN)
    except StudyRejected as rejection:
        raise PackUnsound(reader.pack.card.name, f"golden image {image.name} is not read.") from rejection
    return {score.finding.key: score.probability for score in reading.scores}


def check_golden(reader: Reader) -> float:
    """Score the golden images; returns the largest difference. Raises PackUnsound past the pack's tolerance."""
    name = reader.pack.card.name
    if GOLDEN_FILE not in reader.pack.card.files:
        raise PackUnsound(name, "it has no golden scores.")
    try:
        card = GoldenCard.model_validate_json((reader.pack.folder / GOLDEN_FILE).read_bytes())
    except ValidationError as error:
        raise PackUnsound(name, f"{GOLDEN_FILE} does not parse.") from error
    largest = 0.0
    for case in card.cases:
        if f"golden/{case.image}" not in reader.pack.card.files:
            raise PackUnsound(name, f"golden image {case.image} has no digest in its card.")
        found = golden_probabilities(reader, reader.pack.folder / "golden" / case.image)
        if found.keys() != case.probabilities.keys():
            raise PackUnsound(name, f"golden case {case.image} names other findings than the pack.")
        largest = max(largest, *(abs(found[key] - expected) for key, expected in case.probabilities.items()))
    if largest > card.tolerance:
        raise PackUnsound(
            name, f"its golden scores are off by {largest:.4f} on {reader.device} (allowed: {card.tolerance})."
        )
    return largest
