"""The house keeps its bars, and so does what measures it."""

from pathlib import Path

import pytest

from tests.house.shape import ROOT, Figure, Source, measure, sizes


def past_their_bar(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if not figure.is_held]


def figure_of(root: Path, point: str) -> Figure:
    return next(figure for figure in measure(root) if figure.point == point)


def a_house(root: Path, **rooms: str) -> Path:
    """A folder with xray_ai and these modules in it."""
    (root / "xray_ai").mkdir()
    for name, text in rooms.items():
        (root / "xray_ai" / f"{name}.py").write_text(text, encoding="utf-8")
    return root


def test_every_figure_is_within_its_bar() -> None:
    assert past_their_bar(measure(ROOT)) == []


def test_the_measure_keeps_the_bars_that_it_sets() -> None:
    path = Path(__file__).with_name("shape.py")

    figures = sizes([Source("shape.py", path.read_text(encoding="utf-8"))])

    assert [figure for figure in past_their_bar(figures) if figure.point != "file, lines, p50"] == []


def test_two_modules_that_import_each_other_are_a_circle(tmp_path: Path) -> None:
    house = a_house(tmp_path, one="from xray_ai import two", two="import xray_ai.one")

    figure = figure_of(house, "import circles")

    assert figure.worst == ("xray_ai.one <-> xray_ai.two",)


@pytest.mark.parametrize("folder", ["xray_ai", "scripts", "bench"])
def test_all_code_that_people_run_is_measured(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "one.py").write_text("def f(a, b):\n  import json", encoding="utf-8")

    for point in ("imports inside functions", "functions fully typed, %"):
        assert figure_of(tmp_path, point).worst[0].startswith(f"{folder}/one.py")


def test_elif_nests_no_deeper_than_its_if(tmp_path: Path) -> None:
    house = a_house(tmp_path, one="def f(a):\n if a:\n  pass\n elif 1:\n  for b in a:\n   pass\n elif 2:\n  pass")

    assert figure_of(house, "nesting, deepest").value == 2
    assert figure_of(house, "cyclomatic complexity, largest").value == 5


def test_a_wide_catch_says_why(tmp_path: Path) -> None:
    catch = "try:\n  pass\nexcept Exception:{}\n  pass"
    house = a_house(tmp_path, one=catch.format("  # noqa: BLE001"), two=catch.format("  # noqa: BLE001 - last resort"))

    figure = figure_of(house, "wide catches without `# noqa: BLE001 reason`")

    assert figure.worst == ("xray_ai/one.py:3",)


def test_an_import_inside_a_function_is_found_unless_it_is_an_optional_driver(tmp_path: Path) -> None:
    hidden = "def f():\n  import json{}"
    house = a_house(tmp_path, one=hidden.format(""), two=hidden.format("  # optional driver: [json]"))

    assert figure_of(house, "imports inside functions").worst == ("xray_ai/one.py:2",)


def test_an_argument_without_a_type_is_found(tmp_path: Path) -> None:
    house = a_house(tmp_path, one="def f(self, a: int, *rest) -> None: ...\ndef g(a: int) -> int: ...")

    assert figure_of(house, "functions fully typed, %").value == 50
