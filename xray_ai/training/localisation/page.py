"""The measured part of docs/heatmaps.md: tables between two marks, so that one command brings them up to date."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from xray_ai.errors import OperatorNeeded
from xray_ai.inference.pack_card import IntervalCard
from xray_ai.training.localisation.energy import Call
from xray_ai.training.localisation.measured import LOCALISATION_FILE, CaseFigures, Localisation, PlaceFigures
from xray_ai.training.localisation.sheet import with_radiographs, without_radiographs

PAGE, PICTURE, SHEET = "heatmaps.md", "img/heatmaps-twelve.png", "heatmaps-twelve-radiographs.png"
FEWEST_PATIENTS = 5  # below, no interval is shown
COLOURS = 128  # so that the manual stays small
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class PageWithoutMarks(OperatorNeeded):
    """The page has no place for the figures."""

    def __init__(self, page: Path) -> None:
        super().__init__(f"{page} lacks the marks {BEGIN} and {END}.", remedy="Put them where the figures belong.")


def write_localisation(measured: Localisation, cases: Sequence[Call], out: Path, docs: Path) -> Path:
    """Write figures and radiographs to `out`, tables and outlines to the manual in `docs`; gives the figures' file."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / LOCALISATION_FILE
    file.write_text(measured.model_dump_json(indent=1), "utf-8")
    Image.fromarray(with_radiographs(cases)).save(out / SHEET)
    page = docs / PAGE
    before, begin, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise PageWithoutMarks(page)
    page.write_text(f"{before}{begin}\n\n{tables(measured)}\n\n{end}{after}", "utf-8")
    Image.fromarray(without_radiographs(cases)).quantize(COLOURS).save(docs / PICTURE, optimize=True)
    return file


def tables(measured: Localisation) -> str:
    """All that was measured, as Markdown."""
    agreement = measured.agreement
    dices = (
        f"mean Dice {agreement.mean_dice:.2f}, median {agreement.median_dice:.2f}, lowest {agreement.lowest_dice:.2f}"
    )
    carried = (
        [f"On all {measured.images_all:,} radiographs, regions carried over:", _place_table(measured.carried_over)]
        if measured.carried_over
        else ["The carried-over regions agree too little with the drawn ones to be used."]
    )
    return "\n\n".join(
        [
            f"Pack: {measured.pack} {measured.version} (`{measured.pack_sha256[:12]}`).",
            f"Measured on {measured.measured_on}. Not read: {measured.not_read} images.",
            f"Intervals: {measured.interval_method}.",
            f"On the {measured.images_drawn} radiographs with hand-drawn regions:",
            _place_table(measured.drawn_by_hand),
            f"Carried-over regions against the {agreement.images} hand-drawn ones, each left out in its turn: {dices}.",
            *carried,
            "The twelve cases:",
            _case_table(measured.cases),
        ]
    )


def _place_table(rows: Sequence[PlaceFigures]) -> str:
    heads = ("calls", "n", "patients", "inside", "chance: area", "inside - area", "chance: others", "inside - others")
    cells = (
        (
            _in_words(row.of),
            str(row.calls),
            str(row.patients),
            _figure(row.inside, row.patients),
            f"{row.by_area.value:.2f}",
            _figure(row.above_area, row.patients, "+.2f"),
            f"{row.by_others.value:.2f}" if row.by_others else "",
            _figure(row.above_others, row.patients, "+.2f"),
        )
        for row in rows
    )
    return _table(heads, cells)


def _case_table(cases: Sequence[CaseFigures]) -> str:
    heads = ("", "image", "view", "finding", "probability", "label", "inside", "area", "above", "below", "beside")
    cells = (
        (
            str(number),
            case.image,
            case.view,
            case.finding,
            f"{case.probability:.2f}",
            "yes" if case.is_labelled else "no",
            *(f"{share:.2f}" for share in (case.inside, case.by_area)),
            *(f"{share:.2f}" for share in (case.outside.above, case.outside.below, case.outside.beside)),
        )
        for number, case in enumerate(cases, start=1)
    )
    return _table(heads, cells)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _in_words(key: str) -> str:
    return key.replace("_", " ")


def _figure(figure: IntervalCard | None, patients: int, form: str = ".2f") -> str:
    """Write a figure, with its interval where there are patients enough to draw from."""
    if figure is None:
        return ""
    interval = f" ({figure.low:{form}} to {figure.high:{form}})" if patients >= FEWEST_PATIENTS else ""
    return f"{figure.value:{form}}{interval}"
