"""Asks a scope model what the pixels of a radiograph show, before a classifier judges them."""

from xray_ai.domain.scope import ScopeAnswer
from xray_ai.imaging.grayscale import GrayscaleTransform
from xray_ai.imaging.preprocess import as_input, prepare
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.model_pack import PackUnsound, ScopePack
from xray_ai.inference.session import Device, Session

DECIMALS = 6  # float32 holds no more, and a sum of probabilities may pass 1 by its rounding


class ScopeCheck:
    """A scope pack, loaded and ready."""

    def __init__(self, pack: ScopePack, device: Device) -> None:
        self.pack = pack
        self.recipe = pack.card.preprocessing.recipe()
        self._session = Session(pack.network, device)
        if not self._session.matches(pack.card.graph):
            raise PackUnsound(pack.card.name, "the network's inputs or outputs are not those that its card names.")

    @property
    def device(self) -> Device:
        return self._session.device

    @property
    def least_side(self) -> int:
        """How many pixels the shorter side of a radiograph must keep for this model."""
        return max(self.recipe.rows, self.recipe.columns)

    def answers(self, stored: StoredImage, transform: GrayscaleTransform) -> tuple[ScopeAnswer, ...]:
        """Ask every question of the pack. Raises StudyRejected BLANK."""
        prepared = prepare(stored, transform, self.recipe)
        (probabilities,) = self._session.run(as_input(prepared.grey, self.recipe), ("probabilities",))
        return tuple(
            ScopeAnswer(card.key, round(float(probability), DECIMALS), card.point)
            for card, probability in zip(self.pack.card.outputs, probabilities[0], strict=True)
        )
