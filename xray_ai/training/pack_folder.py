"""What the folders of all packs hold alike: digests of their files, and scores of golden images."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from xray_ai.inference.golden import GoldenCard, GoldenCase, golden_probabilities
from xray_ai.inference.model_pack import CARD_FILE
from xray_ai.inference.reader import Reader
from xray_ai.inference.scope_check import ScopeCheck

DECIMALS = 6


def digests_of(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the card itself, by its path in the folder."""
    names = sorted(
        str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() and file.name != CARD_FILE
    )
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def golden_card(model: Reader | ScopeCheck, folder: Path, names: Iterable[str], tolerance: float) -> GoldenCard:
    """Score the pack's golden images as the service would."""
    cases = tuple(
        GoldenCase(
            image=name,
            probabilities={
                key: round(probability, DECIMALS)
                for key, probability in golden_probabilities(model, folder / "golden" / name).items()
            },
        )
        for name in names
    )
    return GoldenCard(tolerance=tolerance, cases=cases)
