"""The report for people: everything that evaluation.json says, as one page with plots."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from xray_ai.inference.pack_card import IntervalCard
from xray_ai.training.evaluation.measured import (
    EVALUATION_FILE,
    ComparisonFigures,
    Evaluation,
    FindingFigures,
    PackMeasured,
)
from xray_ai.training.evaluation.page import Markup, bullets, heads, page, paragraph, plots, section, table
from xray_ai.training.evaluation.plots import Scale, interval_cell, precision_recall_plot, roc_plot
from xray_ai.training.evaluation.report_at_prevalence import calibration_part, points_part
from xray_ai.training.evaluation.worst import figure, what_is_worst

REPORT_FILE = "report.html"
AUROC_RANGE = (0.4, 1.0)
CHANCE = 0.5
WORDS_OF_SPLIT = {
    "test": "Test patients: nothing was trained, calibrated or chosen on them.",
    "tune": "Tuning patients: calibration, points and choices were made on them, so these figures flatter.",
}


def write_evaluation(evaluation: Evaluation, folder: Path) -> Path:
    """Write evaluation.json and the report into `folder`; returns the report."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / EVALUATION_FILE).write_text(evaluation.as_json(), "utf-8")
    file = folder / REPORT_FILE
    file.write_text(report(evaluation), "utf-8")
    return file


def report(evaluation: Evaluation) -> str:
    """Write the page."""
    body = (
        *_head(evaluation),
        section("What is worst", "Read this before the rest.", bullets(what_is_worst(evaluation))),
        _findings(evaluation),
        *([_comparison(evaluation.comparison)] if evaluation.comparison else []),
        _subgroups(evaluation),
        _abnormality(evaluation),
        calibration_part(evaluation),
        points_part(evaluation),
        _robustness(evaluation),
        _refused(evaluation),
        section("Limits", "What the makers of the pack say of it.", bullets(evaluation.limits)),
        _how(evaluation),
    )
    return page(f"Evaluation of {evaluation.pack.name} {evaluation.pack.version}", body)


def _head(evaluation: Evaluation) -> Sequence[str]:
    pack = evaluation.pack
    return (
        Markup(f'<p class="research">{escape(evaluation.intended_use)}</p>'),
        Markup(f"<h1>{escape(pack.name)} {escape(pack.version)}: evaluation</h1>"),
        paragraph(f"Measured on {evaluation.measured_on}. {WORDS_OF_SPLIT.get(evaluation.split, '')}"),
        heads(_heads(evaluation)),
    )


