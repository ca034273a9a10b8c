"""What training tests start from."""

import pytest

from tests.training.cohorts import TinyFeatures, install
from xray_ai.training.networks import NETWORKS


@pytest.fixture(autouse=True)
def _tiny_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that learns in seconds is known as `tiny`, for the length of a test."""
    for name in ("tiny", "unplugged", "two-faced"):
        monkeypatch.delitem(NETWORKS, name, raising=False)
    install("tiny", TinyFeatures)
