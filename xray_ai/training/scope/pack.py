"""A trained and exported scope network with its points becomes a pack: a folder of data."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from xray_ai.inference.golden import GOLDEN_FILE
from xray_ai.inference.model_pack import CARD_FILE, NETWORK_FILE, ScopePack
from xray_ai.inference.pack_card import LineageCard
from xray_ai.inference.scope_card import ScopeCard, ScopeOutputCard, ScopePerformanceCard
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device
from xray_ai.training.lineage import source_commit
from xray_ai.training.onnx_file import graph_of
from xray_ai.training.pack_folder import digests_of, golden_card
from xray_ai.training.phantom import Phantom, chest_phantom
from xray_ai.training.scope.anatomy import drawn_part
from xray_ai.training.scope.card import scope_model_card
from xray_ai.training.scope.points import ScopePoints
from xray_ai.training.scope.run import ScopeRun

GOLDEN_TOLERANCE = 5e-3
GOLDEN_SIDE = 256
COHORT = (
    "Chests: NIH ChestX-ray14 and its 128 px copies, children of Kermany et al. (CC BY 4.0), split by patient."
    " Others: BCCD blood images, test images of Pillow (split by look), drawings, scikit-learn's sample photographs."
)


@dataclass(frozen=True, slots=True)
class ScopePackContent:
    """What a scope pack is made of, beside the network's file."""

    version: str
    run: ScopeRun
    cohort_sha256: str
    points: ScopePoints
    performance: ScopePerformanceCard | None


def pack_scope(content: ScopePackContent, network: Path, folder: Path) -> ScopePack:
    """Write the pack into `folder`, replacing an unfinished one, and open it as the service would."""
    golden = folder / "golden"
    shutil.rmtree(folder, ignore_errors=True)
    golden.mkdir(parents=True)
    shutil.copyfile(network, folder / NETWORK_FILE)
    for name, image in golden_images().items():
        cv2.imwrite(str(golden / name), image)
    card = _card(content, network)
    _seal(folder, card)
    _write_golden(folder)
    (folder / "MODEL_CARD.md").write_text(scope_model_card(card), "utf-8")
    _seal(folder, card)
    return ScopePack.open(folder)


def golden_images() -> dict[str, NDArray[np.uint8]]:
    """Drawn images, so that no patient is in a pack: a chest, the same turned and inverted, a hand, a skull."""
    chest = chest_phantom(Phantom(seed=1))
    draw = np.random.default_rng(1)
    return {
        "chest.png": chest,
        "turned-90.png": np.ascontiguousarray(np.rot90(chest, -1)),
        "negative.png": np.asarray(255 - chest, np.uint8),
        "hand.png": drawn_part("hand", GOLDEN_SIDE, draw),
        "skull.png": drawn_part("skull", GOLDEN_SIDE, draw),
    }


def _card(content: ScopePackContent, network: Path) -> ScopeCard:
    run = content.run
    return ScopeCard(
        schema_version=1,
        kind="scope",
        name=run.name,
        version=content.version,
        licence="Apache-2.0 (weights); trained on NIH ChestX-ray14 (free use with attribution) and Kermany et al."
        " (CC BY 4.0), from ImageNet weights",
        intended_use="Research use only. Not a medical device; not for diagnosis.",
        files={},
        graph=graph_of(network),
        preprocessing=run.recipe,
        outputs=tuple(
            ScopeOutputCard(
                key=output.key,
                point=output.point,
                action="note" if output.key.is_about_quality else "refuse",
                measured=output.measured,
            )
            for output in content.points.outputs
        ),
        limits=run.limits,
        lineage=LineageCard(
            cohort_sha256=content.cohort_sha256,
            cohort_description=COHORT,
            source_commit=source_commit(),
            seed=run.seed,
            run=run.as_toml_tree(),
        ),
        performance=content.performance,
    )


def _seal(folder: Path, card: ScopeCard) -> None:
    """Write pack.json with the digest of every other file."""
    tree = card.model_copy(update={"files": digests_of(folder)}).model_dump(mode="json", exclude_none=True)
    (folder / CARD_FILE).write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _write_golden(folder: Path) -> None:
    check = ScopeCheck(ScopePack.open(folder), Device.CPU)
    card = golden_card(check, folder, golden_images(), GOLDEN_TOLERANCE)
    (folder / GOLDEN_FILE).write_text(card.model_dump_json(indent=1) + "\n", "utf-8")
