"""The report's parts that hold at the stated prevalence: calibration, points and alerts."""

from xray_ai.training.evaluation.measured import Evaluation
from xray_ai.training.evaluation.page import Markup, plots, section, table
from xray_ai.training.evaluation.plots import reliability_plot
from xray_ai.training.evaluation.worst import figure, percent


def calibration_part(evaluation: Evaluation) -> Markup:
    rows = [
        (
            one.name,
            str(one.positives),
            _share(one.stated_prevalence),
            _share(one.mean_probability),
            figure(one.slope, 2),
            figure(one.intercept, 2),
            f"{one.brier:.4f}",
            figure(one.brier_skill),
            f"{one.adaptive_ece:.3f}",
        )
        for one in evaluation.calibration
    ]
    drawn = [
        (reliability_plot(one), one.name, f"slope {one.slope.value:.2f}, ECE {one.adaptive_ece:.3f}")
        for one in evaluation.calibration
    ]
    return section(
        "Calibration",
        "Findings with at least 30 positives, images weighed so that each finding is as frequent as stated. Slope 1"
        " and intercept 0 are perfect; a slope below 1 is too sure of itself. Brier skill: share of the error of"
        " saying the prevalence every time that the pack saves; 0 or less is useless. In the diagrams each point is a"
        " tenth of the weight with its 95 % interval; grey bars are counts of images.",
        table(
            (
                "finding",
                "positives",
                "stated prevalence",
                "mean probability",
                "slope",
                "intercept",
                "Brier",
                "Brier skill",
                "adaptive ECE",
            ),
            rows,
        ),
        plots(drawn),
    )


def points_part(evaluation: Evaluation) -> Markup:
    """Tell operating points, rule-out points, and how often studies are lifted."""
    return section(
        "Operating points and alerts",
        "At the stated prevalence; an image counts as a study. Present: at or above the operating point. Absent: below"
        " the rule-out point; some findings are never ruled out.",
        _operating_table(evaluation),
        _rule_out_table(evaluation),
        _alert_table(evaluation),
    )


def _operating_table(evaluation: Evaluation) -> Markup:
    names = ("finding", "prevalence", "present from", "sensitivity", "specificity", "PPV", "NPV", "alerts per 100")
    rows = [
        (
            one.name,
            _share(one.stated_prevalence),
            f"{one.operating_point:.3f}",
            percent(one.sensitivity, 1),
            percent(one.specificity, 1),
            percent(one.ppv, 1),
            percent(one.npv, 1),
            figure(one.alerts_per_100, 1),
        )
        for one in evaluation.points
    ]
    return table(names, rows)


def _rule_out_table(evaluation: Evaluation) -> Markup:
    rows = [
        (
            one.name,
            f"{one.rule_out_point:.3f}" if one.rule_out_point else "never",
            percent(one.rule_out_sensitivity, 1),
            percent(one.rule_out_npv, 1),
            figure(one.ruled_out_per_100, 1),
        )
        for one in evaluation.points
    ]
    return table(("finding", "absent below", "sensitivity kept", "NPV below", "ruled out per 100"), rows)


def _alert_table(evaluation: Evaluation) -> Markup:
    rows = [
        (
            level.level,
            ", ".join(level.keys),
            figure(level.alerts_per_100, 1),
            percent(level.sensitivity, 1),
            percent(level.ppv, 1),
        )
        for level in evaluation.alerts
    ]
    return table(("lifted to", "by", "studies per 100", "sensitivity", "PPV"), rows)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
