"""Training of the scope network, in view from start to end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import tomli_w
import torch
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from xray_ai.training.scope.augment import looked_at
from xray_ai.training.scope.examples import Examples
from xray_ai.training.scope.lesson import lesson
from xray_ai.training.scope.network import ScopeNetwork
from xray_ai.training.scope.run import ScopeRun
from xray_ai.training.scope.sources import BLOOD, PICTURES

WEIGHTS_FILE, RUN_FILE, CURVE_FILE = "weights.pt", "run.toml", "curve.jsonl"
OTHER_WEIGHTS = MappingProxyType({PICTURES: 4.0, BLOOD: 1.5, "lateral": 4.0, "abdomen": 0.5})  # a drawn kind: 1.0
STEPS_A_REPORT = 50


@dataclass(frozen=True, slots=True)
class Shelf:
    """Examples on the training device, and how often each is taken."""

    greys: torch.Tensor  # (N, 1, side, side) uint8
    weights: torch.Tensor  # (N,)

    @classmethod
    def of(cls, examples: Examples, weight_of_kind: Mapping[str, float], device: str) -> "Shelf":
        """Take each kind as often as its weight says, however many images it has."""
        kinds, index, counts = np.unique(examples.kinds, return_inverse=True, return_counts=True)
        weights = np.array([weight_of_kind.get(str(kind), 1.0) for kind in kinds]) / counts
        return cls(torch.from_numpy(examples.greys)[:, None].to(device), torch.from_numpy(weights[index]).to(device))

    def take(self, count: int, draw: torch.Generator) -> torch.Tensor:
        """Draw images at random: (count, 1, side, side) float32, 0.0 to 1.0."""
        index = torch.multinomial(self.weights, count, replacement=True, generator=draw)
        return self.greys[index].float() / 255


def scope_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the questions that make sense: (N, 10) logits, (N, 9) labels with NaN -> scalar."""
    turns = labels[:, 1:4]
    is_chest = ~torch.isnan(turns).any(dim=1)
    upright_first = torch.cat([1 - turns.sum(dim=1, keepdim=True), turns], dim=1)[is_chest].argmax(dim=1)
    loss = functional.cross_entropy(logits[is_chest, 1:5], upright_first)
    asked = torch.cat([logits[:, :1], logits[:, 5:]], dim=1), torch.cat([labels[:, :1], labels[:, 4:]], dim=1)
    for answers, wanted in zip(asked[0].T, asked[1].T, strict=True):
        known = ~torch.isnan(wanted)
        loss = loss + functional.binary_cross_entropy_with_logits(answers[known], wanted[known])
    return loss


def train_scope(
    run: ScopeRun, chests: Examples, others: Examples, folder: Path, device: str, left_out: frozenset[str] = frozenset()
) -> Path:
    """Train, and write the averaged weights, the run and the loss into `folder`; left-out kinds are never shown."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CURVE_FILE).unlink(missing_ok=True)
    (folder / RUN_FILE).write_text(tomli_w.dumps(run.as_toml_tree()), "utf-8")
    torch.set_num_threads(run.threads)
    torch.manual_seed(run.seed)
    draw = torch.Generator(device).manual_seed(run.seed)
    shelves = (
        Shelf.of(chests, run.source_weights, device),
        Shelf.of(others.of(~np.isin(others.kinds, sorted(left_out))), OTHER_WEIGHTS, device),
    )
    network = ScopeNetwork(run.blocks, run.dropout).train().to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    network.freeze(run.frozen)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(run.ema_decay), use_buffers=True)
    learnt = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=run.learning_rate, weight_decay=run.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, run.learning_rate, total_steps=run.steps, pct_start=0.15)
    recipe, losses = run.recipe, []
    for step in range(1, run.steps + 1):
        taken = lesson(
            shelves[0].take(run.chests_a_step, draw), shelves[1].take(run.others_a_step, draw), left_out, draw
        )
        images = looked_at(taken.images, recipe.rows, recipe.recipe().grey_range, draw)
        inputs = ((images - recipe.mean) / recipe.standard_deviation).to(memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16):
            logits, _ = network(inputs)
        loss = scope_loss(logits.float(), taken.labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), max_norm=1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(network)
        losses.append(float(loss.detach()))
        if step % STEPS_A_REPORT == 0:
            _report(folder, step, losses[-STEPS_A_REPORT:])
    network.load_state_dict(average.module.state_dict())
    torch.save({key: value.cpu() for key, value in network.state_dict().items()}, folder / WEIGHTS_FILE)
    return folder / WEIGHTS_FILE


def _report(folder: Path, step: int, losses: list[float]) -> None:
    with (folder / CURVE_FILE).open("a", encoding="utf-8") as curve:
        curve.write(json.dumps({"step": step, "loss": round(float(np.mean(losses)), 5)}) + "\n")
