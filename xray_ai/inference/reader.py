"""Reads a radiograph: stored values -> preprocessing -> scope check -> network -> probabilities and heatmaps."""

from dataclasses import replace

from xray_ai.acceptance import PIXELS_NOT_CHECKED, accept_pixels, looks_inverted
from xray_ai.domain.finding import Score
from xray_ai.domain.radiograph import Note
from xray_ai.domain.reading import ModelIdentity, Reading, ScopeReading
from xray_ai.imaging.grayscale import GrayscaleTransform
from xray_ai.imaging.preprocess import PreparedImage, Recipe, as_input, halved_for, prepare
from xray_ai.imaging.stored_image import StoredImage
from xray_ai.inference.calibration import calibrated, operating_logits
from xray_ai.inference.heatmap import heatmaps_of
from xray_ai.inference.model_pack import ModelPack, PackUnsound
from xray_ai.inference.scope_check import ScopeCheck
from xray_ai.inference.session import Device, Session


class Reader:
    """A classifier's pack, loaded and ready, behind a scope check where there is one."""

    def __init__(self, pack: ModelPack, device: Device, scope: ScopeCheck | None = None) -> None:
        self.pack = pack
        self.scope = scope
        self.recipe = pack.card.preprocessing.recipe()
        self._session = Session(pack.folder / pack.network_on(device).file, device)
        self._present_from = operating_logits(pack.card.findings)
        if not self._session.matches(pack.card.graph):
            raise PackUnsound(pack.card.name, "the network's inputs or outputs are not those that its card names.")

    @property
    def device(self) -> Device:
        return self._session.device

    @property
    def scope_identity(self) -> ModelIdentity | None:
        return self.scope.pack.identity if self.scope else None

    @property
    def least_side(self) -> int:
        """How many pixels the shorter side of a radiograph must keep for these models."""
        own = max(self.recipe.rows, self.recipe.columns)
        return max(own, self.scope.least_side) if self.scope else own

    def read(self, stored: StoredImage, transform: GrayscaleTransform) -> Reading:
        """Accept one radiograph by its pixels, then score it.

        Raises: StudyRejected BLANK, NOT_FRONTAL_CHEST, TURNED or LOOKS_INVERTED.
        """
        halved = halved_for(stored, self.least_side)
        if self.scope is None:
            return replace(self.score(halved, transform), pixel_notes=(PIXELS_NOT_CHECKED,))
        answers = self.scope.answers(halved, transform)
        notes = accept_pixels(answers)
        scope = ScopeReading(self.scope.pack.identity, answers)
        return replace(self.score(halved, transform), scope=scope, pixel_notes=notes)

    def score(self, stored: StoredImage, transform: GrayscaleTransform) -> Reading:
        """Score a radiograph that was accepted, and say where each score comes from.

        Raises: StudyRejected BLANK, or LOOKS_INVERTED by the recipe's own template where no scope check is there.
        """
        prepared = prepare(stored, transform, self.recipe)
        if self.scope is None:
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
    raise looks_inverted()
