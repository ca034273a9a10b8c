"""The human's card of a scope pack, generated from the machine's."""

from xray_ai.inference.scope_card import ScopeCard, ShareCard
from xray_ai.training.lineage import lineage_section

SOURCES = (
    "Images: NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC. Wang X, Peng Y, Lu L, Lu Z, Bagheri M,"
    " Summers RM. ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks. CVPR 2017. Kermany DS, Goldbaum M,"
    " Cai W, et al. Identifying Medical Diagnoses and Treatable Diseases by Image-Based Deep Learning. Cell 2018."
)


def scope_model_card(card: ScopeCard) -> str:
    """Write MODEL_CARD.md from pack.json, so that the two cannot disagree."""
    return (
        "\n".join(
            (*_head(card), *_points(card), *_performance(card), *_limits(card), *lineage_section(card.lineage, SOURCES))
        )
        + "\n"
    )


def _head(card: ScopeCard) -> list[str]:
    recipe = card.preprocessing
    return [
        f"# {card.name} {card.version}",
        "",
        f"**{card.intended_use}**",
        "",
        f"Licence: {card.licence}",
        "",
        "## What it answers",
        "",
        (
            "Whether an image, as it is displayed, is an upright frontal chest radiograph with dark air, and whether"
            f" it was taken well. It looks at {recipe.rows} x {recipe.columns} px."
        ),
        "",
    ]


def _points(card: ScopeCard) -> list[str]:
    rows = [f"| `{output.key}` | {output.action} | {output.point:.4f} | {output.measured} |" for output in card.outputs]
    return ["| output | then | from | where the point comes from |", "|---|---|---|---|", *rows, ""]


def _performance(card: ScopeCard) -> list[str]:
    performance = card.performance
    if performance is None:
        return ["## Performance", "", "Not measured yet.", ""]
    return [
        "## Performance",
        "",
        f"Measured on {performance.measured_on} {performance.interval_method}.",
        "",
        "| images | outcome | wanted | share (95 % interval) | images |",
        "|---|---|---|---|---|",
        *(_row(share) for share in performance.shares),
        "",
        "Not measured:",
        "",
        *(f"- {sentence}" for sentence in performance.not_measured),
        "",
    ]


def _row(share: ShareCard) -> str:
    wanted = "yes" if share.is_wanted else "no"
    figure = f"{share.share:.1%} ({share.low:.1%} to {share.high:.1%})"
    return f"| {share.images_of} | {share.outcome} | {wanted} | {figure} | {share.counted} of {share.images} |"


def _limits(card: ScopeCard) -> list[str]:
    return ["## Limits", "", *(f"- {limit}" for limit in card.limits), ""]
