"""A training run, in view from start to end."""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import numpy as np
import tomli_w
import torch
from sklearn.metrics import roc_auc_score
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from xray_ai.imaging.preprocess import Recipe
from xray_ai.training.augment import augmented, mixed
from xray_ai.training.cohort_dataset import CohortDataset, normalised
from xray_ai.training.datasets.cohort import Cohort, Split
from xray_ai.training.networks import ActivationMapNetwork, backbone_of, build_network
from xray_ai.training.run import Stage, TrainingRun

Pair = tuple[torch.Tensor, torch.Tensor]  # images (N, 1, side, side) and labels (N, K)

SCORING_BATCH = 64
WEIGHTS_FILE = "weights.pt"


def masked_bce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy over the labels that are known: (N, K) logits, (N, K) labels with NaN unknown -> scalar."""
    known = ~torch.isnan(labels)
    if not known.any():
        return logits.sum() * 0.0  # the mean over nothing would be NaN, and so would every weight after it
    return functional.binary_cross_entropy_with_logits(logits[known], labels[known])


class State(TypedDict):
    """What a checkpoint keeps of a learner; the parts are torch's own state dictionaries."""

    network: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    optimizer: dict[str, object]
    schedule: dict[str, object]


class Checkpoint(TypedDict):
    """Where a run stands after an epoch."""

    stage: int
    epoch: int
    learner: State


@dataclass(slots=True)
class Learner:
    """What one optimisation step changes."""

    network: ActivationMapNetwork
    average: AveragedModel  # exponential moving average: what is scored and shipped
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.OneCycleLR

    def state(self) -> State:
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load(self, state: State) -> None:
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def train(
    run: TrainingRun, cohort: Cohort, folder: Path, cache: Path, device: str = "cpu", start: Path | None = None
) -> Path:
    """Train through the run's stages, resuming where an earlier call stopped; returns the file of averaged weights.

    Prepared images are kept in `cache`. `start` are the weights to set out from; absent: the backbone's ImageNet
    weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_run(run, folder)
    torch.set_num_threads(run.threads)
    torch.manual_seed(run.seed)

    network = build_network(run.network, len(cohort.finding_keys), run.dropout)
    if start:
        network.load_state_dict(torch.load(start, weights_only=True))
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types lack it
    checkpoint, recipe = _checkpoint(folder), run.recipe.recipe()
    for number, stage in enumerate(run.stages):
        if checkpoint and number < checkpoint["stage"]:
            continue
        training, tuning = _loaders(run, stage, cohort, cache)
        if stage.frozen_blocks:
            backbone_of(network).freeze(stage.frozen_blocks)
        learner = _learner(run, stage, network, len(training))
        first_epoch = 0
        if checkpoint and number == checkpoint["stage"]:
            learner.load(checkpoint["learner"])
            first_epoch = checkpoint["epoch"] + 1
        for epoch in range(first_epoch, stage.epochs):
            draw = _seed_epoch(run.seed, number, epoch, device)
            lessons = _lessons(_with_progress(training, number, epoch), stage, recipe, draw)
            loss = _one_epoch(learner, lessons, run, device)
            auroc = tuning_auroc(learner.average, tuning, recipe, device)
            _write_curve(folder, stage=number, epoch=epoch, loss=loss, auroc=auroc)
            _save(folder, {"stage": number, "epoch": epoch, "learner": learner.state()})
        network.load_state_dict(learner.average.module.state_dict())  # the next stage starts from the average

    weights = folder / WEIGHTS_FILE
    torch.save({key: value.cpu() for key, value in network.state_dict().items()}, weights)
    return weights


def _one_epoch(learner: Learner, lessons: Iterable[Pair], run: TrainingRun, device: str) -> float:
    learner.network.train()
    losses = []
    for images, labels in lessons:
        with torch.autocast(device, dtype=torch.bfloat16, enabled=run.bfloat16):
            logits, _ = learner.network(images.to(memory_format=torch.channels_last))
        loss = masked_bce(logits.float(), labels)
        learner.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learner.network.parameters(), max_norm=1.0)
        learner.optimizer.step()
        learner.schedule.step()
        learner.average.update_parameters(learner.network)
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _lessons(batches: Iterable[Pair], stage: Stage, recipe: Recipe, draw: torch.Generator) -> Iterator[Pair]:
    """Make batches into what the network learns from, on the generator's device."""
    for greys, labels in batches:
        images = augmented(greys.to(draw.device), stage.noise, draw)
        images, labels_on_device = mixed(images, labels.to(draw.device), stage.mixup, draw)
        yield normalised(images, recipe), labels_on_device


