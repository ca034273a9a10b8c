"""Measure the house against its bars: `make shape`.

One line per figure, and below it where to look first when a bar is passed; then the exit code is 1.
It needs the standard library alone, and keeps the bars itself.
"""

import ast
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EDGES = ("xray_ai/cli", "xray_ai/api")  # where a dict may come in from outside
BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)  # as ruff's C901
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
MOCK = re.compile(r"(^|\.)(Mock|MagicMock|AsyncMock|patch|patch\.\w+|monkeypatch\.setattr)$")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Measured = tuple[float, str]  # a value, and where it was found


@dataclass(frozen=True, slots=True)
class Figure:
    """One point, its value, and the bar on either side."""

    point: str
    value: float
    at_most: float = math.inf
    at_least: float = 0.0
    worst: tuple[str, ...] = ()

    @property
    def is_held(self) -> bool:
        return self.at_least <= self.value <= self.at_most

    @property
    def bar(self) -> str:
        lower = [f">= {self.at_least:g}"] if self.at_least else []
        upper = [f"<= {self.at_most:g}"] if math.isfinite(self.at_most) else []
        return " and ".join(lower + upper)


@dataclass(frozen=True)
class Source:
    """One Python file, and its name from the root."""

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text, self.name)))

    @property
    def module(self) -> str:
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def functions(self) -> Iterator[tuple[FunctionNode, str]]:
        for node in self.nodes:
            if isinstance(node, FunctionNode):
                yield node, f"{self.name}:{node.lineno} {node.name}"

    def where(self, is_wanted: Callable[[ast.AST], bool]) -> list[str]:
        return [f"{self.name}:{getattr(node, 'lineno', 1)}" for node in self.nodes if is_wanted(node)]


def sources_in(root: Path, folder: str) -> list[Source]:
    paths = sorted(path for path in (root / folder).rglob("*.py") if "node_modules" not in path.parts)
    return [Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


# ---- one node


def length_of(node: FunctionNode | ast.Expr) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def complexity_of(function: FunctionNode) -> int:
    nodes = list(ast.walk(function))
    inner = sum(isinstance(node, FunctionNode) for node in nodes) - 1
    otherwise = sum(isinstance(node, ast.Try | ast.TryStar) and bool(node.orelse) for node in nodes)
    return 1 + inner + otherwise + sum(isinstance(node, BRANCHES) for node in nodes)


def nesting_of(node: ast.AST) -> int:
    """How many blocks stand in each other; `elif` is no deeper than its `if`, an inner function begins anew."""
    children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, FunctionNode)]
    deepest = max((nesting_of(child) - is_elif(node, child) for child in children), default=0)
    return deepest + isinstance(node, BLOCKS)


def is_elif(node: ast.AST, child: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]


