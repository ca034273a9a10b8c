"""Drawings as inline SVG: curves, reliability diagrams, and intervals that fit into a table's cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from xray_ai.inference.pack_card import IntervalCard
from xray_ai.training.evaluation.measured import CalibrationFigures, Curve
from xray_ai.training.evaluation.page import Markup

SIDE, LEFT, BELOW, MARGIN = 180, 42, 30, 8  # of the square that a plot draws in, and around it
TICKS = 4
CELL_WIDTH, CELL_HEIGHT, CELL_EDGE = 110, 16, 4
COUNT_HEIGHT = 0.18  # of the side, for the largest bin


@dataclass(frozen=True, slots=True)
class Axes:
    """A square from 0 to `end` both ways, and what its sides are."""

    across: str
    up: str
    end: float = 1.0

    def x(self, value: float) -> float:
        return round(LEFT + SIDE * min(max(value / self.end, 0.0), 1.0), 1)

    def y(self, value: float) -> float:
        return round(MARGIN + SIDE * (1 - min(max(value / self.end, 0.0), 1.0)), 1)


def roc_plot(curve: Curve) -> Markup:
    axes = Axes("false-positive rate", "sensitivity")
    return _square(axes, "ROC curve", [_line(axes, ((0, 0), (1, 1)), "even"), _line(axes, curve, "line")])


def precision_recall_plot(curve: Curve, chance: float) -> Markup:
    axes = Axes("recall", "precision")
    return _square(
        axes, "precision-recall curve", [_line(axes, ((0, chance), (1, chance)), "even"), _line(axes, curve, "line")]
    )


def reliability_plot(figures: CalibrationFigures) -> Markup:
    """Draw what was observed over what was said; grey bars are counts of images over their part of the axis."""
    end = _round_end(max(max(one.said, one.observed.value) for one in figures.bins))
    axes = Axes("probability said", "share observed", end)
    most = max(one.images for one in figures.bins)
    marks = []
    for one in figures.bins:
        height = SIDE * COUNT_HEIGHT * one.images / most
        marks.append(
            f'<rect class="count" x="{axes.x(one.said) - 3}" y="{MARGIN + SIDE - height:.1f}"'
            f' width="6" height="{height:.1f}"/>'
        )
    marks.append(_line(axes, ((0, 0), (end, end)), "even"))
    marks.append(_line(axes, tuple((one.said, one.observed.value) for one in figures.bins), "line"))
    for one in figures.bins:
        x = axes.x(one.said)
        marks.append(_stroke((x, axes.y(one.observed.low)), (x, axes.y(one.observed.high)), "whisker"))
        marks.append(f'<circle class="dot" cx="{x}" cy="{axes.y(one.observed.value)}" r="2.5"/>')
    return _square(axes, "reliability diagram", marks)


@dataclass(frozen=True, slots=True)
class Scale:
    """What a cell's drawing spans, and where its dashed line stands."""

    low: float
    high: float
    reference: float | None = None

    def x(self, value: float) -> float:
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return round(CELL_EDGE + share * (CELL_WIDTH - 2 * CELL_EDGE), 1)


def interval_cell(interval: IntervalCard | None, scale: Scale, *, is_bad: bool = False) -> Markup:
    """Draw a figure and its interval, small enough for a table."""
    if interval is None:
        return Markup("")
    middle = CELL_HEIGHT / 2
    marks = [
        _stroke((scale.x(interval.low), middle), (scale.x(interval.high), middle), "whisker"),
        f'<circle class="dot" cx="{scale.x(interval.value)}" cy="{middle}" r="3.5"/>',
    ]
    if scale.reference is not None:
        x = scale.x(scale.reference)
        marks.insert(0, _stroke((x, 0), (x, CELL_HEIGHT), "even"))
    kind = ' class="bad"' if is_bad else ""
    size = f'width="{CELL_WIDTH}" height="{CELL_HEIGHT}"'
    return Markup(f'<svg{kind} {size} aria-hidden="true">{"".join(marks)}</svg>')


def _square(axes: Axes, label: str, marks: Sequence[str]) -> Markup:
    width, height = LEFT + SIDE + MARGIN, MARGIN + SIDE + BELOW
    values = [axes.end * number / TICKS for number in range(TICKS + 1)]
    grid = [
        part
        for value in values
        for part in (
            _stroke((axes.x(0), axes.y(value)), (axes.x(axes.end), axes.y(value)), "grid"),
            f'<text x="{LEFT - 4}" y="{axes.y(value) + 3}" text-anchor="end">{value:.3g}</text>',
            f'<text x="{axes.x(value)}" y="{MARGIN + SIDE + 12}" text-anchor="middle">{value:.3g}</text>',
        )
    ]
    middle = MARGIN + SIDE / 2
    across = f'<text x="{LEFT + SIDE / 2}" y="{height - 4}" text-anchor="middle">{escape(axes.across)}</text>'
    turned = f'x="8" y="{middle}" text-anchor="middle" transform="rotate(-90 8 {middle})"'
    up = f"<text {turned}>{escape(axes.up)}</text>"
    frame = f'<path class="axis" d="M{LEFT} {MARGIN}V{MARGIN + SIDE}H{LEFT + SIDE}"/>'
    inner = "".join((*grid, frame, *marks, across, up))
    return Markup(f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{inner}</svg>')


def _line(axes: Axes, points: Curve, kind: str) -> str:
    path = " ".join(f"{axes.x(x)},{axes.y(y)}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'


def _stroke(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    return f'<line class="{kind}" x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"/>'


def _round_end(largest: float) -> float:
    return next((end for end in (0.02, 0.04, 0.1, 0.2, 0.4, 0.6, 0.8) if largest <= end), 1.0)
