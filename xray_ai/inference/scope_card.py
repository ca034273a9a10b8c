"""What pack.json of a scope pack says: which radiographs a classifier may judge, told by their pixels."""

from typing import Literal, Self

from pydantic import Field, model_validator

from xray_ai.domain.scope import ScopeQuestion
from xray_ai.inference.pack_card import Card, GraphCard, LineageCard, Probability, RecipeCard, Sha256

QUESTIONS = tuple(ScopeQuestion)
MUST_ANSWER = frozenset(question for question in QUESTIONS if not question.is_about_quality)


class ScopeOutputCard(Card):
    """One output of the graph: what it answers, from which probability on, and what follows."""

    key: ScopeQuestion
    point: float = Field(gt=0.0, le=1.0)  # at or above: yes; 0 would be yes to every image
    action: Literal["refuse", "note"]
    measured: str = Field(min_length=1)  # where the point comes from and its error rates, in one sentence

    @model_validator(mode="after")
    def _fits_its_question(self) -> Self:
        fitting = "note" if self.key.is_about_quality else "refuse"
        if self.action != fitting:
            raise ValueError(f"the action of {self.key} is {fitting}")
        return self


class ShareCard(Card):
    """How many images of one kind came out one way, and their share with its 95 % confidence interval."""

    images_of: str = Field(min_length=1)  # which images, and where they come from
    outcome: str = Field(min_length=1)  # refused, read, or the key of an output that said yes
    is_wanted: bool  # whether this outcome is the right one for such images
    images: int = Field(ge=1)
    counted: int = Field(ge=0)
    low: Probability
    high: Probability

    @property
    def share(self) -> float:
        return self.counted / self.images


class ScopePerformanceCard(Card):
    """How the pack did on images that nothing was trained or tuned on."""

    measured_on: str
    interval_method: str
    shares: tuple[ShareCard, ...] = Field(min_length=1)
    not_measured: tuple[str, ...] = ()  # kinds of images of which none was at hand, each a sentence


class ScopeCard(Card):
    """The whole of a scope pack's pack.json."""

    schema_version: Literal[1]
    kind: Literal["scope"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    version: str
    licence: str
    intended_use: str
    files: dict[str, Sha256]
    graph: GraphCard
    preprocessing: RecipeCard
    outputs: tuple[ScopeOutputCard, ...]
    limits: tuple[str, ...]
    lineage: LineageCard
    performance: ScopePerformanceCard | None = None

    @model_validator(mode="after")
    def _asks_in_order(self) -> Self:
        """All that may refuse is answered; a quality that a pack cannot tell may be left out."""
        keys = [output.key for output in self.outputs]
        if keys != [question for question in QUESTIONS if question in keys] or not MUST_ANSWER.issubset(keys):
            raise ValueError(f"its outputs are not these, in this order: {', '.join(QUESTIONS)}")
        if self.preprocessing.polarity is not None:
            raise ValueError("its recipe has a polarity template, and the network itself judges inversion")
        return self
