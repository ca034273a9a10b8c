"""The measure from the data to its figures: read, find the regions, count, and choose twelve cases by rank."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.domain.reading import Reading
from xray_ai.errors import StudyRejected
from xray_ai.imaging.grayscale import PLAIN
from xray_ai.imaging.grey_file import open_grey_file
from xray_ai.imaging.overlay import FAINTEST_SHOWN
from xray_ai.imaging.preprocess import prepare
from xray_ai.inference.reader import Reader
from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.evaluation.bootstrap import RESAMPLES
from xray_ai.training.localisation.energy import Call, Places, energy_of, figures_of, outside_of
from xray_ai.training.localisation.lung_region import (
    Atlas,
    Frame,
    drawn_by_hand,
    name_of,
    region_within,
    survey_of,
)
from xray_ai.training.localisation.measured import Agreement, CaseFigures, Localisation

ENOUGH_DICE = 0.85
OF_A_KIND = 4
CASES = 3 * OF_A_KIND


@dataclass(frozen=True, slots=True, eq=False)
class ReadImage:
    """One image, what the pack says of it, and how it looks in the frame that heatmaps cover."""

    image: CohortImage
    reading: Reading
    survey: Frame
    region: Frame | None  # where it was drawn by hand

    def calls(self, region: Frame, keys: Sequence[str]) -> list[Call]:
        """All findings called present; a map that is empty by rounding is left out."""
        labels = dict(zip(keys, self.image.labels, strict=True))
        return [
            Call(self.image, score, labels.get(score.finding.key) == 1.0, heatmap, region)
            for score, heatmap in zip(self.reading.scores, self.reading.heatmaps, strict=True)
            if score.is_positive and heatmap.values.any()
        ]


def measure(reader: Reader, cohort: Cohort, seed: int) -> tuple[Localisation, tuple[Call, ...]]:
    """Measure a pack on tuning patients, and give the calls of the twelve cases too."""
    images = cohort.of(Split.TUNE)
    read = read_all(reader, images)
    drawn = [(one, one.region) for one in read if one.region is not None]
    atlas = Atlas(np.stack([one.survey for one, _ in drawn]), np.stack([region for _, region in drawn]))
    agreement = _agreement(atlas.agreement())
    by_hand = [call for one, region in drawn for call in one.calls(region, cohort.finding_keys)]
    everywhere = _calls_everywhere(read, atlas, cohort.finding_keys) if agreement.is_enough else []
    cases = twelve_of(by_hand)
    identity = reader.pack.identity
    return Localisation(
        pack=identity.name,
        version=identity.version,
        pack_sha256=identity.digest,
        measured_on="tuning patients of NIH ChestX-ray14 as in the data's manifest, sharp and 128 px",
        interval_method=f"95 % percentile bootstrap over patients, {RESAMPLES} resamples, seed {seed}",
        faintest_shown=FAINTEST_SHOWN,
        images_drawn=len(drawn),
        images_all=len(read),
        not_read=len(images) - len(read),
        agreement=agreement,
        drawn_by_hand=figures_of(Places.of(by_hand), seed),
        carried_over=figures_of(Places.of(everywhere), seed) if everywhere else (),
        cases=tuple(_case(call) for call in cases),
    ), cases


def read_all(reader: Reader, images: Sequence[CohortImage]) -> list[ReadImage]:
    """Read every image as the service would, and leave out what it refuses."""
    outlines, read = drawn_by_hand(), []
    for image in tqdm(images, "read", unit="image", mininterval=5, disable=None):
        stored = open_grey_file(image.path)
        try:
            reading = reader.read(stored, PLAIN)
        except StudyRejected:
            continue
        prepared = prepare(stored, PLAIN, reader.recipe)
        known = outlines.get(name_of(image))
        region = region_within(known, prepared.box, stored.rows, stored.columns) if known else None
        read.append(ReadImage(image, reading, survey_of(prepared.grey), region))
    return read


def twelve_of(calls: Sequence[Call]) -> tuple[Call, ...]:
    """Choose by rank: of each image its strongest call, of these the four best, four middle and four worst placed.

    Strongest is the highest probability by operating point; placed by the share of energy inside. Where fewer than
    twelve images have a call, their second strongest count too, and so on.
    """
    of_image: dict[str, list[Call]] = {}
    for call in sorted(calls, key=lambda call: call.strength, reverse=True):
        if call.heatmap.finding != ABNORMALITY:
            of_image.setdefault(name_of(call.image), []).append(call)
    chosen: list[Call] = []
    for turn in zip_longest(*of_image.values()):
        if len(chosen) < CASES:
            chosen.extend(call for call in turn if call is not None)
    ranked = sorted(chosen, key=lambda call: call.inside, reverse=True)
    best, rest = ranked[:OF_A_KIND], ranked[OF_A_KIND:]
    skipped = max((len(ranked) - CASES) // 2, 0)
    return (*best, *rest[skipped : skipped + OF_A_KIND], *rest[OF_A_KIND:][-OF_A_KIND:])


def _calls_everywhere(read: Sequence[ReadImage], atlas: Atlas, keys: Sequence[str]) -> list[Call]:
    calls = []
    for one in tqdm(read, "find lungs", unit="image", mininterval=5, disable=None):
        if any(score.is_positive for score in one.reading.scores):
            region = atlas.carried_to(one.survey) if one.region is None else one.region
            calls.extend(one.calls(region, keys))
    return calls


def _agreement(dices: NDArray[np.float64]) -> Agreement:
    mean, median, lowest = (round(float(part), 3) for part in (dices.mean(), np.median(dices), dices.min()))
    return Agreement(
        images=len(dices),
        mean_dice=mean,
        median_dice=median,
        lowest_dice=lowest,
        is_enough=bool(dices.mean() >= ENOUGH_DICE),
    )


def _case(call: Call) -> CaseFigures:
    return CaseFigures(
        image=name_of(call.image),
        view=call.image.view,
        finding=call.score.finding.name,
        probability=round(call.score.probability, 3),
        operating_point=round(call.score.operating_point, 3),
        is_labelled=call.is_labelled,
        inside=round(call.inside, 3),
        by_area=round(float(call.region.mean()), 3),
        outside=outside_of(energy_of(call.heatmap), call.region),
    )
