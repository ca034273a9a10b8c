"""What an evaluation says, as frozen and checked types: evaluation.json. Each figure is told in docs/evaluation.md."""

from typing import Literal

from pydantic import Field

from xray_ai.inference.pack_card import Card, IntervalCard, PerformanceCard, Sha256

EVALUATION_FILE = "evaluation.json"

Curve = tuple[tuple[float, float], ...]  # (x, y) from left to right


class PackMeasured(Card):
    """Which pack was scored."""

    name: str
    version: str
    digest: Sha256 = Field(description="Of its pack.json when it was scored.")
    scoring_sha256: Sha256 = Field(description="Of all that decides a score: network, recipe, calibration, points.")


class FindingFigures(Card):
    """How well one output tells images with the finding from those without."""

    key: str
    name: str
    images: int = Field(description="With a known label.")
    positives: int
    auroc: IntervalCard | None = Field(None, description="Absent: the images are of one class.")
    average_precision: IntervalCard | None = Field(None, description="AUPRC; chance is positives / images.")
    is_in_headline: bool
    roc: Curve = Field((), description="False-positive rate, sensitivity.")
    precision_recall: Curve = Field((), description="Recall, precision.")


class SubgroupFigures(Card):
    """The same on a part of the images."""

    by: str = Field(description="View, sex, age, source, source copy or resolution.")
    group: str
    images: int
    patients: int
    positives: int = Field(description="Images with any finding.")
    findings: int = Field(description="Findings that the mean is over: those with enough positives in this group.")
    mean_auroc: IntervalCard | None = None
    abnormality: IntervalCard | None = Field(None, description="AUROC; absent: too few of one class.")


class AbnormalityFigures(Card):
    """AUROC of `abnormality` on a part of the images, beside classifiers that see no pixel."""

    part: str
    images: int
    positives: int
    pack: IntervalCard | None = None
    size_alone: IntervalCard | None = Field(None, description="Sees width and height.")
    size_and_source: IntervalCard | None = Field(None, description="Sees width, height, source and source copy.")


class ReliabilityBin(Card):
    """Images of similar probability: what was said, and how often it was so, at the stated prevalence."""

    images: int
    positives: int
    said: float
    observed: IntervalCard


class CalibrationFigures(Card):
    """Whether a probability means what it says, at the stated prevalence."""

    key: str
    name: str
    positives: int
    stated_prevalence: float
    mean_probability: float
    slope: IntervalCard
    intercept: IntervalCard
    brier: float
    brier_skill: IntervalCard = Field(description="Share of the Brier score of the stated prevalence that is saved.")
    adaptive_ece: float = Field(description="Expected calibration error over bins of equal weight.")
    bins: tuple[ReliabilityBin, ...]


class PointFigures(Card):
    """What happens at a finding's two points, at the stated prevalence."""

    key: str
    name: str
    positives: int
    stated_prevalence: float
    operating_point: float
    sensitivity: IntervalCard | None = None
    specificity: IntervalCard | None = None
    ppv: IntervalCard | None = None
    npv: IntervalCard | None = None
    alerts_per_100: IntervalCard
    rule_out_point: float = Field(description="0: the finding is never ruled out.")
    rule_out_sensitivity: IntervalCard | None = Field(None, description="Positives at or above the rule-out point.")
    rule_out_npv: IntervalCard | None = None
    ruled_out_per_100: IntervalCard | None = None


class AlertFigures(Card):
    """How often the triage policy lifts a study to a level, and how often rightly."""

    level: str
    keys: tuple[str, ...] = Field(description="Findings that the policy gives this level.")
    alerts_per_100: IntervalCard
    sensitivity: IntervalCard | None = Field(None, description="Of studies with any of these findings, those lifted.")
    ppv: IntervalCard | None = Field(None, description="Of studies lifted, those with any of these findings.")


class DisturbanceFigures(Card):
    """What one change of the images does."""

    name: str
    images: int = Field(description="Read both unchanged and changed.")
    refused: int = Field(description="Read unchanged, refused when changed.")
    mean_auroc_change: IntervalCard | None = Field(None, description="Changed less unchanged.")
    mean_probability_change: float = Field(description="Mean absolute change over images and outputs.")
    flags_changed: float = Field(description="Share of images with another set of flagged findings.")


class RobustnessFigures(Card):
    """What changes of the images do that a site may make without telling."""

    images: int
    findings: int = Field(description="Findings that the mean AUROC is over.")
    mean_auroc: IntervalCard | None = Field(None, description="Of these images, unchanged.")
    disturbances: tuple[DisturbanceFigures, ...]


class DifferenceFigures(Card):
    """This pack less the previous one on the same images."""

    auroc: float
    previous_auroc: float
    difference: IntervalCard = Field(description="Interval: paired bootstrap by patient.")
    delong_p: float = Field(description="Images taken as independent.")
    delong_by_patient_p: float = Field(description="Images of one patient may go together.")
    bootstrap_p: float = Field(description="Paired bootstrap by patient, as a check.")


class FindingDifference(DifferenceFigures):
    """One finding of the comparison."""

    key: str
    name: str
    positives: int


class ComparisonFigures(Card):
    """This pack beside the previous one."""

    previous: PackMeasured
    images: int = Field(description="Read by both.")
    patients: int
    pooled: DifferenceFigures = Field(description="Of the mean AUROC over findings with enough positives.")
    pooled_without_small_copies: DifferenceFigures | None = Field(
        None, description="The same without the 300 px copies, whose size gives labels away; null: there are none."
    )
    findings: tuple[FindingDifference, ...]


class Evaluation(Card):
    """The whole of evaluation.json."""

    schema_version: Literal[1]
    pack: PackMeasured
    scope: str | None = Field(None, description="The scope pack that stood before it; absent: pixels not checked.")
    intended_use: str
    limits: tuple[str, ...]
    split: str = Field(description="test: kept for the test; tune: calibrated on, so that figures flatter.")
    measured_on: str
    cohort_sha256: Sha256
    images: int = Field(description="Read.")
    patients: int
    refused: dict[str, int] = Field(description="Images that the service refused, by reason.")
    interval_method: str
    headline: IntervalCard = Field(description="Mean AUROC over findings with enough positives.")
    mean_auroc: IntervalCard = Field(description="Mean AUROC over all findings.")
    mean_average_precision: IntervalCard = Field(description="Over the findings of the headline.")
    findings: tuple[FindingFigures, ...]
    subgroups: tuple[SubgroupFigures, ...]
    abnormality: tuple[AbnormalityFigures, ...]
    abnormality_within_copies: AbnormalityFigures = Field(description="Mean of the figures within source copies.")
    calibration: tuple[CalibrationFigures, ...]
    points: tuple[PointFigures, ...]
    alerts: tuple[AlertFigures, ...]
    robustness: RobustnessFigures
    comparison: ComparisonFigures | None = None

    @property
    def not_read(self) -> int:
        return sum(self.refused.values())

    def as_json(self) -> str:
        """The text of evaluation.json."""
        return self.model_dump_json(indent=1, exclude_none=True) + "\n"

    def performance(self) -> PerformanceCard:
        """What pack.json says of it."""
        return PerformanceCard(
            measured_on=self.measured_on,
            images=self.images,
            patients=self.patients,
            not_read=self.not_read,
            interval_method=self.interval_method,
            headline=self.headline,
            mean_auroc=self.mean_auroc,
            auroc={
                one.key: one.auroc.model_copy(update={"positives": one.positives})
                for one in self.findings
                if one.auroc is not None
            },
        )
