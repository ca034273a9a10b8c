"""Whose pages elsewhere may ask."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from xray_ai.api.app import create_app
from xray_ai.api.service import Operations

VIEWER = "https://viewer.hospital.example"


@pytest.mark.parametrize(
    ("allowed", "origin", "told"),
    [((), VIEWER, None), ((VIEWER,), VIEWER, VIEWER), ((VIEWER,), "https://evil.example", None)],
)
def test_only_pages_that_the_site_names_may_ask(
    engine: Engine, tmp_path: Path, allowed: tuple[str, ...], origin: str, told: str | None
) -> None:
    operations = Operations(engine, tmp_path, "cpu", dict, lambda: ())
    viewer = TestClient(create_app(operations, None, allowed), base_url="http://localhost")

    answer = viewer.get("/dicom-web/studies", headers={"Origin": origin})

    assert answer.headers.get("access-control-allow-origin") == told
