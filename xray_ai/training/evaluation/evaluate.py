"""How a pack does on patients that nothing was trained on, through the serving reader."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xray_ai.inference.pack_card import FindingCard
from xray_ai.inference.reader import Reader
from xray_ai.training.calibrate import raking_weights
from xray_ai.training.datasets.cohort import Cohort, CohortImage, Split
from xray_ai.training.evaluation import calibration_measures as calibration
from xray_ai.training.evaluation.bootstrap import RESAMPLES, Resamples, certain, interval, mean_of
from xray_ai.training.evaluation.comparison import compare
from xray_ai.training.evaluation.measured import (
    AlertFigures,
    CalibrationFigures,
    ComparisonFigures,
    Evaluation,
    FindingFigures,
    PackMeasured,
    PointFigures,
)
from xray_ai.training.evaluation.operating import alert_figures, point_figures
from xray_ai.training.evaluation.ranking import (
    auroc,
    average_precision,
    mean_auroc,
    precision_recall_curve,
    roc_curve,
)
from xray_ai.training.evaluation.robustness import DISTURBANCES, robustness_figures
from xray_ai.training.evaluation.scoring import FloatArray, Scored, score_images, scoring_digest
from xray_ai.training.evaluation.shortcut import abnormality_figures, is_small_copy
from xray_ai.training.evaluation.subgroups import subgroup_figures
from xray_ai.triage import TriagePolicy


@dataclass(frozen=True, slots=True)
class Examination:
    """On what, and by which rules, packs are measured."""

    cohort: Cohort
    split: Split
    measured_on: str  # in words
    policy: TriagePolicy
    seed: int


@dataclass(frozen=True, slots=True)
class StatedFigures:
    """What holds at the stated prevalence only."""

    calibration: tuple[CalibrationFigures, ...]
    points: tuple[PointFigures, ...]
    alerts: tuple[AlertFigures, ...]


def evaluate(reader: Reader, examination: Examination, previous: Reader | None = None) -> Evaluation:
    """Measure a pack, beside the previous one where it is given."""
    cohort, seed, scope = examination.cohort, examination.seed, reader.scope_identity
    images = cohort.of(examination.split)
    scored = score_images(reader, images, cohort.finding_keys)
    resamples = Resamples.draw(scored.patients, seed)
    card_of = {card.key: card for card in reader.pack.card.findings}
    cards = tuple(card_of[key] for key in cohort.finding_keys)
    names = [card.name for card in cards]
    abnormality, within_copies = abnormality_figures(scored, cohort.of(Split.TRAIN), resamples, seed)
    stated = stated_figures(scored, cards, examination.policy, resamples)
    return Evaluation(
        schema_version=1,
        pack=_pack(reader),
        scope=None if scope is None else f"{scope.name} {scope.version} {scope.digest}",
        intended_use=reader.pack.card.intended_use,
        limits=reader.pack.card.limits,
        split=examination.split.value,
        measured_on=examination.measured_on,
        cohort_sha256=cohort.digest(),
        images=len(scored.images),
        patients=len(set(scored.patients)),
        refused=dict(scored.refused),
        interval_method=f"95 % percentile bootstrap over patients, {RESAMPLES} resamples, seed {seed}",
        headline=certain(interval(mean_auroc(scored, resamples, scored.frequent))),
        mean_auroc=certain(interval(mean_auroc(scored, resamples, scored.findings))),
        mean_average_precision=certain(interval(_mean_average_precision(scored, resamples))),
        findings=tuple(_finding(scored, k, name, resamples) for k, name in enumerate(names)),
        subgroups=subgroup_figures(scored, resamples),
        abnormality=abnormality,
        abnormality_within_copies=within_copies,
        calibration=stated.calibration,
        points=stated.points,
        alerts=stated.alerts,
        robustness=robustness_figures(reader, scored, cards, seed, DISTURBANCES),
        comparison=None if previous is None else _compared(scored, previous, images, names, seed),
    )


def _compared(
    scored: Scored, previous: Reader, images: Sequence[CohortImage], names: Sequence[str], seed: int
) -> ComparisonFigures:
    theirs = score_images(previous, images, scored.keys)
    return compare(scored, theirs, _pack(previous), names, seed, is_small_copy(scored.images))


def stated_figures(
    scored: Scored, cards: Sequence[FindingCard], policy: TriagePolicy, resamples: Resamples
) -> StatedFigures:
    """Measure what depends on how frequent findings are; `cards` are those of the columns."""
    prevalence = np.array([card.stated_prevalence for card in cards])
    stated = resamples.times(raking_weights(np.nan_to_num(scored.labels), prevalence))
    calibrations = []
    for k, card in enumerate(cards):
        known = ~np.isnan(scored.labels[:, k])
        if scored.positives(k) >= calibration.FEWEST_POSITIVES:
            labels, probabilities = scored.labels[known, k], scored.probabilities[known, k]
            calibrations.append(calibration.calibration_figures(card, labels, probabilities, stated.of(known)))
    return StatedFigures(
        calibration=tuple(calibrations),
        points=tuple(
            point_figures(card, scored.labels[:, k], scored.probabilities[:, k], stated) for k, card in enumerate(cards)
        ),
        alerts=alert_figures(scored, cards, policy, stated),
    )


def _finding(scored: Scored, column: int, name: str, resamples: Resamples) -> FindingFigures:
    labels, scores = scored.labels[:, column], scored.probabilities[:, column]
    return FindingFigures(
        key=scored.keys[column],
        name=name,
        images=int((~np.isnan(labels)).sum()),
        positives=scored.positives(column),
        auroc=interval(auroc(labels, scores, resamples.weights)),
        average_precision=interval(average_precision(labels, scores, resamples.weights)),
        is_in_headline=column in scored.frequent,
        roc=roc_curve(labels, scores),
        precision_recall=precision_recall_curve(labels, scores),
    )


def _mean_average_precision(scored: Scored, resamples: Resamples) -> FloatArray:
    figures = [
        average_precision(scored.labels[:, k], scored.probabilities[:, k], resamples.weights) for k in scored.frequent
    ]
    return mean_of(np.stack(figures, axis=1))


def _pack(reader: Reader) -> PackMeasured:
    pack = reader.pack
    network = hashlib.sha256(pack.network.read_bytes()).hexdigest()
    return PackMeasured(
        name=pack.identity.name,
        version=pack.identity.version,
        digest=pack.identity.digest,
        scoring_sha256=scoring_digest(pack.card, network),
    )
