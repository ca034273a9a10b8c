"""A model pack: a folder of data that is opened only when every byte is what its card says."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.domain.reading import ModelIdentity
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.pack_card import PackCard, TensorCard

CARD_FILE = "pack.json"
NETWORK_FILE = "model.onnx"


class PackUnsound(OperatorNeeded):
    """A model pack is not what it says it is."""

    def __init__(self, pack: str, found: str) -> None:
        super().__init__(
            f"The model pack {pack} is unsound: {found}",
            remedy="Install the pack again; a pack is never edited, only superseded.",
        )


@dataclass(frozen=True, slots=True)
class ModelPack:
    """A pack whose card parses and whose files have the digests that the card names."""

    folder: Path
    card: PackCard
    identity: ModelIdentity

    @classmethod
    def open(cls, folder: Path) -> "ModelPack":
        """Open and verify a pack. Raises PackUnsound."""
        try:
            text = (folder / CARD_FILE).read_bytes()
        except OSError as error:
            raise PackUnsound(folder.name, f"{CARD_FILE} cannot be read ({type(error).__name__}).") from error
        try:
            card = PackCard.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise PackUnsound(folder.name, f"{CARD_FILE} at {place or 'its root'}: {first['msg']}.") from error
        _check_files(folder, card)
        _check_findings(folder, card)
        _check_graph(folder, card)
        return cls(folder, card, ModelIdentity(card.name, card.version, hashlib.sha256(text).hexdigest()))

    @property
    def network(self) -> Path:
        return self.folder / NETWORK_FILE


def installed_packs(root: Path) -> tuple[Path, ...]:
    """Folders under `root` that hold a pack, by name."""
    return tuple(sorted(card.parent for card in root.glob(f"*/{CARD_FILE}")))


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


def _fits(tensor: TensorCard, *axes: int | None) -> bool:
    shape = tensor.shape[1:]
    return (
        tensor.dtype == "float32"
        and len(shape) == len(axes)
        and all(axis in (None, size) for axis, size in zip(axes, shape, strict=True))
    )


def _check_files(folder: Path, card: PackCard) -> None:
    if NETWORK_FILE not in card.files:
        raise PackUnsound(folder.name, f"its card does not name {NETWORK_FILE}.")
    for name, digest in card.files.items():
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            raise PackUnsound(folder.name, f"{name} is missing.")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise PackUnsound(folder.name, f"{name} has not the SHA-256 that its card names.")
