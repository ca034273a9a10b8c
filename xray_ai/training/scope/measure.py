"""How often the finished pack does what it should, through the code that serves."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import NormalDist
from types import MappingProxyType

from xray_ai.acceptance import accept_pixels
from xray_ai.errors import StudyRejected
from xray_ai.inference.scope_card import ScopePerformanceCard, ShareCard
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.training.scope.trials import REFUSED, Trial

LEVEL = 0.95
LEAST_REFUSED, MOST_FALSE, MOST_FALSE_ELSEWHERE, MOST_NOTED = 0.99, 0.01, 0.02, 0.02
MEASURED_ON: Mapping[str, str] = MappingProxyType(
    {
        "tune": "tuning patients of the NIH, on which points were set, and held-out images of other sources.",
        "test": "test patients of the NIH and held-out images of other sources; nothing was trained or tuned on them.",
    }
)
NOT_MEASURED = (
    "Lateral, oblique and lordotic chest radiographs: four laterals of tuning patients, a dog's and computed views.",
    "Radiographs of skulls, spines, hands, knees, shoulders and abdomens: a hip and a tibia are all the bones at hand.",
    "Chests that a technologist judged clipped, moved or wrongly exposed: those measured were spoiled on purpose.",
    "Chests of full resolution from today's detectors: three are at hand.",
)


def performance_file(folder: Path, network: Path, points: Iterable[float]) -> Path:
    """Where the performance of this network at these points lies, so that none gets into another's card."""
    digest = hashlib.sha256(network.read_bytes() + repr(list(points)).encode()).hexdigest()
    return folder / f"performance-{digest[:12]}.json"


def outcomes_of(check: ScopeCheck, trial: Trial) -> frozenset[str]:
    """What becomes of an image: `refused` with its reason, or the keys of the qualities that are noted."""
    try:
        notes = accept_pixels(check.answers(trial.stored, trial.transform))
    except StudyRejected as rejection:
        return frozenset({REFUSED, rejection.code.value})
    return frozenset(note.code for note in notes)


def measure(check: ScopeCheck, trials: Iterable[Trial], measured_on: str) -> ScopePerformanceCard:
    """Count outcomes by group."""
    images: Counter[str] = Counter()
    counted: Counter[tuple[str, str, bool]] = Counter()
    for trial in trials:
        images[trial.group] += 1
        outcomes = outcomes_of(check, trial)
        for outcome, is_wanted in trial.counted.items():
            counted[trial.group, outcome, is_wanted] += outcome in outcomes
    return ScopePerformanceCard(
        measured_on=measured_on,
        interval_method="95 % Wilson score interval",
        shares=tuple(_share(*key, images[key[0]], number) for key, number in counted.items()),
        not_measured=NOT_MEASURED,
    )


def failures(performance: ScopePerformanceCard) -> list[str]:
    """Groups that miss a bar, and their figures."""
    return [
        f"missed: {share.images_of}, {share.outcome}: {share.counted} of {share.images}, the bar is {bar:.0%}"
        for share in performance.shares
        for bar in (_bar_of(share),)
        if bar is not None and not (share.share >= bar if share.is_wanted else share.share <= bar)
    ]


def _bar_of(share: ShareCard) -> float | None:
    """The share at least wanted, or at most borne; None where the issue sets no bar."""
    if not share.is_wanted:
        is_child_or_covid = share.images_of.startswith(("kermany", "covid"))
        return (MOST_FALSE_ELSEWHERE if is_child_or_covid else MOST_FALSE) if share.outcome == REFUSED else MOST_NOTED
    return LEAST_REFUSED if share.outcome == REFUSED else None


def _share(group: str, outcome: str, is_wanted: bool, images: int, counted: int) -> ShareCard:  # noqa: FBT001
    low, high = wilson(counted, images)
    return ShareCard(
        images_of=group,
        outcome=outcome,
        is_wanted=is_wanted,
        images=images,
        counted=counted,
        low=round(low, 4),
        high=round(high, 4),
    )


def wilson(counted: int, images: int) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    share, spread = counted / images, z * z / images
    middle = (share + spread / 2) / (1 + spread)
    half = z * ((share * (1 - share) / images + z * z / (4 * images * images)) ** 0.5) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