@torch.no_grad()
def tuning_auroc(network: torch.nn.Module, batches: DataLoader[Pair], recipe: Recipe, device: str) -> dict[str, float]:
    """AUROC of each output on the tuning patients; outputs with one class only are left out."""
    network.eval()
    scored = [
        (network(normalised(images, recipe).to(device, memory_format=torch.channels_last))[0].float().cpu(), labels)
        for images, labels in batches
    ]
    logits, labels = (torch.cat(part).numpy() for part in zip(*scored, strict=True))
    return {
        str(output): round(float(roc_auc_score(labels[:, output], logits[:, output])), 4)
        for output in range(labels.shape[1])
        if 0 < labels[:, output].sum() < len(labels)
    }


def _loaders(run: TrainingRun, stage: Stage, cohort: Cohort, cache: Path) -> tuple[DataLoader[Pair], DataLoader[Pair]]:
    recipe = run.recipe.recipe()
    if stage.smoothing_px is not None:
        recipe = replace(recipe, smoothing_px=stage.smoothing_px)
    train_images = cohort.of(Split.TRAIN, stage.sources)
    training = CohortDataset(train_images, recipe, stage.side, cache)
    tuning = CohortDataset(cohort.of(Split.TUNE, stage.sources), recipe, stage.side, cache)
    return (
        DataLoader(training, stage.batch_size, shuffle=True, drop_last=True),
        DataLoader(tuning, SCORING_BATCH),
    )


def _learner(run: TrainingRun, stage: Stage, network: ActivationMapNetwork, steps_per_epoch: int) -> Learner:
    optimizer = torch.optim.AdamW(network.parameters(), lr=stage.learning_rate, weight_decay=run.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, stage.learning_rate, epochs=stage.epochs, steps_per_epoch=steps_per_epoch, pct_start=0.2
    )
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(run.ema_decay), use_buffers=True)
    return Learner(network, average, optimizer, schedule)


def _with_progress(batches: DataLoader[Pair], stage: int, epoch: int) -> Iterable[Pair]:
    shown: Iterable[Pair] = tqdm(batches, f"stage {stage} epoch {epoch}", unit="batch", mininterval=5, disable=None)
    return shown


def _seed_epoch(seed: int, stage: int, epoch: int, device: str) -> torch.Generator:
    """Give each epoch its own seed, so that a resumed run draws what an unbroken one would have drawn."""
    drawn = seed * 1_000_003 + stage * 1_009 + epoch
    torch.manual_seed(drawn)
    random.seed(drawn)
    return torch.Generator(device).manual_seed(drawn)


def _write_curve(folder: Path, *, stage: int, epoch: int, loss: float, auroc: dict[str, float]) -> None:
    point = {
        "stage": stage,
        "epoch": epoch,
        "loss": round(loss, 5),
        "mean_auroc": round(float(np.mean(list(auroc.values()))), 4),
        "auroc": auroc,
    }
    with (folder / "curves.jsonl").open("a", encoding="utf-8") as curves:
        curves.write(json.dumps(point) + "\n")


def write_run(run: TrainingRun, folder: Path) -> None:
    """Write the run beside its results; another run's checkpoint is not gone on with."""
    file, text = folder / "run.toml", tomli_w.dumps(run.as_toml_tree())
    if (folder / "checkpoint.pt").exists() and TrainingRun.read(file) != run:
        message = f"{folder} holds a checkpoint of another run: choose another folder, or remove it."
        raise ValueError(message)
    file.write_text(text, "utf-8")


def _save(folder: Path, checkpoint: Checkpoint) -> None:
    unfinished = folder / "checkpoint.unfinished"
    torch.save(checkpoint, unfinished)
    unfinished.rename(folder / "checkpoint.pt")


def _checkpoint(folder: Path) -> Checkpoint | None:
    file = folder / "checkpoint.pt"
    if not file.exists():
        return None
    checkpoint: Checkpoint = torch.load(file, weights_only=True)
    return checkpoint
