"""One HTML page that needs nothing from outside: tables, sections and the style of both screen and print."""

from collections.abc import Sequence
from html import escape

STYLE = """
:root { --ink: #1c2327; --soft: #5c6970; --rule: #d5dcdf; --mark: #00695c; --other: #b4540a; --warn: #8a1c1c; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .4rem; padding-top: .6rem; border-top: 2px solid var(--mark); }
p, ul { margin: .4rem 0; max-width: 48rem; }
.research { border: 2px solid var(--warn); color: var(--warn); padding: .5rem .8rem; font-weight: 600;
  max-width: none; }
.soft, figcaption { color: var(--soft); font-size: .85rem; }
.digest { overflow-wrap: anywhere; }
.heads { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .6rem; margin: 1rem 0; }
.heads div { border: 1px solid var(--rule); border-left: 4px solid var(--mark); padding: .5rem .7rem; }
.heads b { display: block; font-size: 1.4rem; line-height: 1.3; }
.heads span { color: var(--soft); font-size: .85rem; display: block; line-height: 1.35; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .22rem .5rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th { vertical-align: bottom; font-weight: 600; white-space: normal; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
td:first-child { white-space: normal; min-width: 8rem; max-width: 20rem; overflow-wrap: anywhere; }
td svg { display: block; }
tr.group td { font-weight: 600; text-align: left; padding-top: .7rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .8rem; margin: .8rem 0; }
figure { margin: 0; break-inside: avoid; }
figure svg { width: 100%; height: auto; }
figcaption b { color: var(--ink); }
svg text { font: 10px system-ui, "Segoe UI", Roboto, Arial, sans-serif; fill: var(--soft); }
.axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.grid { stroke: var(--rule); stroke-width: 1; }
.even { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; fill: none; }
.line { stroke: var(--mark); stroke-width: 2; fill: none; }
.whisker { stroke: var(--mark); stroke-width: 1.5; }
.dot { fill: var(--mark); }
.count { fill: var(--rule); }
.bad .whisker, .bad .line { stroke: var(--other); } .bad .dot { fill: var(--other); }
@media print {
  body { max-width: none; font-size: 10pt; padding: 0; }
  h2 { break-after: avoid; } tr, .heads div { break-inside: avoid; }
  .wide { overflow: visible; } table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; }
  th:first-child, td:first-child { position: static; }
  .plots { grid-template-columns: repeat(4, 1fr); }
}
"""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def page(title: str, body: Sequence[str]) -> str:
    """Put parts that are HTML into one document."""
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{STYLE}</style></head><body>",
            *body,
            "</body></html>\n",
        )
    )


def section(title: str, text: str, *parts: str) -> Markup:
    """Head a part of the page with a title and a sentence or two."""
    return Markup("\n".join((f"<section><h2>{escape(title)}</h2>", paragraph(text), *parts, "</section>")))


def paragraph(text: str, kind: str = "") -> Markup:
    return Markup(f'<p class="{kind}">{_cell(text)}</p>' if kind else f"<p>{_cell(text)}</p>")


def bullets(sentences: Sequence[str]) -> Markup:
    return Markup("<ul>" + "".join(f"<li>{_cell(sentence)}</li>" for sentence in sentences) + "</ul>")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Write a table; a row of one cell heads the rows below it."""
    head = "".join(f"<th>{_cell(cell)}</th>" for cell in heads)
    body = "\n".join(_row(row, len(heads)) for row in rows)
    return Markup(f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>')


def heads(figures: Sequence[tuple[str, str, str]]) -> Markup:
    """Show a few figures large: (figure, its interval, what it is)."""
    boxes = (
        f"<div><b>{escape(figure)}</b><span>{escape(interval)}</span><span>{escape(text)}</span></div>"
        for figure, interval, text in figures
    )
    return Markup('<div class="heads">' + "".join(boxes) + "</div>")


def plots(figures: Sequence[tuple[Markup, str, str]]) -> Markup:
    """Lay out drawings side by side: (drawing, name, words)."""
    each = (
        f"<figure>{drawing}<figcaption><b>{escape(name)}</b> {escape(words)}</figcaption></figure>"
        for drawing, name, words in figures
    )
    return Markup('<div class="plots">' + "\n".join(each) + "</div>")


def _row(row: Sequence[str], columns: int) -> str:
    if len(row) == 1:
        return f'<tr class="group"><td colspan="{columns}">{_cell(row[0])}</td></tr>'
    return "<tr>" + "".join(f"<td>{_cell(cell)}</td>" for cell in row) + "</tr>"


def _cell(text: str) -> str:
    return text if isinstance(text, Markup) else escape(text)
