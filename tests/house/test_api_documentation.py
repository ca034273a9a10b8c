"""Whatever a program can ask, read or be refused with, the manual names."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.api.edge import an_edge
from tests.house.shape import ROOT
from tests.records.databases import upgraded
from xray_ai.api.listed_study import ListedStudy
from xray_ai.records.totals import Stage
from xray_ai.records.words import HopKind

MANUAL = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def test_every_route_is_documented(tmp_path: Path) -> None:
    with upgraded(f"sqlite:///{tmp_path}/records.sqlite") as engine:
        described = an_edge(engine, tmp_path).get("/openapi.json").json()["paths"]

    asked = [f"## {method.upper()} {path}" for path, methods in described.items() for method in methods]
    assert [heading for heading in asked if heading not in MANUAL] == []


def test_every_metric_is_documented(tmp_path: Path) -> None:
    with upgraded(f"sqlite:///{tmp_path}/records.sqlite") as engine:
        text = an_edge(engine, tmp_path).get("/metrics").text

    names = {family.name for family in text_string_to_metric_families(text)}
    assert [name for name in names if name not in MANUAL] == []


def test_every_word_of_an_answer_is_documented() -> None:
    words = [*ListedStudy.model_fields, *(kind.value for kind in HopKind), *(stage.value for stage in Stage)]

    assert [word for word in words if f'"{word}"' not in MANUAL and f"`{word}`" not in MANUAL] == []
