"""What pack.json says: the machine's card of a model pack, as frozen and checked types."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from xray_ai.domain.finding import Code, Finding, FindingKey
from xray_ai.domain.radiograph import ViewPosition
from xray_ai.imaging.preprocess import CollimationRecipe, PolarityRecipe, RangeRecipe, Recipe

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Card(BaseModel):
    """A part of the pack's card: frozen, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CodeCard(Card):
    """A coded concept (PS3.16)."""

    scheme: str = Field(min_length=1, max_length=16)
    value: str = Field(min_length=1, max_length=64)
    meaning: str = Field(min_length=1, max_length=64)


class CalibrationCard(Card):
    """Platt scaling: probability = sigmoid(slope * logit + intercept) (Platt 1999)."""

    slope: float = Field(gt=0.0)
    intercept: float


class FindingCard(Card):
    """One output of the model: what it is called, how it is calibrated, when it is called present or absent."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str = Field(min_length=1)
    code: CodeCard
    stated_prevalence: Probability
    calibration: CalibrationCard
    operating_point: Probability
    rule_out_point: Probability
    expected_alert_share: Probability  # share of studies at the stated prevalence that reach the operating point

    def finding(self) -> Finding:
        return Finding(FindingKey(self.key), self.name, Code(self.code.scheme, self.code.value, self.code.meaning))


class CollimationCard(Card):
    """See `CollimationRecipe`."""

    flat_span: float = Field(gt=0.0, lt=1.0)
    largest_share: float = Field(ge=0.0, lt=0.5)


class RangeCard(Card):
    """See `RangeRecipe`."""

    low_percentile: float = Field(ge=0.0, lt=50.0)
    high_percentile: float = Field(gt=50.0, le=100.0)
    central_share: float = Field(gt=0.1, le=1.0)


class PolarityCard(Card):
    """See `PolarityRecipe`."""

    weights: tuple[tuple[float, ...], ...]
    bias: float
    inverted_below: float

    def recipe(self) -> PolarityRecipe:
        return PolarityRecipe(np.array(self.weights, np.float32), self.bias, self.inverted_below)


class RecipeCard(Card):
    """The preprocessing recipe, as numbers."""

    rows: int = Field(ge=32, le=2048)
    columns: int = Field(ge=32, le=2048)
    collimation: CollimationCard
    grey_range: RangeCard
    smoothing_px: float = Field(ge=0.0, le=4.0)
    mean: float
    standard_deviation: float = Field(gt=0.0)
    polarity: PolarityCard | None = None

    def recipe(self) -> Recipe:
        return Recipe(
            self.rows,
            self.columns,
            CollimationRecipe(**self.collimation.model_dump()),
            RangeRecipe(**self.grey_range.model_dump()),
            self.smoothing_px,
            self.mean,
            self.standard_deviation,
            self.polarity.recipe() if self.polarity else None,
        )


class TensorCard(Card):
    """One input or output of the graph."""

    name: str
    shape: tuple[int | str, ...]  # a word stands for a free axis
    dtype: str


class GraphCard(Card):
    """What the ONNX file must take and give."""

    opset: int
    inputs: tuple[TensorCard, ...]
    outputs: tuple[TensorCard, ...]


class AcceptanceCard(Card):
    """Which radiographs the model may judge."""

    sop_class_uids: frozenset[str]
    modalities: frozenset[str]
    body_parts: frozenset[str]
    view_positions: frozenset[ViewPosition]
    youngest_age_years: float
    oldest_age_years: float


class LineageCard(Card):
    """Where the weights come from."""

    cohort_sha256: Sha256
    cohort_description: str
    source_commit: str
    seed: int
    run: dict[str, object]  # the run's TOML, as it was


class IntervalCard(Card):
    """A figure with its 95 % confidence interval, and what stands behind it."""

    value: float
    low: float
    high: float
    positives: int | None = None


class PerformanceCard(Card):
    """How the pack did on patients that nothing was trained or tuned on."""

    measured_on: str
    images: int
    patients: int
    not_read: int
    interval_method: str
    headline: IntervalCard | None = None  # mean AUROC over findings with >= 10 positives; older packs do not say it
    mean_auroc: IntervalCard  # over all findings
    auroc: dict[str, IntervalCard]


class NetworkCard(Card):
    """One of a pack's networks: what it computes in, and where it runs."""

    file: str = "model.onnx"
    precision: Literal["float32", "int8"] = "float32"
    devices: tuple[Literal["cpu", "cuda"], ...] = ("cpu", "cuda")
    golden: str = "golden/golden.json"  # its own golden scores


class PrecisionCard(Card):
    """One output's AUROC in float and in 8 bits."""

    positives: int
    float32: Probability
    int8: Probability
    loss: float


class QuantizationCard(Card):
    """What 8-bit arithmetic changed, and whether it may ship; the float network ships where it may not."""

    passed: bool
    because: tuple[str, ...] = Field(min_length=1)
    calibrated_on: str
    measured_on: str
    convolutions: int  # without the last, which give the maps and stay in float
    float_convolutions: int  # of them, the most sensitive, which stay in float too
    auroc: dict[str, PrecisionCard]
    mean_loss: float | None = None  # over the outputs that were judged: those with enough positives
    mean_logit_change: float
    mean_probability_change: float  # before calibration, as the next
    largest_probability_change: float
    float32_milliseconds: float  # an image on one thread; medians of alternating runs
    int8_milliseconds: float
    times_faster: float  # median of the pairs' ratios


class PackCard(Card):
    """The whole of a classifier's pack.json."""

    schema_version: Literal[1]
    kind: Literal["classifier"] = "classifier"  # a scope pack's card is `ScopeCard`
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str
    licence: str
    intended_use: str
    files: dict[str, Sha256]
    graph: GraphCard
    preprocessing: RecipeCard
    findings: tuple[FindingCard, ...] = Field(min_length=1)
    operating_point_aim: str
    operating_points_set_on: str
    limits: tuple[str, ...]
    acceptance: AcceptanceCard
    lineage: LineageCard
    performance: PerformanceCard | None = None
    networks: tuple[NetworkCard, ...] = (NetworkCard(),)  # older packs have one and do not say so
    quantization: QuantizationCard | None = None
