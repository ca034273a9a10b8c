"""A model pack: a folder of data that is opened only when every byte is what its card says."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.domain.reading import ModelIdentity
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.pack_card import NetworkCard, PackCard, TensorCard
from xray_ai.inference.scope_card import ScopeCard

AnyCard = TypeVar("AnyCard", PackCard, ScopeCard)

CARD_FILE = "pack.json"
NETWORK_FILE = "model.onnx"


class PackKind(StrEnum):
    """What a pack's network is for."""

    CLASSIFIER = "classifier"
    SCOPE = "scope"


class PackUnsound(OperatorNeeded):
    """A model pack is not what it says it is."""

    def __init__(self, pack: str, found: str) -> None:
        super().__init__(
            f"The model pack {pack} is unsound: {found}",
            remedy="Install the pack again; a pack is never edited, only superseded.",
        )


@dataclass(frozen=True, slots=True)
class ModelPack:
    """A classifier's pack whose card parses and whose files have the digests that the card names."""

    folder: Path
    card: PackCard
    identity: ModelIdentity

    @classmethod
    def open(cls, folder: Path) -> "ModelPack":
        """Open and verify a pack. Raises PackUnsound."""
        card, identity = _opened(folder, PackCard)
        _check_findings(folder, card)
        _check_graph(folder, card)
        _check_networks(folder, card)
        return cls(folder, card, identity)

    @property
    def network(self) -> Path:
        """The network that a CPU runs."""
        return self.folder / NETWORK_FILE

    def network_on(self, device: str) -> NetworkCard:
        """Name the network that a device runs."""
        return next(network for network in self.card.networks if device in network.devices)

    def run_by(self, network: NetworkCard) -> "ModelPack":
        """Give the same pack, run by one of its networks on every device."""
        everywhere = network.model_copy(update={"devices": ("cpu", "cuda")})
        return replace(self, card=self.card.model_copy(update={"networks": (everywhere,)}))


@dataclass(frozen=True, slots=True)
class ScopePack:
    """A scope pack, as sound as a classifier's."""

    folder: Path
    card: ScopeCard
    identity: ModelIdentity

    @classmethod
    def open(cls, folder: Path) -> "ScopePack":
        """Open and verify a pack. Raises PackUnsound."""
        card, identity = _opened(folder, ScopeCard)
        _check_scope_graph(folder, card)
        return cls(folder, card, identity)

    @property
    def network(self) -> Path:
        return self.folder / NETWORK_FILE


def kind_of(folder: Path) -> PackKind:
    """What a pack says it is; one that cannot be understood is taken for a classifier, and opening it says why."""
    try:
        return _Kind.model_validate_json((folder / CARD_FILE).read_bytes()).kind
    except (OSError, ValidationError):
        return PackKind.CLASSIFIER


class _Kind(BaseModel):
    """What all cards have in common."""

    kind: PackKind = PackKind.CLASSIFIER


def installed_packs(root: Path) -> tuple[Path, ...]:
    """Folders under `root` that hold a pack, by name."""
    return tuple(sorted(card.parent for card in root.glob(f"*/{CARD_FILE}")))


def _opened(folder: Path, kind: type[AnyCard]) -> tuple[AnyCard, ModelIdentity]:
    """Parse the card and check every file that it names."""
    try:
        text = (folder / CARD_FILE).read_bytes()
    except OSError as error:
        raise PackUnsound(folder.name, f"{CARD_FILE} cannot be read ({type(error).__name__}).") from error
    try:
        card = kind.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise PackUnsound(folder.name, f"{CARD_FILE} at {place or 'its root'}: {first['msg']}.") from error
    _check_files(folder, card.files)
    return card, ModelIdentity(card.name, card.version, hashlib.sha256(text).hexdigest())


def _check_findings(folder: Path, card: PackCard) -> None:
    keys = [finding.key for finding in card.findings]
    if keys[-1] != ABNORMALITY:
        raise PackUnsound(folder.name, "abnormality is not the last of its findings.")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise PackUnsound(folder.name, f"it has more than one finding {', '.join(twice)}.")


def _check_graph(folder: Path, card: PackCard) -> None:
    """The network must take what the recipe makes, and give a score and a map for each finding."""
    inputs = {tensor.name: tensor for tensor in card.graph.inputs}
    outputs = {tensor.name: tensor for tensor in card.graph.outputs}
    count, recipe = len(card.findings), card.preprocessing
    fitting = (
        inputs.keys() == {"image"}
        and _fits(inputs["image"], 1, recipe.rows, recipe.columns)
        and {"logits", "activation"} <= outputs.keys()
        and _fits(outputs["logits"], count)
        and _fits(outputs["activation"], count, None, None)
    )
    if not fitting:
        raise PackUnsound(
            folder.name,
            f"its graph does not go from image [N, 1, {recipe.rows}, {recipe.columns}] to logits [N, {count}]"
            f" and activation [N, {count}, h, w] in float32.",
        )


def _check_networks(folder: Path, card: PackCard) -> None:
    """Each device has one network, the CPU's is model.onnx, and all files of theirs have digests."""
    of_device = sorted((device, network.file) for network in card.networks for device in network.devices)
    if [device for device, _ in of_device] != ["cpu", "cuda"] or of_device[0][1] != NETWORK_FILE:
        raise PackUnsound(folder.name, f"its networks are not one for cpu, in {NETWORK_FILE}, and one for cuda.")
    missing = sorted(network.file for network in card.networks if network.file not in card.files)
    if missing:
        raise PackUnsound(folder.name, f"its card has no digest of {', '.join(missing)}.")


def _check_scope_graph(folder: Path, card: ScopeCard) -> None:
    """The network must take what the recipe makes, and give a probability for each output of the card."""
    count, recipe = len(card.outputs), card.preprocessing
    inputs = {tensor.name: tensor for tensor in card.graph.inputs}
    outputs = {tensor.name: tensor for tensor in card.graph.outputs}
    fitting = (
        inputs.keys() == {"image"}
        and _fits(inputs["image"], 1, recipe.rows, recipe.columns)
        and outputs.keys() == {"probabilities"}
        and _fits(outputs["probabilities"], count)
    )
    if not fitting:
        raise PackUnsound(
            folder.name,
            f"its graph does not go from image [N, 1, {recipe.rows}, {recipe.columns}] to probabilities [N, {count}]"
            " in float32.",
        )


def _fits(tensor: TensorCard, *axes: int | None) -> bool:
    shape = tensor.shape[1:]
    return (
        tensor.dtype == "float32"
        and len(shape) == len(axes)
        and all(axis in (None, size) for axis, size in zip(axes, shape, strict=True))
    )


def _check_files(folder: Path, files: dict[str, str]) -> None:
    if NETWORK_FILE not in files:
        raise PackUnsound(folder.name, f"its card does not name {NETWORK_FILE}.")
    for name, digest in files.items():
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            raise PackUnsound(folder.name, f"{name} is missing.")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise PackUnsound(folder.name, f"{name} has not the SHA-256 that its card names.")
