"""The model card's measured part: what evaluation.json says, for people."""

from collections.abc import Iterator, Sequence

from xray_ai.inference.pack_card import PackCard, PerformanceCard
from xray_ai.training.evaluation.measured import ComparisonFigures, DifferenceFigures, Evaluation
from xray_ai.training.evaluation.worst import figure, percent, what_is_worst

Rows = Sequence[Sequence[str]]


def stated_performance(card: PackCard, performance: PerformanceCard) -> list[str]:
    """Tell what pack.json says by itself."""
    rows = [
        (finding.name, figure(performance.auroc[finding.key]), str(performance.auroc[finding.key].positives))
        for finding in card.findings
        if finding.key in performance.auroc
    ]
    means = [f"**Mean AUROC over the findings: {figure(performance.mean_auroc)}**"]
    if performance.headline is not None:
        means = [
            f"**Mean AUROC over findings with at least 10 positives: {figure(performance.headline)}**",
            "",
            f"Mean AUROC over all findings: {figure(performance.mean_auroc)}",
        ]
    return [
        "## Performance",
        "",
        (
            f"Measured on {performance.measured_on}: {performance.images} images of {performance.patients} patients;"
            f" {performance.not_read} more were refused before scoring. {performance.interval_method}."
        ),
        "",
        *means,
        "",
        *_table(("finding", "AUROC (95 % interval)", "positives"), rows),
    ]


def measured_performance(evaluation: Evaluation) -> list[str]:
    """Tell the rest of the evaluation, the worst first."""
    return [
        "### What is worst",
        "",
        *(f"- {sentence}" for sentence in what_is_worst(evaluation)),
        "",
        *_subgroups(evaluation),
        *_abnormality(evaluation),
        *_calibration(evaluation),
        *_points(evaluation),
        *_robustness(evaluation),
        *(_comparison(evaluation.comparison) if evaluation.comparison else []),
        *_refused(evaluation),
    ]


def _subgroups(evaluation: Evaluation) -> list[str]:
    rows = [
        (
            f"{one.by}: {one.group}",
            str(one.images),
            str(one.positives),
            f"{figure(one.mean_auroc)} of {one.findings}" if one.mean_auroc else "-",
            figure(one.abnormality),
        )
        for one in evaluation.subgroups
    ]
    return [
        "### Subgroups",
        "",
        "The mean is over the findings with at least 10 positives in the group, which differ from group to group.",
        "",
        *_table(("group", "images", "with any finding", "mean AUROC, of so many findings", "abnormality"), rows),
    ]


def _abnormality(evaluation: Evaluation) -> list[str]:
    rows = [
        (one.part, str(one.images), figure(one.pack), figure(one.size_alone), figure(one.size_and_source))
        for one in (evaluation.abnormality_within_copies, *evaluation.abnormality)
        if one.pack
    ]
    return [
        "### Abnormality beside classifiers that see no pixel",
        "",
        *_table(("part", "images", "this pack", "image size alone", "size and source"), rows),
    ]


def _calibration(evaluation: Evaluation) -> list[str]:
    rows = [
        (
            one.name,
            f"{one.stated_prevalence:.1%}",
            figure(one.slope, 2),
            figure(one.intercept, 2),
            figure(one.brier_skill),
            f"{one.adaptive_ece:.3f}",
        )
        for one in evaluation.calibration
    ]
    return [
        "### Calibration",
        "",
        "At the stated prevalence, findings with at least 30 positives.",
        "",
        *_table(("finding", "stated prevalence", "slope", "intercept", "Brier skill", "adaptive ECE"), rows),
    ]


def _points(evaluation: Evaluation) -> list[str]:
    rows = [
        (
            one.name,
            percent(one.sensitivity),
            percent(one.specificity),
            percent(one.ppv),
            percent(one.npv),
            figure(one.alerts_per_100, 1),
            percent(one.rule_out_sensitivity),
        )
        for one in evaluation.points
    ]
    heads = ("finding", "sensitivity", "specificity", "PPV", "NPV", "alerts per 100", "sensitivity kept by rule-out")
    lifted = [
        (level.level, figure(level.alerts_per_100, 1), percent(level.sensitivity), percent(level.ppv))
        for level in evaluation.alerts
    ]
    return [
        "### Operating characteristics",
        "",
        "At the stated prevalence and the points below; an image counts as a study.",
        "",
        *_table(heads, rows),
        *_table(("lifted to", "studies per 100", "sensitivity", "PPV"), lifted),
    ]


def _robustness(evaluation: Evaluation) -> list[str]:
    rows = [
        (
            one.name,
            figure(one.mean_auroc_change, sign="+"),
            f"{one.mean_probability_change:.3f}",
            f"{one.flags_changed:.0%}",
        )
        for one in evaluation.robustness.disturbances
    ]
    return [
        "### Robustness",
        "",
        f"{evaluation.robustness.images} images, read again after each change.",
        "",
        *_table(("change", "change of mean AUROC", "of a probability", "images with other flags"), rows),
    ]


def _comparison(comparison: ComparisonFigures) -> list[str]:
    previous = comparison.previous
    rows = [
        (
            name,
            f"{one.previous_auroc:.3f}",
            f"{one.auroc:.3f}",
            figure(one.difference, sign="+"),
            f"{one.delong_by_patient_p:.2g}",
        )
        for name, one in _named(comparison)
    ]
    pooled = comparison.pooled
    return [
        f"### Against {previous.name} {previous.version}",
        "",
        (
            f"On {comparison.images} images that both read. Mean AUROC: p = {pooled.delong_p:.2g} by DeLong with images"
            f" independent, {pooled.delong_by_patient_p:.2g} with patients as clusters, {pooled.bootstrap_p:.2g} by"
            " paired bootstrap. The p of the table are with patients as clusters."
        ),
        "",
        *_table(("finding", "AUROC before", "now", "difference", "p"), rows),
    ]


def _named(comparison: ComparisonFigures) -> Iterator[tuple[str, DifferenceFigures]]:
    yield "mean", comparison.pooled
    if comparison.pooled_without_small_copies:
        yield "mean without the 300 px copies", comparison.pooled_without_small_copies
    yield from ((one.name, one) for one in comparison.findings)


def _refused(evaluation: Evaluation) -> list[str]:
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(evaluation.refused.items()))
    return ["### Refused", "", f"{evaluation.not_read} images: {reasons}." if reasons else "None.", ""]


def _table(heads: Sequence[str], rows: Rows) -> list[str]:
    lines = (f"| {' | '.join(row)} |" for row in rows)
    return [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads), *lines, ""]
