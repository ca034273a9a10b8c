"""A model pack: a folder of data that is opened only when every byte is what its card says."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from xray_ai.domain.finding import ABNORMALITY
from xray_ai.domain.reading import ModelIdentity
from xray_ai.errors import OperatorNeeded
from xray_ai.inference.pack_card import PackCard

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
        if card.findings[-1].key != ABNORMALITY:
            raise PackUnsound(folder.name, "abnormality is not the last of its findings.")
        return cls(folder, card, ModelIdentity(card.name, card.version, hashlib.sha256(text).hexdigest()))

    @property
    def network(self) -> Path:
        return self.folder / NETWORK_FILE


def installed_packs(root: Path) -> tuple[Path, ...]:
    """Folders under `root` that hold a pack, by name."""
    return tuple(sorted(card.parent for card in root.glob(f"*/{CARD_FILE}")))


def _check_files(folder: Path, card: PackCard) -> None:
    if NETWORK_FILE not in card.files:
        raise PackUnsound(folder.name, f"its card does not name {NETWORK_FILE}.")
    for name, digest in card.files.items():
        file = (folder / name).resolve()
        if not file.is_relative_to(folder.resolve()) or not file.is_file():
            raise PackUnsound(folder.name, f"{name} is missing.")
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise PackUnsound(folder.name, f"{name} has not the SHA-256 that its card names.")
