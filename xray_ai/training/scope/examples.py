"""Prepared images in memory: chests and held pictures from files, other negatives drawn; all through `prepare`."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xray_ai.errors import StudyRejected
from xray_ai.imaging import preprocess
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.preprocess import Recipe, prepare
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.training.scope import anatomy, patterns, projection
from xray_ai.training.scope.anatomy import PARTS, drawn_part
from xray_ai.training.scope.patterns import PATTERNS
from xray_ai.training.scope.run import ScopeRun
from xray_ai.training.scope.sources import ScopeImage

Greys = NDArray[np.uint8]  # (N, side, side)
Drawing = tuple[str, StoredImage]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Images and what each shows: a source of chests or pictures, or the name of a drawn kind."""

    greys: Greys
    kinds: NDArray[np.str_]  # (N,)

    def of(self, chosen: NDArray[np.bool_]) -> "Examples":
        return Examples(self.greys[chosen], self.kinds[chosen])


def stored_recipe(run: ScopeRun) -> Recipe:
    """The pack's recipe at the side at which images are kept."""
    return replace(run.recipe.recipe(), rows=run.stored_side, columns=run.stored_side)


def examples_of(images: Sequence[ScopeImage], recipe: Recipe, cache: Path) -> Examples:
    """Prepare image files once."""
    key = repr((recipe, [(str(image.path), image.kind) for image in images]))
    return _kept(cache, key, lambda: ((image.kind, open_grey_file(image.path)) for image in images), recipe)


def drawn_examples(run: ScopeRun, cache: Path) -> Examples:
    """Draw every kind of negative that needs no file, and prepare it."""
    modules = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (anatomy, patterns, projection))
    key = repr((stored_recipe(run), run.drawn_each, run.seed, modules))
    return _kept(cache, key, lambda: _drawings(run), stored_recipe(run))


def _drawings(run: ScopeRun) -> Iterable[Drawing]:
    draw = np.random.default_rng(run.seed)
    side = run.stored_side
    for _ in range(run.drawn_each):
        for name in PARTS:
            yield name, _stored(drawn_part(name, side, draw))
        for name, pattern in PATTERNS.items():
            yield name, _stored(pattern(side, draw))


def _stored(grey: NDArray[np.uint8]) -> StoredImage:
    return StoredImage(grey, grey.shape[0], grey.shape[1], reduction=0, lossy=False)


def _kept(cache: Path, key: str, make: Callable[[], Iterable[Drawing]], recipe: Recipe) -> Examples:
    """Make what is not in `cache` yet; the key and the code of `prepare` decide."""
    name = hashlib.sha256(key.encode() + Path(preprocess.__file__).read_bytes()).hexdigest()[:16]
    file = cache / f"scope-{name}.npz"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        made = [(kind, grey) for kind, stored in make() for grey in _prepared(stored, recipe)]
        unfinished = file.with_suffix(".unfinished.npz")
        np.savez(unfinished, greys=np.stack([grey for _, grey in made]), kinds=np.array([kind for kind, _ in made]))
        unfinished.rename(file)
    with np.load(file) as kept:
        return Examples(kept["greys"], kept["kinds"])


def _prepared(stored: StoredImage, recipe: Recipe) -> list[NDArray[np.uint8]]:
    """The prepared image, or nothing where it is blank: `prepare` itself refuses that."""
    try:
        return [np.round(prepare(stored, PLAIN, recipe).grey * 255).astype(np.uint8)]
    except StudyRejected:
        return []
