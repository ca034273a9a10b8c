"""One scope run as one TOML file: everything that decides its result."""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from xray_ai.inference.pack_card import RecipeCard

AFTER_TRAINING = frozenset(
    {"name", "threads", "one_class_share", "refused_share", "noted_share", "least_point", "largest_point", "limits"}
)


class ScopeRun(BaseModel):
    """A run; scripts/runs/frontal-scope.toml is the one that made the shipped pack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    seed: int
    blocks: int = Field(ge=6, le=16, description="How many of EfficientNet-Lite0's blocks are kept.")
    frozen: int = Field(ge=0, le=5, description="How many of the first blocks stay as ImageNet made them.")
    dropout: float = Field(ge=0, lt=1)
    learning_rate: float = Field(gt=0, description="Peak of the one-cycle schedule.")
    weight_decay: float = Field(ge=0)
    ema_decay: float = Field(gt=0, lt=1, description="Share of the moving average of weights kept at each step.")
    steps: int = Field(ge=1)
    chests_a_step: int = Field(ge=16)
    others_a_step: int = Field(ge=1)
    threads: int = Field(ge=1)
    stored_side: int = Field(ge=64, description="Rows and columns of the images kept in memory, px.")
    drawn_each: int = Field(ge=1, description="How many images of each drawn kind.")
    source_weights: dict[str, float] = Field(description="How often an image of each source of chests is drawn.")
    one_class_share: float = Field(gt=0, lt=0.01, description="Tuning chests that the one-class distance may refuse.")
    refused_share: float = Field(gt=0, lt=0.02, description="Tuning chests that each refusing output may refuse.")
    noted_share: float = Field(gt=0, lt=0.02, description="Tuning chests that each output of quality may flag.")
    least_point: float = Field(gt=0, lt=1, description="No point is lower, however sure the network is of chests.")
    largest_point: float = Field(gt=0, lt=1, description="No point is higher.")
    recipe: RecipeCard = Field(description="The preprocessing that goes into the pack.")
    limits: tuple[str, ...] = Field(description="What a reader of the model card must know; whole sentences.")

    @classmethod
    def read(cls, file: Path) -> "ScopeRun":
        return cls.model_validate(tomllib.loads(file.read_text("utf-8")))

    def trains_as(self, other: "ScopeRun") -> bool:
        """Whether the other run's weights are those of this one."""
        return self.model_dump(exclude=set(AFTER_TRAINING)) == other.model_dump(exclude=set(AFTER_TRAINING))

    def as_toml_tree(self) -> dict[str, object]:
        """The run in TOML's own types, without absent values."""
        return self.model_dump(mode="json", exclude_none=True)