def arguments_of(function: FunctionNode) -> list[ast.arg]:
    """What a caller gives: without self and cls."""
    given = function.args
    starred = [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [argument for argument in named if argument.arg not in {"self", "cls"}] + starred


def is_typed(function: FunctionNode) -> bool:
    return function.returns is not None and all(argument.annotation for argument in arguments_of(function))


def docstring_lines(source: Source) -> int:
    bodies = [node.body for node in source.nodes if isinstance(node, DOCUMENTED) and ast.get_docstring(node)]
    return sum(length_of(body[0]) for body in bodies if isinstance(body[0], ast.Expr))


def is_wide_catch(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = ast.unparse(node.type) if node.type else "Exception"
    return re.search(r"\b(Base)?Exception\b", caught) is not None


def imports_in(function: FunctionNode) -> list[int]:
    return [node.lineno for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]


# ---- figures


def quantile(values: Iterable[float], share: float) -> float:
    """The nearest-rank quantile; 0 where nothing was measured."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else 0


def spread(point: str, measured: Sequence[Measured], share: float, bar: float) -> Figure:
    beyond = sorted((pair for pair in measured if pair[0] > bar), reverse=True)[:5]
    worst = tuple(f"{where} ({value:g})" for value, where in beyond)
    return Figure(point, quantile((value for value, _ in measured), share), at_most=bar, worst=worst)


def at_most(point: str, places: Sequence[str], bar: int = 0) -> Figure:
    return Figure(point, len(places), at_most=bar, worst=tuple(places))


def sizes(sources: Sequence[Source]) -> list[Figure]:
    files = [(len(source.lines), source.name) for source in sources if source.lines]
    functions = [pair for source in sources for pair in source.functions()]
    lengths = [(length_of(node), where) for node, where in functions]
    complexities = [(complexity_of(node), where) for node, where in functions]
    return [
        spread("file, lines, p50", files, 0.5, 150),
        spread("file, lines, largest", files, 1, 400),
        spread("function, lines, p50", lengths, 0.5, 10),
        spread("function, lines, p95", lengths, 0.95, 35),
        spread("function, lines, largest", lengths, 1, 60),
        spread("cyclomatic complexity, p95", complexities, 0.95, 6),
        spread("cyclomatic complexity, largest", complexities, 1, 10),
        spread("nesting, deepest", [(nesting_of(node), where) for node, where in functions], 1, 3),
        spread("arguments, most", [(len(arguments_of(node)), where) for node, where in functions], 1, 6),
    ]


def places(sources: Sequence[Source], is_wanted: Callable[[ast.AST], bool]) -> list[str]:
    return [where for source in sources for where in source.where(is_wanted)]


def words(sources: Sequence[Source]) -> list[Figure]:
    lines = sum(len(source.lines) for source in sources)
    documented = sum(docstring_lines(source) for source in sources)
    functions = [pair for source in sources for pair in source.functions()]
    untyped = tuple(where for node, where in functions if not is_typed(node))
    typed = 100 * (1 - len(untyped) / max(len(functions), 1))
    return [
        Figure("docstrings, % of lines", 100 * documented / max(lines, 1), at_most=18, at_least=8),
        Figure("functions fully typed, %", typed, at_least=100, worst=untyped),
    ]


def habits(sources: Sequence[Source]) -> list[Figure]:
    inside = [source for source in sources if not source.name.startswith(EDGES)]
    return [
        at_most("wide catches", places(sources, is_wide_catch), 4),
        at_most("wide catches without `# noqa: BLE001 reason`", unexplained_catches(sources)),
        at_most("imports inside functions", hidden_imports(sources)),
        at_most("`if TYPE_CHECKING`", places(sources, lambda node: named(node) == "TYPE_CHECKING")),
        at_most("`global`", places(sources, lambda node: isinstance(node, ast.Global))),
        at_most("`dict[str, Any]` outside the edges", places(inside, is_loose_dict)),
    ]


def named(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def is_loose_dict(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and ast.unparse(node) in {"dict[str, Any]", "dict[str, typing.Any]"}


def unexplained_catches(sources: Sequence[Source]) -> list[str]:
    reason = re.compile(r"# noqa: BLE001\W+\w+")
    return [
        f"{source.name}:{node.lineno}"
        for source in sources
        for node in source.nodes
        if isinstance(node, ast.ExceptHandler) and is_wide_catch(node)
        if not reason.search(source.lines[node.lineno - 1])
    ]


def hidden_imports(sources: Sequence[Source]) -> list[str]:
    """Imports inside functions, but for those marked `# optional driver:`."""
    return sorted(
        {
            f"{source.name}:{line}"
            for source in sources
            for function, _ in source.functions()
            for line in imports_in(function)
            if "# optional driver:" not in source.lines[line - 1]
        }
    )


def circles(sources: Sequence[Source]) -> Figure:
    names = {source.module for source in sources}
    direct = {source.module: set(imported(source)) & names - {source.module} for source in sources}
    beyond = {name: reached_from(name, direct) for name in names}
    rings = {frozenset({name} | {other for other in beyond[name] if name in beyond[other]}) for name in names}
    return at_most("import circles", [" <-> ".join(sorted(ring)) for ring in rings if len(ring) > 1])


def imported(source: Source) -> Iterator[str]:
    for node in source.nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reached_from(name: str, direct: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = [name]
    while ahead:
        news = direct[ahead.pop()] - reached
        reached |= news
        ahead.extend(news)
    return reached


def tests(sources: Sequence[Source]) -> list[Figure]:
    functions = [pair for source in sources for pair in source.functions()]
    lengths = [(length_of(node), where) for node, where in functions if node.name.startswith("test_")]
    mocks = places(sources, is_mock)
    return [
        spread("test file, lines, largest", [(len(source.lines), source.name) for source in sources], 1, 400),
        Figure("tests", len(lengths), at_least=1),
        spread("test, lines, p50", lengths, 0.5, 12),
        Figure("mocks per test", len(mocks) / max(len(lengths), 1), at_most=0.1, worst=tuple(mocks)),
    ]


def is_mock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and MOCK.search(ast.unparse(node.func)) is not None


def measure(root: Path) -> list[Figure]:
    """All figures of the house at this root, in the order of the table."""
    house, scripts, bench = (sources_in(root, folder) for folder in ("xray_ai", "scripts", "bench"))
    code = house + scripts + bench
    path = [(len(source.lines), source.name) for source in house if source.name == "xray_ai/pipeline.py"]
    doors = [(len(source.lines), source.name) for source in scripts]
    return [
        *sizes(code),
        *words(code),
        *habits(code),
        circles(house + bench),
        spread("pipeline.py, lines", path, 1, 150),
        spread("script, lines, largest", doors, 1, 40),
        *tests(sources_in(root, "tests")),
    ]


def main() -> int:
    figures = measure(ROOT)
    for figure in figures:
        print(f"{figure.point:46} {figure.value:8.4g}   {figure.bar:16} {'ok' if figure.is_held else 'PAST THE BAR'}")
        for place in figure.worst if not figure.is_held else ():
            print(f"    {place}")
    return 0 if all(figure.is_held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
