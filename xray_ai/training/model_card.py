"""The human's card of a pack, generated from the machine's."""

from xray_ai.inference.pack_card import FindingCard, PackCard
from xray_ai.training.evaluation.measured import Evaluation
from xray_ai.training.lineage import lineage_section
from xray_ai.training.model_card_figures import measured_performance, stated_performance
from xray_ai.training.model_card_networks import stated_networks

SOURCES = (
    "Images: NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC. Wang X, Peng Y, Lu L, Lu Z,"
    " Bagheri M, Summers RM. ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks. CVPR 2017."
)


def model_card(card: PackCard, evaluation: Evaluation | None) -> str:
    """Write MODEL_CARD.md from pack.json and evaluation.json, so that they cannot disagree."""
    parts = (
        _head(card),
        _performance(card, evaluation),
        _points(card),
        stated_networks(card),
        _limits(card),
        lineage_section(card.lineage, SOURCES),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _head(card: PackCard) -> list[str]:
    acceptance = card.acceptance
    return [
        f"# {card.name} {card.version}",
        "",
        f"**{card.intended_use}**",
        "",
        f"Licence: {card.licence}",
        "",
        "## What it reads",
        "",
        (
            f"Frontal chest radiographs (views {', '.join(sorted(acceptance.view_positions))}), modalities"
            f" {', '.join(sorted(acceptance.modalities))}, ages {acceptance.youngest_age_years:g} to"
            f" {acceptance.oldest_age_years:g} years, at {card.preprocessing.rows} x {card.preprocessing.columns} px."
        ),
        "",
    ]


def _performance(card: PackCard, evaluation: Evaluation | None) -> list[str]:
    if card.performance is None:
        return ["## Performance", "", "Not measured yet.", ""]
    measured = measured_performance(evaluation) if evaluation else []
    return [*stated_performance(card, card.performance), *measured]


def _points(card: PackCard) -> list[str]:
    return [
        "## Operating points",
        "",
        f"Aim: {card.operating_point_aim} Set on: {card.operating_points_set_on}",
        "",
        "| finding | stated prevalence | present from | absent below | alerts per 100 studies |",
        "|---|---|---|---|---|",
        *(_point(finding) for finding in card.findings),
        "",
        (
            "Between the two points the word is 'undetermined'. 'never' means that the tuning patients had too few"
            " positives to say where the finding is ruled out."
        ),
        "",
    ]


def _limits(card: PackCard) -> list[str]:
    return ["## Limits", "", *(f"- {limit}" for limit in card.limits), ""]


def _point(finding: FindingCard) -> str:
    rule_out = f"{finding.rule_out_point:.3f}" if finding.rule_out_point else "never"
    return (
        f"| {finding.name} | {finding.stated_prevalence:.1%} | {finding.operating_point:.3f} | {rule_out}"
        f" | {100 * finding.expected_alert_share:.1f} |"
    )
