"""What happens at the operating and rule-out points, and how often the policy lifts a study, at the stated prevalence.

An image counts as a study here.
"""

from collections.abc import Sequence

import numpy as np

from xray_ai.domain.finding import FindingKey
from xray_ai.domain.priority import Priority
from xray_ai.inference.pack_card import FindingCard, IntervalCard
from xray_ai.training.evaluation.bootstrap import Resamples, certain
from xray_ai.training.evaluation.measured import AlertFigures, PointFigures
from xray_ai.training.evaluation.scoring import FloatArray, Mask, Scored
from xray_ai.triage import TriagePolicy


def point_figures(
    finding: FindingCard, labels: FloatArray, probabilities: FloatArray, resamples: Resamples
) -> PointFigures:
    """Count at both points of one output; the resamples' weights bring the images to the stated prevalence.

    Shape: labels and probabilities (N,).
    """
    positive, negative = labels == 1.0, labels == 0.0
    known = positive | negative
    flagged, kept = probabilities >= finding.operating_point, probabilities >= finding.rule_out_point
    figures = PointFigures(
        key=finding.key,
        name=finding.name,
        positives=int(positive.sum()),
        stated_prevalence=finding.stated_prevalence,
        operating_point=finding.operating_point,
        sensitivity=resamples.share(flagged, positive),
        specificity=resamples.share(~flagged, negative),
        ppv=resamples.share(positive, flagged & known),
        npv=resamples.share(negative, ~flagged & known),
        alerts_per_100=_per_100(flagged, resamples),
        rule_out_point=finding.rule_out_point,
    )
    if not finding.rule_out_point:
        return figures
    ruled_out = {
        "rule_out_sensitivity": resamples.share(kept, positive),
        "rule_out_npv": resamples.share(negative, ~kept & known),
        "ruled_out_per_100": _per_100(~kept, resamples),
    }
    return figures.model_copy(update=ruled_out)


def alert_figures(
    scored: Scored, findings: Sequence[FindingCard], policy: TriagePolicy, resamples: Resamples
) -> tuple[AlertFigures, ...]:
    """Count what the policy lifts to STAT, to HIGH, and to either; `findings` are those of the columns."""
    points = np.array([finding.operating_point for finding in findings])
    flagged, present = scored.probabilities >= points, scored.labels == 1.0
    given = [policy.priority_of(FindingKey(key)) for key in scored.keys]
    levels = {
        "STAT": (Priority.STAT,),
        "HIGH": (Priority.HIGH,),
        "STAT or HIGH": (Priority.STAT, Priority.HIGH),
    }
    figures = []
    for level, priorities in levels.items():
        columns = [k for k, priority in enumerate(given) if priority in priorities]
        lifted, rightly = (np.asarray(part[:, columns].any(axis=1), np.bool_) for part in (flagged, present))
        figures.append(
            AlertFigures(
                level=level,
                keys=tuple(scored.keys[k] for k in columns),
                alerts_per_100=_per_100(lifted, resamples),
                sensitivity=resamples.share(lifted, rightly),
                ppv=resamples.share(rightly, lifted),
            )
        )
    return tuple(figures)


def _per_100(chosen: Mask, resamples: Resamples) -> IntervalCard:
    share = certain(resamples.share(chosen, np.ones(len(chosen), np.bool_)))
    value, low, high = (round(100 * part, 2) for part in (share.value, share.low, share.high))
    return IntervalCard(value=value, low=low, high=high)
