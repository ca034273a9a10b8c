"""Reads a radiograph: stored values -> preprocessing -> network -> probabilities and heatmaps."""

from xray_ai.domain.finding import Score
from xray_ai.domain.radiograph import Note
from xray_ai.domain.reading import Reading
from xray_ai.errors import RejectionCode, StudyRejected
from xray_ai.imaging.grayscale import GrayscaleTransform
from xray_ai.imaging.preprocess import PreparedImage, Recipe, as_input, prepare
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.calibration import calibrated, operating_logits
from xray_ai.inference.heatmap import heatmaps_of
from xray_ai.inference.model_pack import ModelPack, PackUnsound
from xray_ai.inference.session import Device, Session


class Reader:
    """A model pack, loaded and ready."""

    def __init__(self, pack: ModelPack, device: Device) -> None:
        self.pack = pack
        self.recipe = pack.card.preprocessing.recipe()
        self._session = Session(pack.network, device)
        self._present_from = operating_logits(pack.card.findings)
        if not self._session.matches(pack.card.graph):
            raise PackUnsound(pack.card.name, "the network's inputs or outputs are not those that its card names.")

    @property
    def device(self) -> Device:
        return self._session.device

    @property
    def least_side(self) -> int:
        """How many pixels the shorter side of a radiograph must keep for this model."""
        return max(self.recipe.rows, self.recipe.columns)

    def read(self, stored: StoredImage, transform: GrayscaleTransform) -> Reading:
        """Score one radiograph and say where each score comes from.

        Raises: StudyRejected BLANK or LOOKS_INVERTED.
        """
        prepared = prepare(stored, transform, self.recipe)
        _refuse_negative(prepared, self.recipe)
        return self.judge(prepared, transform.notes)

    def judge(self, prepared: PreparedImage, notes: tuple[Note, ...] = ()) -> Reading:
        """Run the network on a prepared image."""
        logits, activation = self._session.run(as_input(prepared.grey, self.recipe))
        cards = self.pack.card.findings
        probabilities = calibrated(logits[0], tuple(card.calibration for card in cards))
        scores = tuple(
            Score(card.finding(), float(probability), card.operating_point, card.rule_out_point)
            for card, probability in zip(cards, probabilities, strict=True)
        )
        keys = tuple(score.finding.key for score in scores)
        heatmaps = heatmaps_of(activation[0], logits[0], self._present_from, keys, prepared.box)
        return Reading(self.pack.identity, scores, heatmaps, notes)


def _refuse_negative(prepared: PreparedImage, recipe: Recipe) -> None:
    if recipe.polarity is None or prepared.polarity is None or prepared.polarity >= recipe.polarity.inverted_below:
        return
    raise StudyRejected(
        RejectionCode.LOOKS_INVERTED,
        "The image looks inverted: air is bright where its header says that air is dark.",
        remedy="Correct Photometric Interpretation at the sender, or the inversion at the modality, and send it again.",
    )
