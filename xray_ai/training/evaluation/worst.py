"""What is worst about a pack, in sentences: the first thing to know of it."""

from collections.abc import Iterator, Sequence

from xray_ai.inference.pack_card import IntervalCard
from xray_ai.training.evaluation.measured import AbnormalityFigures, Evaluation
from xray_ai.training.evaluation.scoring import FEWEST_POSITIVES

CHANCE = 0.5
SLOPES = (0.7, 1.3)
FEWEST_FINDINGS = 3  # a mean over fewer says little about a group
CERTAIN_P = 0.05


def what_is_worst(evaluation: Evaluation) -> tuple[str, ...]:
    """Name the weakest figure of each kind, and whatever is no better than chance."""
    return (
        *_findings(evaluation),
        *_subgroups(evaluation),
        *_shortcuts(evaluation.abnormality),
        *_calibration(evaluation),
        *_points(evaluation),
        *_disturbances(evaluation),
        *_losses(evaluation),
    )


def figure(interval: IntervalCard | None, digits: int = 3, sign: str = "") -> str:
    """Write a figure with its interval; `sign` is + where it is a difference."""
    if interval is None:
        return "-"
    value, low, high = (f"{part:{sign}.{digits}f}" for part in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


def percent(interval: IntervalCard | None, digits: int = 0) -> str:
    """Write a share with its interval."""
    if interval is None:
        return "-"
    value, low, high = (f"{100 * part:.{digits}f}" for part in (interval.value, interval.low, interval.high))
    return f"{value}\u00a0% ({low} to {high})"


def _findings(evaluation: Evaluation) -> Iterator[str]:
    told = [(one.auroc, one.name) for one in evaluation.findings if one.auroc is not None]
    lowest, name = min(told, key=lambda pair: pair[0].value)
    yield f"Lowest AUROC: {name}, {figure(lowest)}."
    chance = [name for auroc, name in told if auroc.low <= CHANCE]
    if chance:
        yield f"Not shown to be better than chance: {', '.join(chance)}."


def _subgroups(evaluation: Evaluation) -> Iterator[str]:
    wide = [(one.mean_auroc, one) for one in evaluation.subgroups if one.findings >= FEWEST_FINDINGS]
    means = [(mean, one) for mean, one in wide if mean is not None]
    if means:
        mean, one = min(means, key=lambda pair: pair[0].value)
        yield (
            f"Lowest mean AUROC of a group: {one.by} {one.group}, {figure(mean)} over {one.findings} findings;"
            f" all images {figure(evaluation.headline)}."
        )


def _shortcuts(rows: Sequence[AbnormalityFigures]) -> Iterator[str]:
    for row in rows:
        if row.pack and row.size_and_source and row.size_and_source.value >= row.pack.value:
            yield (
                f"Abnormality, {row.part}: image size and source alone reach an AUROC of"
                f" {figure(row.size_and_source)}, the pack {figure(row.pack)}."
            )


def _calibration(evaluation: Evaluation) -> Iterator[str]:
    low, high = SLOPES
    off = [f"{one.name} {one.slope.value:.2f}" for one in evaluation.calibration if not low <= one.slope.value <= high]
    if off:
        yield f"Calibration slope outside {low} to {high}: {', '.join(off)}."
    useless = [one.name for one in evaluation.calibration if one.brier_skill.value <= 0]
    if useless:
        yield f"Probabilities no better than the stated prevalence (Brier skill <= 0): {', '.join(useless)}."


def _points(evaluation: Evaluation) -> Iterator[str]:
    enough = [(one.sensitivity, one) for one in evaluation.points if one.positives >= FEWEST_POSITIVES]
    told = [(sensitivity, one) for sensitivity, one in enough if sensitivity is not None]
    if told:
        lowest, one = min(told, key=lambda pair: pair[0].value)
        yield f"Lowest sensitivity at an operating point: {one.name}, {percent(lowest)}."
    for level in evaluation.alerts[:1]:
        if level.ppv and level.sensitivity:
            yield (
                f"Of the studies lifted to {level.level}, {percent(level.ppv)} are so rightly;"
                f" of those that should be lifted, {percent(level.sensitivity)} are."
            )


def _disturbances(evaluation: Evaluation) -> Iterator[str]:
    changed = [(one.mean_auroc_change, one) for one in evaluation.robustness.disturbances]
    told = [(change, one) for change, one in changed if change is not None]
    if told:
        change, one = min(told, key=lambda pair: pair[0].value)
        yield f"Most harmful disturbance: {one.name}, mean AUROC {change.value:+.3f}."
    one = max(evaluation.robustness.disturbances, key=lambda one: one.flags_changed)
    yield f"Most flags changed: {one.name}, in {100 * one.flags_changed:.0f} % of images."


def _losses(evaluation: Evaluation) -> Iterator[str]:
    if evaluation.comparison is None:
        return
    lost = [
        f"{one.name} ({one.difference.value:+.3f})"
        for one in evaluation.comparison.findings
        if one.difference.value < 0 and one.delong_by_patient_p < CERTAIN_P
    ]
    if lost:
        yield f"Worse than the previous pack (p < {CERTAIN_P}): {', '.join(lost)}."
