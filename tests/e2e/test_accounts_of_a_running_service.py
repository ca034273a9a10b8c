"""The first administrator is made while the service runs, and from then on nobody is served unknown."""

import subprocess
from pathlib import Path

import httpx2
import pytest

from tests.e2e.serving import XRAY_AI, serving

pytestmark = pytest.mark.e2e

PASSWORD = "a horse that staples"  # noqa: S105 - of nobody


def test_the_first_account_closes_the_service_to_strangers_and_opens_it_to_people_and_programs(tmp_path: Path) -> None:
    with serving(tmp_path, {}) as service, httpx2.Client(base_url=f"http://127.0.0.1:{service.http_port}") as browser:
        assert browser.get("/api/worklist").status_code == 200
        config = str(service.folder / "xray-ai.toml")
        add = (*XRAY_AI, "accounts", "add", "root", "--role", "administrator", "--config", config)
        typed = f"{PASSWORD}\n{PASSWORD}\n"
        subprocess.run(add, input=typed, text=True, check=True, start_new_session=True, stdout=subprocess.DEVNULL)
        assert browser.get("/api/worklist").status_code == 401

        me = browser.post("/api/session", json={"name": "root", "password": PASSWORD}).json()
        shown = {"X-CSRF-Token": me["csrf_token"]}
        token = browser.post("/api/tokens", json={"name": "RIS", "permissions": ["studies.see"]}, headers=shown).json()
        program = {"Authorization": f"Bearer {token['token']}"}

        assert browser.get("/api/worklist").status_code == 200
        assert httpx2.get(f"{browser.base_url}/api/worklist", headers=program).status_code == 200
        assert [line for line in service.log() if PASSWORD in str(line) or token["token"] in str(line)] == []
