"""One training run as one TOML file: everything that decides its result."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from xray_ai.inference.pack_card import RecipeCard


class Stage(BaseModel):
    """Some epochs at one resolution on some sources."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    side: int = Field(ge=32, description="Rows and columns of the network's input, px.")
    epochs: int = Field(ge=1)
    sources: frozenset[str] = Field(min_length=1, description="Data sets of the cohort that are learnt from.")
    learning_rate: float = Field(gt=0, description="Peak of the one-cycle schedule.")
    batch_size: int = Field(ge=2)
    smoothing_px: float | None = Field(None, ge=0, description="While this stage is learnt; absent: the recipe's.")
    noise: float = Field(0.0, ge=0, lt=1, description="Largest standard deviation of added noise; white is 1.0.")
    mixup: float = Field(
        0.0, ge=0, description="Alpha of mixup's beta distribution (Zhang et al., ICLR 2018); 0: none."
    )
    frozen_blocks: int = Field(0, ge=0, description="The backbone's first blocks that stay as they are.")


class Branches(BaseModel):
    """One more stage, trained once with each seed from the weights that the stages left.

    What they learnt is one network again: the mean of their weights (model soups, Wortsman et al., ICML 2022).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: tuple[int, ...] = Field(min_length=1)
    stage: Stage


class Course(BaseModel):
    """How one network comes about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    stages: tuple[Stage, ...] = Field(min_length=1)
    branches: Branches | None = Field(None, description="What follows the stages, more than once; absent: nothing.")


class TrainingRun(Course):
    """A run; see scripts/runs/ for the ones that made the shipped packs."""

    name: str
    network: str = Field(description="A name from xray_ai.training.networks.")
    dropout: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    ema_decay: float = Field(gt=0, lt=1, description="Share of the moving average of weights kept at each step.")
    bfloat16: bool = Field(description="Compute the forward pass in bfloat16 where that is faster.")
    threads: int = Field(ge=1)
    recipe: RecipeCard = Field(description="The preprocessing that goes into the pack; stages override rows, columns.")
    further: tuple[Course, ...] = Field((), description="More networks of the same kind; all are averaged.")
    calibration_shares: dict[str, float] = Field(
        default_factory=dict, description="Weight of each source when points are set; a source not named weighs 1."
    )
    limits: tuple[str, ...] = Field(description="What a reader of the model card must know; whole sentences.")

    @classmethod
    def read(cls, file: Path) -> "TrainingRun":
        return cls.model_validate(tomllib.loads(file.read_text("utf-8")))

    def courses(self) -> tuple[Course, ...]:
        """How each network of the run comes about."""
        return (Course(seed=self.seed, stages=self.stages, branches=self.branches), *self.further)

    def only(self, seed: int, stages: tuple[Stage, ...]) -> "TrainingRun":
        """The run as if these stages were all of it."""
        return self.model_copy(update={"seed": seed, "stages": stages, "branches": None, "further": ()})

    def as_toml_tree(self) -> dict[str, object]:
        """The run in TOML's own types, without absent values."""
        return self.model_dump(mode="json", exclude_none=True)
