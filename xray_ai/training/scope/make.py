"""From data to a scope pack: train, fit the one-class distance, export, set points, pack."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from xray_ai.inference.model_pack import NETWORK_FILE, ScopePack
from xray_ai.inference.scope_card import ScopePerformanceCard
from xray_ai.training.datasets.cohort import Split
from xray_ai.training.scope.examples import Examples, drawn_examples, examples_of, stored_recipe
from xray_ai.training.scope.export import ScopeGraph, export_scope
from xray_ai.training.scope.measure import performance_file
from xray_ai.training.scope.network import ScopeNetwork
from xray_ai.training.scope.one_class import OneClass, features_of, fit_one_class, with_limit
from xray_ai.training.scope.pack import ScopePackContent, pack_scope
from xray_ai.training.scope.points import Tuning, set_points
from xray_ai.training.scope.run import ScopeRun
from xray_ai.training.scope.sources import ScopeImage, digest_of, read_sources
from xray_ai.training.scope.train import RUN_FILE, WEIGHTS_FILE, train_scope

POINTS_FILE, COHORT_FILE = "points.json", "cohort.sha256"
TUNED_EACH = 20  # drawn negatives of each kind for the points


@dataclass(frozen=True, slots=True)
class Making:
    """One run on one folder of data."""

    run: ScopeRun
    sources: tuple[ScopeImage, ...]
    folder: Path
    device: str

    @classmethod
    def of(cls, run: ScopeRun, data: Path, folder: Path, device: str) -> "Making":
        return cls(run, read_sources(data), folder, device)

    @property
    def cache(self) -> Path:
        return self.folder.parent / "cache"

    def chests(self, split: Split, side: int) -> Examples:
        """Prepared chests of a split, at this side."""
        recipe = replace(stored_recipe(self.run), rows=side, columns=side)
        return examples_of(
            [image for image in self.sources if image.is_chest and image.split is split], recipe, self.cache
        )

    def others(self, left_out: frozenset[str] = frozenset()) -> Examples:
        """What training takes for no chest, but for the kinds left out."""
        pictures = [image for image in self.sources if image.is_other and image.split is Split.TRAIN]
        held, drawn = examples_of(pictures, stored_recipe(self.run), self.cache), drawn_examples(self.run, self.cache)
        both = Examples(np.concatenate([held.greys, drawn.greys]), np.concatenate([held.kinds, drawn.kinds]))
        return both.of(~np.isin(both.kinds, sorted(left_out)))

    def trained(self, left_out: frozenset[str] = frozenset()) -> ScopeNetwork:
        """Train, unless the folder holds the weights of this run on these images."""
        cohort, digest = self.folder / COHORT_FILE, digest_of(self.sources)
        if not (cohort.exists() and cohort.read_text("utf-8") == digest and self._is_of_this_run()):
            cohort.unlink(missing_ok=True)
            chests = self.chests(Split.TRAIN, self.run.stored_side)
            train_scope(self.run, chests, self.others(left_out), self.folder, self.device, left_out)
            cohort.write_text(digest, "utf-8")
        network = ScopeNetwork(self.run.blocks, self.run.dropout)
        network.load_state_dict(torch.load(self.folder / WEIGHTS_FILE, weights_only=True))
        network.eval()
        return network

    def _is_of_this_run(self) -> bool:
        return self.run.trains_as(ScopeRun.read(self.folder / RUN_FILE))

    def one_class(self, network: ScopeNetwork) -> OneClass:
        """Fit the distance on training chests and limit it on tuning chests."""
        seen = self.chests(Split.TRAIN, self.run.stored_side).greys
        fitted = fit_one_class(network, self.run, torch.from_numpy(seen)[:, None])
        tuning = torch.from_numpy(self.chests(Split.TUNE, self.run.recipe.rows).greys)[:, None].float() / 255
        return with_limit(fitted, features_of(network, self.run, tuning), self.run.one_class_share)

    def tuning(self) -> Tuning:
        another_seed = self.run.model_copy(update={"seed": self.run.seed + 3, "drawn_each": TUNED_EACH})
        return Tuning(self.chests(Split.TUNE, self.run.recipe.rows), drawn_examples(another_seed, self.cache))


def make_scope_pack(making: Making, version: str, models: Path) -> ScopePack:
    """Do all of it; a measured performance in the folder goes into the card."""
    torch.set_num_threads(making.run.threads)
    network = making.trained()
    graph = ScopeGraph(network, making.one_class(network)).eval()
    network_file = making.folder / NETWORK_FILE
    export_scope(making.run, graph, network_file)
    points = set_points(making.run, graph, making.tuning())
    (making.folder / POINTS_FILE).write_text(points.model_dump_json(indent=1), "utf-8")
    content = ScopePackContent(
        version=version,
        run=making.run,
        cohort_sha256=digest_of(making.sources),
        points=points,
        performance=_performance(
            performance_file(making.folder, network_file, (output.point for output in points.outputs))
        ),
    )
    return pack_scope(content, network_file, models / making.run.name)


def _performance(file: Path) -> ScopePerformanceCard | None:
    return ScopePerformanceCard.model_validate_json(file.read_bytes()) if file.exists() else None
