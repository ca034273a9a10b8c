"""Where the heatmaps of positive calls lie: the share of their energy inside the lungs and heart, against chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xray_ai.domain.finding import ABNORMALITY, Score
from xray_ai.domain.reading import Heatmap, SourceBox
from xray_ai.imaging.overlay import FAINTEST_SHOWN, in_source_pixels
from xray_ai.training.datasets.cohort import CohortImage
from xray_ai.training.evaluation.bootstrap import Resamples, certain, interval, ratio
from xray_ai.training.evaluation.scoring import FloatArray, Mask
from xray_ai.training.localisation.lung_region import SIDE_PX, Frame
from xray_ai.training.localisation.measured import Outside, PlaceFigures

FRAME = SourceBox(0.0, 0.0, SIDE_PX, SIDE_PX)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One finding that was called present on one image."""

    image: CohortImage
    score: Score
    is_labelled: bool
    heatmap: Heatmap
    region: Frame  # lungs and heart, in the heatmap's box

    @property
    def strength(self) -> float:
        return self.score.probability / self.score.operating_point

    @property
    def inside(self) -> float:
        return float((energy_of(self.heatmap) * self.region).sum())


def energy_of(heatmap: Heatmap, faintest: float = FAINTEST_SHOWN) -> Frame:
    """Spread a heatmap over the frame of its box as the service draws it; what is too faint to be drawn counts nothing.

    A box keeps its shares when it is laid on the source, so that they can be measured in its frame.

    Shape:  (h, w) -> (SIDE_PX, SIDE_PX).
    Units:  share of the whole map's energy in each cell; they sum to 1.0.
    """
    heat = in_source_pixels(replace(heatmap, box=FRAME), SIDE_PX, SIDE_PX)
    shown = np.where(heat >= faintest, heat, 0.0)
    return np.asarray(shown / shown.sum(), np.float32)


def outside_of(energy: Frame, region: Frame) -> Outside:
    """Tell where the energy outside lies, column by column: above the region, below it, or neither."""
    out = energy * (1.0 - region)
    inside = region > 0
    above = ~np.logical_or.accumulate(inside, axis=0) & inside.any(axis=0)
    below = ~np.logical_or.accumulate(inside[::-1], axis=0)[::-1] & inside.any(axis=0)
    parts = [float(out[part].sum()) for part in (above, below, ~(above | below))]
    return Outside(above=round(parts[0], 3), below=round(parts[1], 3), beside=round(parts[2], 3))


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """What was measured of each call: (N,) each."""

    findings: NDArray[np.str_]
    patients: NDArray[np.str_]
    is_labelled: Mask
    inside: FloatArray  # share of the energy
    inside_uncut: FloatArray  # the same of all positive values, also those too faint to be drawn
    by_area: FloatArray  # the region's share of what the map covers: where an even map would lie
    by_others: FloatArray  # the share inside of other patients' maps of this finding, laid here; NaN without any

    @classmethod
    def of(cls, calls: Sequence[Call]) -> "Places":
        findings = np.array([call.heatmap.finding for call in calls])
        patients = np.array([call.image.patient_id for call in calls])
        energies = np.stack([energy_of(call.heatmap).ravel() for call in calls])
        uncut = np.stack([energy_of(call.heatmap, faintest=0.0).ravel() for call in calls])
        regions = np.stack([call.region.ravel() for call in calls])
        return cls(
            findings=findings,
            patients=patients,
            is_labelled=np.array([call.is_labelled for call in calls]),
            inside=(energies * regions).sum(axis=1, dtype=np.float64),
            inside_uncut=(uncut * regions).sum(axis=1, dtype=np.float64),
            by_area=regions.mean(axis=1, dtype=np.float64),
            by_others=_inside_of_others(findings, patients, energies, regions),
        )


def _inside_of_others(
    findings: NDArray[np.str_], patients: NDArray[np.str_], energies: NDArray[np.float32], regions: NDArray[np.float32]
) -> FloatArray:
    """Mean over other patients' maps of the same finding: (N,), (N,), (N, pixels), (N, pixels) -> (N,)."""
    inside = np.full(len(findings), np.nan)
    for finding in np.unique(findings):
        of_it = findings == finding
        is_other = (patients[of_it][:, None] != patients[of_it]).astype(np.float64)
        laid = (regions[of_it] @ energies[of_it].T) * is_other
        inside[of_it] = ratio(laid.sum(axis=1), is_other.sum(axis=1))
    return inside


def figures_of(places: Places, seed: int) -> tuple[PlaceFigures, ...]:
    """Figures of all findings together, of the calls that the label confirms and of the others, and of each finding."""
    is_finding = places.findings != ABNORMALITY
    groups = {
        "all findings": is_finding,
        "all findings, label yes": is_finding & places.is_labelled,
        "all findings, label no": is_finding & ~places.is_labelled,
    }
    groups |= {str(key): places.findings == key for key in np.unique(places.findings)}
    return tuple(_figures(name, places, chosen, seed) for name, chosen in groups.items() if chosen.any())


def _figures(name: str, places: Places, chosen: Mask, seed: int) -> PlaceFigures:
    """Means over calls, with intervals by patient."""
    resamples = Resamples.draw(places.patients[chosen], seed)

    def mean(values: FloatArray) -> FloatArray:
        known = ~np.isnan(values[chosen])
        return ratio(resamples.weights @ np.where(known, values[chosen], 0.0), resamples.weights @ known)

    others = mean(places.by_others)
    return PlaceFigures(
        of=name,
        calls=int(chosen.sum()),
        patients=len(np.unique(places.patients[chosen])),
        inside=certain(interval(mean(places.inside))),
        inside_uncut=certain(interval(mean(places.inside_uncut))),
        by_area=certain(interval(mean(places.by_area))),
        by_others=interval(others),
        above_area=certain(interval(mean(places.inside - places.by_area))),
        above_others=interval(mean(places.inside - places.by_others)),
    )
