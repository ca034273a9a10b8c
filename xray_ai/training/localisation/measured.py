"""What the measure of heatmaps says, as frozen and checked types: localisation.json."""

from pydantic import Field

from xray_ai.inference.pack_card import Card, IntervalCard, Sha256

LOCALISATION_FILE = "localisation.json"


class PlaceFigures(Card):
    """Where the heatmaps of some calls lie; means over calls, shares 0.0 to 1.0."""

    of: str = Field(description="Which calls.")
    calls: int
    patients: int
    inside: IntervalCard = Field(description="Share of the drawn energy inside the lungs and heart.")
    inside_uncut: IntervalCard = Field(description="The same, with the values that are too faint to be drawn.")
    by_area: IntervalCard = Field(description="Chance: the region's share of what the map covers.")
    by_others: IntervalCard | None = Field(description="Chance: other patients' maps of the finding, laid here.")
    above_area: IntervalCard = Field(description="`inside` less `by_area`, call by call.")
    above_others: IntervalCard | None = Field(description="`inside` less `by_others`, call by call.")


class Outside(Card):
    """Where the energy outside lies, as shares of all energy."""

    above: float = Field(description="Neck and shoulders.")
    below: float = Field(description="Under the diaphragm.")
    beside: float = Field(description="Chest wall, arms, markers.")


class CaseFigures(Card):
    """One of the twelve cases."""

    image: str = Field(description="Source and file name.")
    view: str
    finding: str
    probability: float
    operating_point: float
    is_labelled: bool
    inside: float
    by_area: float
    outside: Outside


class Agreement(Card):
    """How well regions that were carried over agree with those drawn by hand, each left out in its turn."""

    images: int
    mean_dice: float
    median_dice: float
    lowest_dice: float
    is_enough: bool = Field(description="Mean at or above 0.85: then regions are carried to all tuning images.")


class Localisation(Card):
    """The whole measure."""

    pack: str
    version: str
    pack_sha256: Sha256
    measured_on: str
    interval_method: str
    faintest_shown: float = Field(description="Shares of the strongest cell below this are not drawn.")
    images_drawn: int = Field(description="Radiographs with hand-drawn regions that were read.")
    images_all: int = Field(description="Radiographs of tuning patients that were read.")
    not_read: int
    agreement: Agreement
    drawn_by_hand: tuple[PlaceFigures, ...]
    carried_over: tuple[PlaceFigures, ...] = Field(description="On all tuning images; empty if they agree too little.")
    cases: tuple[CaseFigures, ...]