def _heads(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    told = sum(finding.is_in_headline for finding in evaluation.findings)
    within = evaluation.abnormality_within_copies
    unseen = f"; size and source alone: {within.size_and_source.value:.3f}" if within.size_and_source else ""
    found = [
        (*_apart(evaluation.headline), f"mean AUROC over the {told} findings with at least 10 positives"),
        (*_apart(evaluation.mean_auroc), "mean AUROC over all findings"),
        (*_apart(evaluation.mean_average_precision), "mean AUPRC over the findings of the headline"),
        (*_apart(within.pack), f"AUROC of abnormality, mean within source copies{unseen}"),
        (f"{evaluation.images}", "images read", f"of {evaluation.patients} patients; {evaluation.not_read} refused"),
    ]
    if evaluation.comparison:
        pooled, previous = evaluation.comparison.pooled, evaluation.comparison.previous
        chances = (
            f"p = {pooled.delong_p:.2g} by DeLong, {pooled.delong_by_patient_p:.2g} with patients as clusters,"
            f" {pooled.bootstrap_p:.2g} by bootstrap"
        )
        against = f"mean AUROC against {previous.name} {previous.version}; {chances}"
        found.append((*_apart(pooled.difference, sign="+"), against))
    return found


def _auroc_cell(auroc: IntervalCard | None, reference: float = CHANCE) -> Markup:
    """Draw an AUROC beside a reference, orange where it is not shown to be better."""
    return interval_cell(auroc, Scale(*AUROC_RANGE, reference), is_bad=auroc is not None and auroc.low <= reference)


def _change_cell(change: IntervalCard | None, reach: float) -> Markup:
    """Draw a change, orange where it is shown to be for the worse."""
    return interval_cell(change, Scale(-reach, reach, 0.0), is_bad=change is not None and change.high < 0)


def _apart(interval: IntervalCard | None, sign: str = "") -> tuple[str, str]:
    if interval is None:
        return "-", ""
    value, low, high = (f"{part:{sign}.3f}" for part in (interval.value, interval.low, interval.high))
    return value, f"{low} to {high}"


def _findings(evaluation: Evaluation) -> Markup:
    rows = [
        (
            one.name,
            str(one.positives),
            figure(one.auroc),
            _auroc_cell(one.auroc),
            figure(one.average_precision),
            f"{one.positives / max(one.images, 1):.3f}",
        )
        for one in evaluation.findings
    ]
    drawn = [one for one in evaluation.findings if one.roc]
    return section(
        "Findings",
        "AUROC: the chance that an image with the finding scores higher than one without. The drawing goes from"
        f" {AUROC_RANGE[0]} to {AUROC_RANGE[1]:.0f}, its dashed line is chance; orange: not shown to be better than"
        " chance. AUPRC: mean precision over recall, as prevalent as here.",
        table(("finding", "positives", "AUROC (95 % interval)", "", "AUPRC (95 % interval)", "AUPRC of chance"), rows),
        plots([(roc_plot(one.roc), one.name, _auroc_words(one)) for one in drawn]),
        plots([(_precision_plot(one), one.name, _precision_words(one)) for one in drawn]),
    )


def _auroc_words(one: FindingFigures) -> str:
    return f"AUROC {one.auroc.value:.3f}" if one.auroc else ""


def _precision_plot(one: FindingFigures) -> Markup:
    return precision_recall_plot(one.precision_recall, one.positives / max(one.images, 1))


def _precision_words(one: FindingFigures) -> str:
    return f"AUPRC {one.average_precision.value:.3f}" if one.average_precision else ""


def _comparison(comparison: ComparisonFigures) -> Markup:
    previous = comparison.previous
    named = [("all of them, mean", "", comparison.pooled)]
    if comparison.pooled_without_small_copies:
        named.append(("the same without 300 px copies", "", comparison.pooled_without_small_copies))
    named += [(one.name, str(one.positives), one) for one in comparison.findings]
    reach = max(abs(end) for _, _, one in named for end in (one.difference.low, one.difference.high))
    rows = [
        (
            name,
            positives,
            f"{one.previous_auroc:.3f}",
            f"{one.auroc:.3f}",
            figure(one.difference, sign="+"),
            _change_cell(one.difference, reach),
            f"{one.delong_p:.2g}",
            f"{one.delong_by_patient_p:.2g}",
            f"{one.bootstrap_p:.2g}",
        )
        for name, positives, one in named
    ]
    return section(
        f"Against {previous.name} {previous.version}",
        f"On the {comparison.images} images of {comparison.patients} patients that both packs read; findings with at"
        " least 10 positives. The first p takes images as independent, the second lets images of one patient go"
        " together, the third is a paired bootstrap by patient. No p is corrected for the number of findings: only the"
        " first row is a test, the others say where the difference comes from. Orange: worse.",
        table(
            (
                "finding",
                "positives",
                "AUROC before",
                "now",
                "difference (95 % interval)",
                "",
                "p, DeLong",
                "p, by patient",
                "p, bootstrap",
            ),
            rows,
        ),
    )


def _subgroups(evaluation: Evaluation) -> Markup:
    rows: list[Sequence[str]] = []
    for by, group in groupby(evaluation.subgroups, key=lambda one: one.by):
        rows.append((by,))
        rows += [
            (
                one.group,
                str(one.images),
                str(one.patients),
                str(one.positives),
                str(one.findings),
                figure(one.mean_auroc),
                _auroc_cell(one.mean_auroc),
                figure(one.abnormality),
                _auroc_cell(one.abnormality),
            )
            for one in group
        ]
    return section(
        "Subgroups",
        "The mean is over the findings with at least 10 positives in the group, so that groups are means of different"
        " findings: compare abnormality first. Drawn as above.",
        table(
            ("group", "images", "patients", "with any finding", "findings", "mean AUROC", "", "abnormality", ""), rows
        ),
    )


def _abnormality(evaluation: Evaluation) -> Markup:
    rows = [
        (
            one.part,
            str(one.images),
            str(one.positives),
            figure(one.pack),
            _auroc_cell(one.pack, one.size_and_source.value if one.size_and_source else CHANCE),
            figure(one.size_alone),
            figure(one.size_and_source),
        )
        for one in (evaluation.abnormality_within_copies, *evaluation.abnormality)
    ]
    return section(
        "Abnormality beside what sees no pixel",
        "AUROC of abnormality. Beside it two classifiers that know only the size of the image, or its size, source and"
        " source copy, as learnt from training patients. What they reach, a pack can reach without looking at a chest."
        " The drawing's dashed line is size and source; orange: not shown to be better than that.",
        table(("part", "images", "with any finding", "the pack", "", "size alone", "size and source"), rows),
    )


def _robustness(evaluation: Evaluation) -> Markup:
    robustness = evaluation.robustness
    changes = [one.mean_auroc_change for one in robustness.disturbances if one.mean_auroc_change]
    reach = max((abs(end) for one in changes for end in (one.low, one.high)), default=1.0)
    rows = [
        (
            one.name,
            figure(one.mean_auroc_change, sign="+"),
            _change_cell(one.mean_auroc_change, reach),
            f"{one.mean_probability_change:.3f}",
            f"{100 * one.flags_changed:.0f} %",
            str(one.refused),
        )
        for one in robustness.disturbances
    ]
    return section(
        "Robustness",
        f"{robustness.images} of the images, as many of each source as there are, read again after each change; mean"
        f" AUROC over {robustness.findings} findings, unchanged {figure(robustness.mean_auroc)}. Left of the dashed"
        " line is worse; orange: shown to be worse.",
        table(
            (
                "change",
                "change of mean AUROC",
                "",
                "mean change of a probability",
                "images with other flags",
                "refused",
            ),
            rows,
        ),
    )


def _refused(evaluation: Evaluation) -> Markup:
    asked = evaluation.images + evaluation.not_read
    rows = [
        (reason, str(count), f"{100 * count / asked:.2f} %") for reason, count in sorted(evaluation.refused.items())
    ]
    text = f"Of {asked} frontal chest radiographs, {evaluation.not_read} were refused and are in no other figure."
    return section("Refused images", text, *([table(("reason", "images", "share"), rows)] if rows else []))


def _how(evaluation: Evaluation) -> Markup:
    return section(
        "How it was measured",
        f"Through the reader that serves. Intervals: {evaluation.interval_method}. What each figure means:"
        " docs/evaluation.md.",
        paragraph(_identity("pack", evaluation.pack), "soft digest"),
        *(
            [paragraph(_identity("previous pack", evaluation.comparison.previous), "soft digest")]
            if evaluation.comparison
            else []
        ),
        paragraph(f"scope check: {evaluation.scope or 'none'}", "soft digest"),
        paragraph(f"cohort: SHA-256 {evaluation.cohort_sha256}, split {evaluation.split}", "soft digest"),
    )


def _identity(role: str, pack: PackMeasured) -> str:
    return f"{role}: {pack.name} {pack.version}, pack.json SHA-256 {pack.digest}, scoring SHA-256 {pack.scoring_sha256}"
